"""``rewrites(bm25, count=3, model="smollm2")``: searches several rewrites of the query and fuses
the rankings.
"""

from __future__ import annotations

from dataclasses import dataclass

from ....language.ask import Asker
from ..asking import write_queries
from ..written import WrittenQueries

__all__ = ["Rewrites"]


@dataclass(frozen=True, slots=True)
class Rewrites(WrittenQueries):
    """Searches the query and several rewrites of it, and fuses the rankings; the query's own
    ranking gets ``own``.
    """

    name = "rewrites"
    summary = "searches several rewrites of the query by a language model, and fuses the rankings"
    source = "Rackauckas, RAG-Fusion, 2024; Cormack et al., Reciprocal Rank Fusion, 2009"
    cost = "one answer of the model (about 3 s with smollm2; cached), and the recipe once per rewrite"

    def write(self, asker: Asker, query: str) -> list[str]:
        """What it wrote."""
        return write_queries(asker, query, self.count)
