"""``normalised(0.5*bm25 + 0.5*dense, by="minmax")``: a fusion with another normalisation of scores."""

from __future__ import annotations

from dataclasses import dataclass

from ....hits import Hits
from ...normalisation import NORMALISATIONS
from ...query import Query
from ...recipe import Recipe
from ..base import Run, Search
from ..context import Context
from ..parameters import check_choice

__all__ = ["Normalised"]


@dataclass(frozen=True, slots=True)
class Normalised(Search):
    """Runs a recipe whose fusions use another normalisation than the default, ``tmm``."""

    name = "normalised"
    summary = "fuses with another normalisation: minmax, zscore or tmm"
    source = "Bruch, Gai and Ingber, An Analysis of Fusion Functions for Hybrid Retrieval, 2023"
    cost = "nothing beyond what it runs"

    recipe: Recipe
    by: str = "minmax"

    def check_parameters(self) -> None:
        """Check the name of the normalisation."""
        check_choice("by", self.by, NORMALISATIONS)

    def search(self, context: Context, query: Query, want: int, run: Run) -> Hits:
        """The best ``want`` passages."""
        return run(self.recipe, query, want, normalise=self.by)
