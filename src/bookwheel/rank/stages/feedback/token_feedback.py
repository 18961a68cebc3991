"""``token_feedback(docs=3, clusters=24, keep=10, weight=1.0, on="")``: pseudo-relevance feedback
for late interaction.

Clusters of the first passages' token vectors become further query tokens. Sources: Wang et al.,
"Pseudo-Relevance Feedback for Multiple Representation Dense Retrieval" (2021); Wang, Macdonald,
Tonellotto and Ounis, "ColBERT-PRF: Semantic Pseudo-Relevance Feedback for Dense Passage and
Document Retrieval" (ACM TWEB 2023). There the weight of a centroid is the idf of the word piece
nearest to it. An index of vectors has no word pieces, so here it is the idf of the centroid itself:
how many passages of a sample have a token near it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....hits import Hits
from ...query import Query
from ..base import Feedback
from ..context import Context
from ..parameters import check_number, check_whole, token_representation

__all__ = ["TokenFeedback", "centroid_idf", "centroids"]

SAMPLE = 200
"""Passages from which the idf of a centroid is estimated."""
NEAR = 0.75
"""A token is near a centroid if their cosine is at least this."""
ROUNDS = 10
"""Most rounds of k-means."""


def centroids(tokens: NDArray[np.float32], clusters: int, seed: int = 0) -> NDArray[np.float32]:
    """Spherical k-means of unit vectors (n, d): the centroids at unit length, float32 (at most
    ``clusters``, d).

    The first centroids are spread out by k-means++ (Arthur and Vassilvitskii 2007). Empty clusters
    are left out.
    """
    clusters = min(clusters, len(tokens))
    dice = np.random.default_rng(seed)
    chosen = [int(dice.integers(len(tokens)))]
    far = 1 - tokens @ tokens[chosen[0]]
    while len(chosen) < clusters:
        weights = np.maximum(far, 0.0).astype(np.float64) ** 2
        if weights.sum() <= 1e-12:
            break
        chosen.append(int(dice.choice(len(tokens), p=weights / weights.sum())))
        far = np.minimum(far, 1 - tokens @ tokens[chosen[-1]])
    centres = tokens[chosen]
    for _ in range(ROUNDS):
        owner = np.argmax(tokens @ centres.T, axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, owner, tokens)
        sums = sums[np.bincount(owner, minlength=len(centres)) > 0]
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        updated = (sums / np.where(lengths > 0, lengths, 1)).astype(np.float32)
        if updated.shape == centres.shape and np.allclose(updated, centres, atol=1e-5):
            break
        centres = updated
    return centres.astype(np.float32)


def centroid_idf(centres: NDArray[np.float32], sample: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The idf of each centroid (k, d) over a sample of N passages (tokens, d): ln((N + 1) / (near +
    1)), float32 (k,).
    """
    near = np.zeros(len(centres))
    for tokens in sample:
        if len(tokens):
            near += (tokens @ centres.T).max(axis=0) >= NEAR
    idf: NDArray[np.float32] = np.log((len(sample) + 1) / (near + 1)).astype(np.float32)
    return idf


@dataclass(frozen=True, slots=True)
class TokenFeedback(Feedback):
    """Adds to the query's token vectors the ``keep`` rarest of ``clusters`` clusters of the first
    passages' tokens.
    """

    name = "token_feedback"
    summary = "adds to a late-interaction query the tokens that the best passages have in common"
    source = "Wang et al., ColBERT-PRF, 2023"
    needs = ("token vectors",)
    reads_tokens = True
    cost = "about 5 ms"

    docs: int = 3
    clusters: int = 24
    keep: int = 10
    weight: float = 1.0
    on: str = ""

    def check_parameters(self) -> None:
        """Check all but the representation."""
        check_whole("docs", self.docs, 1, 100)
        check_whole("clusters", self.clusters, 1, 500)
        check_whole("keep", self.keep, 1, 500)
        check_number("weight", self.weight, 0, 100)

    def representations(self) -> tuple[str, ...]:
        """The token vectors, if they are named."""
        return (self.on,) if self.on else ()

    def validate(self, representations: Mapping[str, str]) -> None:
        """Raise `RecipeError` unless there is exactly one representation that it can mean."""
        token_representation(self.name, "on", self.on, representations)

    def depth(self) -> int:
        """The number of passages whose tokens are clustered."""
        return self.docs

    def feed(self, context: Context, query: Query, hits: Hits) -> Query:
        """The query with further token vectors, scaled by their weights."""
        name = token_representation(self.name, "on", self.on, context.representations)
        own = query.vectors.get(name)
        if own is None:
            own = context.encode(name, [query.text])[0]
        found = [tokens for tokens in context.token_vectors(name, hits.ids[: self.docs]) if len(tokens)]
        if not found:
            return query
        centres = centroids(np.concatenate(found), self.clusters)
        idf = centroid_idf(centres, _sample(context, name))
        best = np.argsort(-idf, kind="stable")[: self.keep]
        best = best[idf[best] > 0]
        if not len(best):
            return query
        # As in the paper, the idf values are the weights, here relative to the largest possible.
        scale = self.weight * idf[best] / np.log(SAMPLE + 1)
        return query.with_vector(name, np.concatenate([own, centres[best] * scale[:, np.newaxis]]).astype(np.float32))


def _sample(context: Context, name: str) -> list[NDArray[np.float32]]:
    def draw() -> list[NDArray[np.float32]]:
        return context.token_vectors(name, context.sample(SAMPLE))

    return context.resource(("token sample", name), draw, generation=True)
