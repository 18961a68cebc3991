"""``bm25 >> expand_seen("smollm2", docs=3) >> bm25``."""

from __future__ import annotations

from dataclasses import dataclass

from ....hits import Hits
from ...query import Query
from ...rewrite.applied import added, asked_for, named_model
from ...rewrite.methods import expansion
from ..base import Context, Feedback, bounded, whole

__all__ = ["ExpandSeen"]


@dataclass(frozen=True, slots=True)
class ExpandSeen(Feedback):
    """Adds to the query a passage that a language model writes after reading the first ``docs`` passages found."""

    name = "expand_seen"
    summary = "adds a passage that a language model writes after reading the first passages found"
    source = "Shen et al., Large Language Models are Strong Zero-Shot Retriever, 2023 (LameR)"
    needs = ("a language model", "texts")
    cost = "one answer of the model: about 5 s with smollm2; kept for the next time"

    model: str = "smollm2"
    docs: int = 3
    weight: float = 0.3
    seconds: float = 20.0

    def __post_init__(self) -> None:
        named_model(self.model)
        whole("docs", self.docs, 1, 50)
        bounded("weight", self.weight, 0, 1)
        bounded("seconds", self.seconds, 0.001, 3600)

    def depth(self) -> int:
        """The passages read."""
        return self.docs

    def feed(self, context: Context, query: Query, hits: Hits) -> Query:
        """The query with weighted terms and turned vectors."""
        passages = context.texts(hits.ids[: self.docs])
        text = expansion(asked_for(context, self.model, 1, self.seconds), query.text, passages)
        context.note(f"expand_seen added: {' '.join(text.split())[:200]}")
        return added(context, query, [text], self.weight)
