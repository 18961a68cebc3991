"""``keywords(terms=40, longer=40)``: reduces a long query, such as a whole document, to its most
distinctive terms.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ...query import Query
from ...term_weights import characteristic_terms, divided_by_idf
from ..base import Rewrite
from ..context import Context
from ..parameters import check_whole

__all__ = ["Keywords"]


@dataclass(frozen=True, slots=True)
class Keywords(Rewrite):
    """Keeps for BM25 the ``terms`` most distinctive terms of a query with more than ``longer``
    different ones.
    """

    name = "keywords"
    summary = "reduces a long query, such as a whole document, to its most distinctive words"
    source = "tf-idf term selection, as in Lucene's MoreLikeThis"
    cost = "about 1 ms for a page of text; saves more in BM25"

    terms: int = 40
    longer: int = 40

    def check_parameters(self) -> None:
        """Check both of them."""
        check_whole("terms", self.terms, 1, 1000)
        check_whole("longer", self.longer, 1, 100_000)

    def rewrite(self, context: Context, query: Query) -> Query:
        """The query with fewer terms; its text, and so its vector, stays whole."""
        counts = Counter(context.analyze(query.text))
        if len(counts) <= self.longer:
            return query
        best = characteristic_terms(context, [counts], self.terms)
        return query.with_terms("bm25", divided_by_idf(context, best))
