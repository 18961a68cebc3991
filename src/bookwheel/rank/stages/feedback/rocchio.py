"""``rocchio(docs=10, terms=10, alpha=1, beta=0.75, gamma=0)``."""

from __future__ import annotations

from dataclasses import dataclass

from ....hits import Hits
from ...feedback.terms import candidate_terms, combined, query_terms, rocchio, scaled
from ...query import Query
from ..base import Context, Feedback, bounded, whole

__all__ = ["Rocchio"]


@dataclass(frozen=True, slots=True)
class Rocchio(Feedback):
    """Moves the query's terms towards the mean of the first ``docs`` passages, away from the last of 1000 with ``gamma``."""

    name = "rocchio"
    summary = "moves the words of the query towards those of the best passages"
    source = "Rocchio 1971, as in Anserini"
    needs = ("texts",)
    cost = "about 0.1 ms a passage read"

    docs: int = 10
    terms: int = 10
    alpha: float = 1.0
    beta: float = 0.75
    gamma: float = 0.0

    def __post_init__(self) -> None:
        whole("docs", self.docs, 1, 1000)
        whole("terms", self.terms, 1, 1000)
        bounded("alpha", self.alpha, 0, 1000)
        bounded("beta", self.beta, 0, 1000)
        bounded("gamma", self.gamma, 0, 1000)

    def depth(self) -> int:
        """The passages read, and where ``gamma`` is given the last of 1000."""
        return 1000 if self.gamma else self.docs

    def feed(self, context: Context, query: Query, hits: Hits) -> Query:
        """The query with weighted terms."""
        first = candidate_terms(context, context.terms(hits.ids[: self.docs]), plain=True)
        parts = [(self.alpha, scaled(query_terms(context, query), 2)), (self.beta, rocchio(first, self.terms))]
        if self.gamma and len(hits) > 2 * self.docs:
            last = candidate_terms(context, context.terms(hits.ids[-self.docs :]), plain=True)
            parts.append((-self.gamma, rocchio(last, self.terms)))
        terms = combined(parts)
        return query.with_terms("bm25", terms) if terms else query
