"""``expand("smollm2", weight=0.3)``: expansion by a passage that a language model writes.

Beside Query2doc and HyDE: Jagerman et al., "Query Expansion by Prompting Large Language Models"
(2023), of whose prompts this is the one without examples. What was written is balanced against the
query by fixed shares, whatever its length; Zhang et al., "Exploring the Best Practices of Query
Expansion with Large Language Models" (2024), also balance it. In part: one text, they sample several
and calibrate them with feedback.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...query import Query
from ..asking import add_texts, asker_of, write_passage
from ..base import Rewrite
from ..context import Context
from ..parameters import check_model, check_number

__all__ = ["Expand"]


@dataclass(frozen=True, slots=True)
class Expand(Rewrite):
    """Adds to the query, with ``weight``, a passage that a language model writes as an answer to
    it.
    """

    name = "expand"
    summary = "adds a passage that a language model writes as an answer to the query"
    source = "Wang, Yang and Wei, Query2doc, 2023; Gao et al., HyDE, 2023"
    needs = ("a language model",)
    cost = "one answer of the model, about 4 s with smollm2; cached"

    model: str = "smollm2"
    weight: float = 0.3
    seconds: float = 20.0

    def check_parameters(self) -> None:
        """Check all of them."""
        check_model(self.model)
        check_number("weight", self.weight, 0, 1)
        check_number("seconds", self.seconds, 0.001, 3600)

    def rewrite(self, context: Context, query: Query) -> Query:
        """The query with the passage's terms and vectors added; its text stays, for rerankers."""
        text = write_passage(asker_of(context, self.model, 1, self.seconds), query.text)
        context.note(f"expand added: {' '.join(text.split())[:200]}")
        return add_texts(context, query, [text], self.weight)
