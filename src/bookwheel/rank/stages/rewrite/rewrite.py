"""``rewrite("smollm2")``."""

from __future__ import annotations

from dataclasses import dataclass

from ...query import Query
from ...rewrite.applied import asked_for, named_model
from ...rewrite.methods import follow_up, rewrites
from ..base import Context, Rewrite, bounded

__all__ = ["RewriteQuery"]


@dataclass(frozen=True, slots=True)
class RewriteQuery(Rewrite):
    """Searches for what a language model makes of the query; in a conversation, for a question that stands alone."""

    name = "rewrite"
    summary = "has a language model say the query in other words, or complete a follow-up question"
    source = "Ma et al., Query Rewriting for Retrieval-Augmented Large Language Models, 2023"
    needs = ("a language model",)
    cost = "one answer of the model: about 2 s with smollm2; kept for the next time"

    model: str = "smollm2"
    prompt: str = "rewrite"
    seconds: float = 20.0

    def __post_init__(self) -> None:
        named_model(self.model)
        bounded("seconds", self.seconds, 0.001, 3600)

    def rewrite(self, context: Context, query: Query) -> Query:
        """The query with the model's text."""
        asked = asked_for(context, self.model, 1, self.seconds)
        if query.history:
            text = follow_up(asked, query.text, query.history)
        else:
            text = rewrites(asked, query.text, 1, self.prompt)[0]
        context.note(f"rewrite: {text}")
        return query.with_text(text)
