"""``normalised(0.5*bm25 + 0.5*dense, by="minmax")``."""

from __future__ import annotations

from dataclasses import dataclass

from ....hits import Hits
from ...normalisation import NORMALISATIONS
from ...query import Query
from ...recipe import Recipe
from ..base import Context, Run, Search, chosen

__all__ = ["Normalised"]


@dataclass(frozen=True, slots=True)
class Normalised(Search):
    """Runs a recipe with its scores brought to one scale in another way than the usual (``tmm``)."""

    name = "normalised"
    summary = "fuses under another normalisation: minmax, zscore or tmm"
    source = "Bruch, Gai and Ingber, An Analysis of Fusion Functions for Hybrid Retrieval, 2023"
    cost = "nothing beside what it runs"

    recipe: Recipe
    by: str = "minmax"

    def __post_init__(self) -> None:
        chosen("by", self.by, NORMALISATIONS)

    def search(self, context: Context, query: Query, want: int, run: Run) -> Hits:
        """The best ``want``."""
        return run(self.recipe, query, want, normalise=self.by)
