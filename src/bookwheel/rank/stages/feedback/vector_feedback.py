"""``vector_feedback(docs=3, method="average", alpha=0.4, beta=0.6, on="dense")``: pseudo-relevance
feedback on vectors.

Source: Li, Mourad, Zhuang, Koopman and Zuccon, "Pseudo Relevance Feedback with Deep Language Models
and Dense Retrievers: Successes and Pitfalls" (ACM TOIS 2023): the average, and Rocchio's formula
without negative examples. Lexical scores fused before it, after it or both (``hybrid >>
vector_feedback() >> hybrid``): Li et al., "To Interpolate or not to Interpolate: PRF, Dense and
Sparse Retrievers" (2022).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....hits import Hits
from ...query import Query
from ...vector_means import unit, weighted_mean
from ..base import Feedback
from ..context import Context
from ..parameters import check_choice, check_dense, check_number, check_whole

__all__ = ["VectorFeedback", "average"]


def average(query: NDArray[np.float32], passages: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of the query's vector (d,) and the passages' (n, d), at unit length."""
    return unit(np.vstack([query[np.newaxis], passages]).mean(axis=0))


@dataclass(frozen=True, slots=True)
class VectorFeedback(Feedback):
    """Moves the query's vector towards those of the first ``docs`` passages.

    ``method``: ``average``, or ``rocchio`` with the weights ``alpha`` (the query) and ``beta`` (the
    passages).
    """

    name = "vector_feedback"
    summary = "moves the query's vector towards those of the best passages"
    source = "Li et al., Pseudo Relevance Feedback with Deep Language Models and Dense Retrievers, 2023"
    needs = ("vectors",)
    cost = "about 0.1 ms"

    docs: int = 3
    method: str = "average"
    alpha: float = 0.4
    beta: float = 0.6
    on: str = "dense"

    def check_parameters(self) -> None:
        """Check all but the representation."""
        check_whole("docs", self.docs, 1, 1000)
        check_choice("method", self.method, ("average", "rocchio"))
        check_number("alpha", self.alpha, 0, 1000)
        check_number("beta", self.beta, 0, 1000)

    def representations(self) -> tuple[str, ...]:
        """The representation whose vector it moves."""
        return (self.on,)

    def validate(self, representations: Mapping[str, str]) -> None:
        """Raise `RecipeError` unless the representation is dense."""
        check_dense(self.name, self.on, representations)

    def depth(self) -> int:
        """The number of passages whose vectors are read."""
        return self.docs

    def feed(self, context: Context, query: Query, hits: Hits) -> Query:
        """The query with another vector."""
        own = query.vectors.get(self.on)
        if own is None:
            own = context.encode(self.on, [query.text])[0]
        passages = context.vectors(self.on, hits.ids[: self.docs])
        passages = passages[passages.any(axis=1)]
        if not len(passages):
            return query
        if self.method == "average":
            return query.with_vector(self.on, average(own, passages))
        return query.with_vector(self.on, weighted_mean(own, passages, self.alpha, self.beta))
