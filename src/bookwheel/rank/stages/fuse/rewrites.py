"""``rewrites(bm25, count=3, model="smollm2")``: searches several rewrites of the query and fuses
the rankings.
"""

from __future__ import annotations

from dataclasses import dataclass

from ....hits import Hits
from ...query import Query
from ...recipe import Recipe
from ..asking import asker_of, search_queries, write_queries
from ..base import Run, Search
from ..context import Context
from ..parameters import check_model, check_number, check_whole

__all__ = ["Rewrites"]


@dataclass(frozen=True, slots=True)
class Rewrites(Search):
    """Searches the query and several rewrites of it, and fuses the rankings; the query's own
    ranking gets ``own``.
    """

    name = "rewrites"
    summary = "searches several rewrites of the query by a language model, and fuses the rankings"
    source = "Rackauckas, RAG-Fusion, 2024; Cormack et al., Reciprocal Rank Fusion, 2009"
    needs = ("a language model",)
    cost = "one answer of the model (about 3 s with smollm2; cached), and the recipe once per rewrite"
    floor = 0.0

    recipe: Recipe
    count: int = 3
    model: str = "smollm2"
    own: float = 0.5
    seconds: float = 20.0

    def check_parameters(self) -> None:
        """Check all but the recipe."""
        check_model(self.model)
        check_whole("count", self.count, 1, 16)
        check_number("own", self.own, 0, 1)
        check_number("seconds", self.seconds, 0.001, 3600)

    def search(self, context: Context, query: Query, want: int, run: Run) -> Hits:
        """The best ``want`` passages."""

        def write() -> list[str]:
            return write_queries(asker_of(context, self.model, 1, self.seconds), query.text, self.count)

        return search_queries(context, query, self.recipe, want, run, self.name, write, self.own)
