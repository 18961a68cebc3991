"""``rewrites(bm25, count=3, model="smollm2")``."""

from __future__ import annotations

from dataclasses import dataclass

from ....hits import Hits
from ...query import Query
from ...recipe import Recipe
from ...rewrite.applied import asked_for, named_model, searched
from ...rewrite.methods import rewrites
from ..base import Context, Run, Search, bounded, whole

__all__ = ["Rewrites"]


@dataclass(frozen=True, slots=True)
class Rewrites(Search):
    """Runs a recipe for the query and for several rewrites of it, and fuses the rankings; ``own`` is the query's share."""

    name = "rewrites"
    summary = "searches for several rewrites of the query by a language model, and fuses what they find"
    source = "Rackauckas, RAG-Fusion, 2024; Cormack et al., Reciprocal Rank Fusion, 2009"
    needs = ("a language model",)
    cost = "one answer of the model (about 3 s with smollm2; kept), and the recipe once a rewrite"
    floor = 0.0

    recipe: Recipe
    count: int = 3
    model: str = "smollm2"
    own: float = 0.5
    seconds: float = 20.0

    def __post_init__(self) -> None:
        named_model(self.model)
        whole("count", self.count, 1, 16)
        bounded("own", self.own, 0, 1)
        bounded("seconds", self.seconds, 0.001, 3600)

    def search(self, context: Context, query: Query, want: int, run: Run) -> Hits:
        """The best ``want``."""

        def find() -> list[str]:
            return rewrites(asked_for(context, self.model, 1, self.seconds), query.text, self.count)

        return searched(context, query, self.recipe, want, run, self.name, find, self.own)
