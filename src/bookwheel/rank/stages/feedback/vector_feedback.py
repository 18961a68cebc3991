"""``vector_feedback(docs=3, method="average", alpha=0.4, beta=0.6, on="dense")``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ....hits import Hits
from ...feedback.vectors import average, weighted_mean
from ...query import Query
from ..base import Context, Feedback, bounded, chosen, dense_named, whole

__all__ = ["VectorFeedback"]


@dataclass(frozen=True, slots=True)
class VectorFeedback(Feedback):
    """Moves the query's vector towards those of the first ``docs`` passages."""

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

    def __post_init__(self) -> None:
        whole("docs", self.docs, 1, 1000)
        chosen("method", self.method, ("average", "rocchio"))
        bounded("alpha", self.alpha, 0, 1000)
        bounded("beta", self.beta, 0, 1000)

    def representations(self) -> tuple[str, ...]:
        """The vectors it turns."""
        return (self.on,)

    def validate(self, representations: Mapping[str, str]) -> None:
        """The representation is one of vectors."""
        dense_named(self.name, self.on, representations)

    def depth(self) -> int:
        """The passages looked at."""
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
        turned = average(own, passages) if self.method == "average" else weighted_mean(own, passages, self.alpha, self.beta)
        return query.with_vector(self.on, turned)
