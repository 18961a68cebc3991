"""``rewrite("smollm2")``: searches a language model's wording of the query.

Sources: Ma et al., "Query Rewriting for Retrieval-Augmented Large Language Models" (2023), and
Kachuee et al., "Improving Tool Retrieval by Leveraging Large Language Models for Query Generation"
(2024). In part: by a prompt, as they begin; no rewriter is trained by what is then found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....language.ask import Asker
from ....language.prompts import load_prompt
from ...query import Query
from ..asking import asker_of, listed, non_empty, on_one_line, write_queries
from ..base import Rewrite
from ..context import Context
from ..parameters import check_model, check_number

__all__ = ["RewriteQuery", "standalone_question"]

RECENT = 6
"""Earlier questions that the model is shown."""


def standalone_question(asker: Asker, query: str, history: Sequence[str], prompt: str = "follow_up") -> str:
    """A follow-up question rewritten so that it can be understood alone. Raises `ModelError`.

    Vakulenko et al., "Question Rewriting for Conversational Question Answering" (2021).
    ``history``: the earlier questions, oldest first.
    """
    said = "\n".join(f"- {on_one_line(one)}" for one in history[-RECENT:])
    answer = asker.ask(load_prompt(prompt), query=on_one_line(query), history=said)
    return non_empty(listed(answer, "")[:1], "did not rewrite the question")[0]


@dataclass(frozen=True, slots=True)
class RewriteQuery(Rewrite):
    """Searches what a language model makes of the query; in a conversation, a question that can be
    understood alone.
    """

    name = "rewrite"
    summary = "has a language model say the query in other words, or complete a follow-up question"
    source = "Ma et al., Query Rewriting for Retrieval-Augmented Large Language Models, 2023"
    needs = ("a language model",)
    cost = "one answer of the model, about 2 s with smollm2; cached"

    model: str = "smollm2"
    prompt: str = "rewrite"
    seconds: float = 20.0

    def check_parameters(self) -> None:
        """Check the model's name and ``seconds``."""
        check_model(self.model)
        check_number("seconds", self.seconds, 0.001, 3600)

    def rewrite(self, context: Context, query: Query) -> Query:
        """The query with the model's text."""
        asker = asker_of(context, self.model, 1, self.seconds)
        if query.history:
            text = standalone_question(asker, query.text, query.history)
        else:
            text = write_queries(asker, query.text, 1, self.prompt)[0]
        context.note(f"rewrite: {text}")
        return query.with_text(text)
