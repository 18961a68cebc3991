"""``rocchio(docs=10, terms=10, alpha=1, beta=0.75, gamma=0)``: Rocchio's formula on terms, as
Anserini computes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ....hits import Hits
from ...query import Query
from ...term_weights import expansion_terms, heaviest, normalised, query_terms, weighted_sum
from ..base import Feedback
from ..context import Context
from ..parameters import check_number, check_whole

__all__ = ["Rocchio", "centroid"]

LAST = 1000
"""The depth of the ranking whose last passages are the negative examples."""


def centroid(documents: Sequence[Mapping[str, float]], count: int) -> dict[str, float]:
    """The ``count`` heaviest terms of the mean of the documents' unit vectors, at unit length."""
    mean: dict[str, float] = {}
    for document in documents:
        for term, value in normalised(document, 2).items():
            mean[term] = mean.get(term, 0.0) + value / max(len(documents), 1)
    return normalised(heaviest(mean, count), 2)


@dataclass(frozen=True, slots=True)
class Rocchio(Feedback):
    """Moves the query's terms towards the mean of the first ``docs`` passages.

    With ``gamma`` it also moves them away from the mean of the last ``docs`` of 1000 passages.
    """

    name = "rocchio"
    summary = "moves the words of the query towards those of the best passages"
    source = "Rocchio 1971, as in Anserini"
    needs = ("texts",)
    cost = "about 0.1 ms per passage read"

    docs: int = 10
    terms: int = 10
    alpha: float = 1.0
    beta: float = 0.75
    gamma: float = 0.0

    def check_parameters(self) -> None:
        """Check all of them."""
        check_whole("docs", self.docs, 1, 1000)
        check_whole("terms", self.terms, 1, 1000)
        check_number("alpha", self.alpha, 0, 1000)
        check_number("beta", self.beta, 0, 1000)
        check_number("gamma", self.gamma, 0, 1000)

    def depth(self) -> int:
        """The number of passages read; with ``gamma`` 1000, of which the first and the last are
        read.
        """
        return LAST if self.gamma else self.docs

    def feed(self, context: Context, query: Query, hits: Hits) -> Query:
        """The query with weighted terms."""
        first = expansion_terms(context, context.terms(hits.ids[: self.docs]))
        parts = [(self.alpha, normalised(query_terms(context, query), 2)), (self.beta, centroid(first, self.terms))]
        if self.gamma and len(hits) > 2 * self.docs:
            last = expansion_terms(context, context.terms(hits.ids[-self.docs :]))
            parts.append((-self.gamma, centroid(last, self.terms)))
        terms = weighted_sum(parts)
        return query.with_terms("bm25", terms) if terms else query
