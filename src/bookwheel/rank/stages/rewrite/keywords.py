"""``keywords(terms=40, longer=40)``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ....kernels.bm25 import idf
from ...queries.examples import telling_terms
from ...query import Query
from ..base import Context, Rewrite, whole

__all__ = ["Keywords"]


@dataclass(frozen=True, slots=True)
class Keywords(Rewrite):
    """Of a query of more than ``longer`` terms, a whole document say, keeps the ``terms`` most telling for BM25."""

    name = "keywords"
    summary = "makes a query of a whole document: its most telling words"
    source = "tf-idf term selection, as in Lucene's MoreLikeThis"
    cost = "about 1 ms for a page of text; saves more in BM25"

    terms: int = 40
    longer: int = 40

    def __post_init__(self) -> None:
        whole("terms", self.terms, 1, 1000)
        whole("longer", self.longer, 1, 100_000)

    def rewrite(self, context: Context, query: Query) -> Query:
        """The query with fewer terms; its text, and so its vector, stays whole."""
        counts = Counter(context.analyze(query.text))
        if len(counts) <= self.longer:
            return query
        kept = telling_terms(context, [counts], self.terms)
        names = list(kept)
        weights = idf(context.document_frequencies(names), context.passages).tolist()
        return query.with_terms("bm25", {name: kept[name] / value for name, value in zip(names, weights, strict=True)})
