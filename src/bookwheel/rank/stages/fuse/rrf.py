"""``rrf(bm25, dense, k=60)``."""

from __future__ import annotations

from dataclasses import dataclass

from ....hits import Hits
from ...fusion.reciprocal import reciprocal
from ...query import Query
from ...recipe import Recipe
from ..base import Context, ExplainedHits, Run, Search, bounded

__all__ = ["Rrf"]

DEPTH = 100


@dataclass(frozen=True, slots=True)
class Rrf(Search):
    """Fuses rankings by their ranks alone: the sum of 1 / (k + rank)."""

    name = "rrf"
    summary = "fuses rankings by ranks, whatever their scores mean"
    source = "Cormack, Clarke and Büttcher, Reciprocal Rank Fusion, SIGIR 2009"
    cost = "about 0.1 ms beside what it fuses"
    floor = 0.0

    recipes: tuple[Recipe, ...]
    k: float = 60.0

    def __post_init__(self) -> None:
        bounded("k", self.k, 0, 1e6)

    def search(self, context: Context, query: Query, want: int, run: Run) -> Hits:
        """The best ``want``."""
        lists = [run(recipe, query, max(DEPTH, want)) for recipe in self.recipes]
        hits, shares = reciprocal(lists, self.k)
        parts = {str(recipe): share for recipe, share in zip(self.recipes, shares, strict=True)}
        return ExplainedHits(hits.ids, hits.scores, parts, parts).top(want)
