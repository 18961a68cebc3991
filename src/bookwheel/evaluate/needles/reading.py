"""Who reads: a model the whole text, or what a recipe selects of it; without a model only the selection is looked at.

So the same questions say whether a text is better read whole or searched: Li et al., "Long Context vs. RAG for LLMs: An Evaluation
and Revisits" (2025). In part: it is measured by needles and by recipes over passages, not by summaries of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..._errors import ModelError
from ...language.prompts import load_prompt
from ...language.protocols import Reply
from .haystack import ANSWER, WRAPPING, Haystack
from .text import Counter

__all__ = ["Read", "reading", "selected"]

PROMPT = "needles"
WORDS_ONLY = ("bm25",)
"""Recipes for which no vectors are made."""


@dataclass(frozen=True, slots=True)
class Read:
    """What came of one question."""

    answer: str | None
    """None without a model."""
    held: float | None
    """The share of the needed sentences that the selection holds; None where the whole text was read."""
    tokens: int
    """Of the prompt, as the model counted them; of the selection where there is no model."""


def reading(
    haystack: Haystack,
    model: Any | None,
    recipe: str | None,
    context: int,
    count: Counter,
    *,
    deadline: float | None,
    ram: str | int | None,
) -> Read:
    """Read ``haystack`` and ask its question. Raises `ModelError`, and what the recipe raises."""
    text, held = haystack.text, None
    if recipe is not None:
        room = context - ANSWER - WRAPPING - sum(count([haystack.task.question]))
        text = selected(haystack.text, haystack.task.question, recipe, room, count, ram)
        held = haystack.held(text)
    if model is None:
        return Read(None, held, sum(count([text])))
    answer, tokens = _asked(model, text, haystack.task.question, deadline)
    return Read(answer, held, tokens or sum(count([text])))


def _asked(model: Any, text: str, question: str, deadline: float | None) -> tuple[str, int]:
    prompt = load_prompt(PROMPT)
    filled, system = prompt.fill(text=text, question=question), prompt.settings.get("system", "")
    if hasattr(model, "stream"):
        reply = Reply()
        answer = "".join(model.stream(filled, system=system, max_tokens=ANSWER, deadline=deadline, reply=reply))
        return answer, reply.prompt_tokens
    answers = model.generate([filled], system=system, max_tokens=ANSWER, deadline=deadline)
    if len(answers) != 1 or not isinstance(answers[0], str):
        raise ModelError(f"the language model {model.name!r} gave no answer to a prompt; it must give one text for each")
    return answers[0], 0


def selected(text: str, question: str, recipe: str, room: int, count: Counter, ram: str | int | None = None) -> str:
    """The passages of ``text`` that ``recipe`` ranks highest for ``question``, in at most ``room`` tokens, in the text's order."""
    with _library(text, recipe, ram) as library:
        found = library.search(question, min(len(text) // 20 + 1, room // 8 + 10), recipe=recipe)
        spans: list[tuple[int, int]] = []
        left = room
        for result, tokens in zip(found, count([one.text + "\n\n" for one in found]), strict=True):
            if tokens > left:
                break
            left -= tokens
            spans.append((result.start, result.end))
    return "\n\n".join(text[start:end] for start, end in sorted(spans))


@contextmanager
def _library(text: str, recipe: str, ram: str | int | None) -> Iterator[Any]:
    from ...documents.document import Document
    from ...library.library import open_library

    settings: dict[str, Any] = {"encoder": None} if recipe in WORDS_ONLY else {}
    with (
        tempfile.TemporaryDirectory(prefix="bookwheel-", ignore_cleanup_errors=True) as folder,
        open_library(Path(folder) / "library", create=True, ram=ram, **settings) as library,
    ):
        library.add([Document("text", text)], workers=1)
        yield library
