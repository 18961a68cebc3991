"""``token_feedback(docs=3, clusters=24, keep=10, weight=1.0, on="")``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....hits import Hits
from ...feedback.tokens import centroids, rarity
from ...query import Query
from ..base import Context, Feedback, bounded, token_vectors_named, whole

__all__ = ["TokenFeedback"]

SAMPLE = 200


@dataclass(frozen=True, slots=True)
class TokenFeedback(Feedback):
    """Adds ``keep`` clusters of the first passages' tokens to the query's token vectors, the rarest of ``clusters``."""

    name = "token_feedback"
    summary = "adds to a late-interaction query the tokens that the best passages have in common"
    source = "Wang et al., ColBERT-PRF, 2023"
    needs = ("token vectors",)
    cost = "about 5 ms"

    docs: int = 3
    clusters: int = 24
    keep: int = 10
    weight: float = 1.0
    on: str = ""

    def __post_init__(self) -> None:
        whole("docs", self.docs, 1, 100)
        whole("clusters", self.clusters, 1, 500)
        whole("keep", self.keep, 1, 500)
        bounded("weight", self.weight, 0, 100)

    def representations(self) -> tuple[str, ...]:
        """The token vectors, where they are named."""
        return (self.on,) if self.on else ()

    def validate(self, representations: Mapping[str, str]) -> None:
        """Raise `RecipeError` without exactly one representation that it can mean."""
        token_vectors_named(self.name, "on", self.on, representations)

    def depth(self) -> int:
        """The passages looked at."""
        return self.docs

    def feed(self, context: Context, query: Query, hits: Hits) -> Query:
        """The query with more token vectors, scaled by their weights."""
        name = token_vectors_named(self.name, "on", self.on, context.representations)
        own = query.vectors.get(name)
        if own is None:
            own = context.encode(name, [query.text])[0]
        found = [tokens for tokens in context.token_vectors(name, hits.ids[: self.docs]) if len(tokens)]
        if not found:
            return query
        centres = centroids(np.concatenate(found), self.clusters)
        idf = rarity(centres, _sample(context, name))
        best = np.argsort(-idf, kind="stable")[: self.keep]
        best = best[idf[best] > 0]
        if not len(best):
            return query
        # As in the paper, the idf are used as they are, relative to the largest there can be.
        scale = self.weight * idf[best] / np.log(SAMPLE + 1)
        return query.with_vector(name, np.concatenate([own, centres[best] * scale[:, np.newaxis]]).astype(np.float32))


def _sample(context: Context, name: str) -> list[NDArray[np.float32]]:
    def draw() -> list[NDArray[np.float32]]:
        return context.token_vectors(name, context.sample(SAMPLE))

    return context.resource(("token sample", name), draw, generation=True)
