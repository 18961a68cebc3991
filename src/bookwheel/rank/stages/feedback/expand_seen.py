"""``bm25 >> expand_seen("smollm2", docs=3) >> bm25``: expansion by a passage written after reading
the first ones found.
"""

from __future__ import annotations

from dataclasses import dataclass

from ....hits import Hits
from ...query import Query
from ..asking import add_texts, asker_of, write_passage
from ..base import Feedback
from ..context import Context
from ..parameters import check_model, check_number, check_whole

__all__ = ["ExpandSeen"]


@dataclass(frozen=True, slots=True)
class ExpandSeen(Feedback):
    """Adds to the query, with ``weight``, a passage that a language model writes after reading the
    first ``docs`` passages.
    """

    name = "expand_seen"
    summary = "adds a passage that a language model writes after reading the first passages found"
    source = "Shen et al., Large Language Models are Strong Zero-Shot Retriever, 2023 (LameR)"
    needs = ("a language model", "texts")
    cost = "one answer of the model, about 5 s with smollm2; cached"

    model: str = "smollm2"
    docs: int = 3
    weight: float = 0.3
    seconds: float = 20.0

    def check_parameters(self) -> None:
        """Check all of them."""
        check_model(self.model)
        check_whole("docs", self.docs, 1, 50)
        check_number("weight", self.weight, 0, 1)
        check_number("seconds", self.seconds, 0.001, 3600)

    def depth(self) -> int:
        """The number of passages that the model reads."""
        return self.docs

    def feed(self, context: Context, query: Query, hits: Hits) -> Query:
        """The query with the passage's terms and vectors added; its text stays, for rerankers."""
        passages = context.texts(hits.ids[: self.docs])
        text = write_passage(asker_of(context, self.model, 1, self.seconds), query.text, passages)
        context.note(f"expand_seen added: {' '.join(text.split())[:200]}")
        return add_texts(context, query, [text], self.weight)
