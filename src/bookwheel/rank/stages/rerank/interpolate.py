"""``interpolate(dense, weight=0.5, stop=True)``."""

from __future__ import annotations

from dataclasses import dataclass

from ...._errors import RecipeError
from ....hits import Hits
from ...fusion.forward import interpolated
from ...query import Query
from ...recipe import Recipe, Retrieve
from ..base import Context, ExplainedHits, Rerank, bounded

__all__ = ["Interpolate"]


@dataclass(frozen=True, slots=True)
class Interpolate(Rerank):
    """Re-scores candidates with stored vectors (or another retriever's index), which get ``weight`` of the score."""

    name = "interpolate"
    summary = "re-scores candidates by another retriever, without searching by it"
    source = "Leonhardt et al., Efficient Neural Ranking using Forward Indexes and Lightweight Encoders, 2023 (Fast-Forward)"
    needs = ("the other retriever's index",)
    cost = "about 0.2 ms for 1000 candidates in memory"
    floor = 0.0
    scores_only = True

    by: Recipe
    weight: float = 0.5
    stop: bool = True

    def __post_init__(self) -> None:
        bounded("weight", self.weight, 0, 1)
        if not isinstance(self.by, Retrieve):
            raise RecipeError(f"interpolate scores by one retriever, as in interpolate(dense), not by {self.by}")

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        """The hits in the order of the sum of both normalised scores."""
        assert isinstance(self.by, Retrieve)
        if not len(hits):
            return hits
        name = self.by.name
        tokens = context.representations.get(name) == "tokens"
        retriever = context.token_scorer(name, query) if tokens else context.retriever(name, query)
        found = interpolated(hits, retriever, self.weight, want if self.stop else None)
        return ExplainedHits(
            found.ids,
            found.scores,
            {"first": found.first, self.by.name: found.second},
            {"first": found.raw_first, self.by.name: found.raw_second},
        )
