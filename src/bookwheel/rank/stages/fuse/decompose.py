"""``decompose(bm25, count=3, model="smollm2")``."""

from __future__ import annotations

from dataclasses import dataclass

from ....hits import Hits
from ...query import Query
from ...recipe import Recipe
from ...rewrite.applied import asked_for, named_model, searched
from ...rewrite.methods import decomposed
from ..base import Context, Run, Search, bounded, whole

__all__ = ["Decompose"]


@dataclass(frozen=True, slots=True)
class Decompose(Search):
    """Runs a recipe for the query and for the simpler questions it is made of, and fuses; ``own`` is the query's share.

    ``aspects`` does so without a model, for queries that name their aspects.
    """

    name = "decompose"
    summary = "searches for the simpler questions that a language model splits the query into, and fuses"
    source = "Press et al., Measuring and Narrowing the Compositionality Gap in Language Models, 2023"
    needs = ("a language model",)
    cost = "one answer of the model (about 3 s with smollm2; kept), and the recipe once a question"
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
            return decomposed(asked_for(context, self.model, 1, self.seconds), query.text, self.count)

        return searched(context, query, self.recipe, want, run, self.name, find, self.own)
