"""``expand("smollm2", weight=0.3)``."""

from __future__ import annotations

from dataclasses import dataclass

from ...query import Query
from ...rewrite.applied import added, asked_for, named_model
from ...rewrite.methods import expansion
from ..base import Context, Rewrite, bounded

__all__ = ["Expand"]


@dataclass(frozen=True, slots=True)
class Expand(Rewrite):
    """Adds to the query, with ``weight``, a passage that a language model writes in answer to it."""

    name = "expand"
    summary = "adds a passage that a language model writes in answer to the query"
    source = "Wang, Yang and Wei, Query2doc, 2023; Gao et al., HyDE, 2023"
    needs = ("a language model",)
    cost = "one answer of the model: about 4 s with smollm2; kept for the next time"

    model: str = "smollm2"
    weight: float = 0.3
    seconds: float = 20.0

    def __post_init__(self) -> None:
        named_model(self.model)
        bounded("weight", self.weight, 0, 1)
        bounded("seconds", self.seconds, 0.001, 3600)

    def rewrite(self, context: Context, query: Query) -> Query:
        """The query with weighted terms and turned vectors; its text stays, for rerankers."""
        text = expansion(asked_for(context, self.model, 1, self.seconds), query.text)
        context.note(f"expand added: {' '.join(text.split())[:200]}")
        return added(context, query, [text], self.weight)
