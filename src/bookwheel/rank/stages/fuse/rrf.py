"""``rrf(bm25, dense, k=60)``: reciprocal rank fusion."""

from __future__ import annotations

from dataclasses import dataclass

from ....hits import Hits
from ...query import Query
from ...recipe import Recipe
from ...reciprocal_ranks import reciprocal
from ..base import ExplainedHits, Run, Search
from ..context import Context
from ..parameters import check_number

__all__ = ["Rrf"]

DEPTH = 100
"""Hits of each ranking that are fused, unless the recipe says (``%``) or more are wanted."""


@dataclass(frozen=True, slots=True)
class Rrf(Search):
    """Fuses rankings by their ranks alone: the sum of 1 / (k + rank)."""

    name = "rrf"
    summary = "fuses rankings by rank, ignoring their scores"
    source = "Cormack, Clarke and Büttcher, Reciprocal Rank Fusion, SIGIR 2009"
    cost = "about 0.1 ms beyond what it fuses"
    floor = 0.0

    recipes: tuple[Recipe, ...]
    k: float = 60.0

    def check_parameters(self) -> None:
        """Check ``k``."""
        check_number("k", self.k, 0, 1e6)

    def search(self, context: Context, query: Query, want: int, run: Run) -> Hits:
        """The best ``want`` passages."""
        lists = [run(recipe, query, max(DEPTH, want)) for recipe in self.recipes]
        hits, shares = reciprocal(lists, self.k)
        parts = {str(recipe): share for recipe, share in zip(self.recipes, shares, strict=True)}
        return ExplainedHits(hits.ids, hits.scores, parts, parts).top(want)
