"""Follow-up questions: made whole by what was said before, so that search and reading see what is meant.

Without a model, by historical query expansion (the stage `follow_up`), and, where the question has a pronoun and the last answer
names something, by those names; with one, by its rewording, where that keeps to words of the conversation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .._errors import ModelError
from .answer import Spent
from .options import AskOptions

__all__ = ["RECENT", "Completed", "Turn", "complete", "unclear"]

RECENT = 6
"""Earlier questions that are looked at."""
NAMES = 4
"""Names of the last answer that a pronoun may stand for."""
_PRONOUN = re.compile(
    r"\b(?:he|him|his|she|her|hers|they|them|their|theirs|it|its|this|these|those|ones?|er|sie|ihn|ihm|il|elle|ils|elles|él|ella|"
    r"ellos|ellas)\b",
    re.IGNORECASE,
)
_OWN_NAME = re.compile(r"(?<=[\w,;] )[A-Z0-9]\w+")
"""A name, or a number, inside a question: a pronoun after it is likely to mean it."""
_GOING_ON = re.compile(
    r"^\W*(?:and|but|or|so|what about|how about|und|aber|y|pero|et|mais)\b|^\W*(?:why|when|where|who|how|what)\W*(?:\w+\W*){0,2}$",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<![.!?:]\s)(?<!^)\b[A-Z][\w'-]+(?:\s+(?:of\s+|the\s+|de\s+|van\s+|von\s+)?[A-Z][\w'-]+)*")


@dataclass(frozen=True, slots=True)
class Turn:
    """A question of a conversation, and what was answered."""

    question: str
    """As it was understood: complete in itself where that is known."""
    answer: str = ""
    """Empty for a refusal."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A question as it is asked of the documents."""

    question: str
    added: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    spent: Spent = field(default_factory=Spent)


class _Completing(Protocol):
    def complete(self, question: str, history: Sequence[str]) -> tuple[str, tuple[str, ...]]: ...


def unclear(question: str) -> bool:
    """Whether a question may leave something unsaid: it goes on from another, or has a pronoun that means nothing in itself.

    Measured on XQuAD (`bench/follow_ups.py`): completing every question loses a quarter of the right passages after a change of
    topic; completing these, a few.
    """
    pronoun, name = _PRONOUN.search(question), _OWN_NAME.search(question)
    return bool(_GOING_ON.search(question)) or (pronoun is not None and (name is None or pronoun.start() < name.start()))


def complete(collection: _Completing, question: str, turns: Sequence[Turn], options: AskOptions) -> Completed:
    """``question`` with what it leaves unsaid. Never fails: without an answer of the model the words of the conversation do."""
    if not unclear(question):
        return Completed(question)
    recent = list(turns[-RECENT:])
    notes: tuple[str, ...] = ()
    if options.model is not None:
        try:
            return _reworded(question, recent, options)
        except ModelError as error:
            notes = (f"the follow-up was completed without the model: {error}",)
    whole, added = collection.complete(question, [turn.question for turn in recent])
    last = recent[-1].answer if recent else ""
    if last and _PRONOUN.search(question):
        seen = {word.casefold() for word in re.findall(r"\w+", whole)}
        names = [
            name for name in dict.fromkeys(_NAME.findall(last)) if not seen.issuperset(re.findall(r"\w+", name.casefold()))
        ][:NAMES]
        whole, added = " ".join([whole, *names]), (*added, *names)
    return Completed(whole, tuple(added), notes)


def _reworded(question: str, turns: Sequence[Turn], options: AskOptions) -> Completed:
    """The question as the model makes it whole. Raises `ModelError` where what it writes has words from nowhere."""
    from ..language.answer_cache import AnswerCache
    from ..language.ask import Asker
    from ..rank.stages.rewrite.rewrite import standalone_question

    model: Any = options.model
    if isinstance(model, str):
        from ..language.registry import language_model

        model = language_model(model)
    seconds = 20.0 if options.seconds is None else min(options.seconds, 20.0)
    text = standalone_question(Asker(model, AnswerCache(), calls=1, seconds=seconds), question, [t.question for t in turns])
    known = {word.casefold() for turn in turns for word in re.findall(r"\w+", f"{turn.question} {turn.answer}")}
    known |= {word.casefold() for word in re.findall(r"\w+", question)}
    strange = [
        word for word in re.findall(r"\w+", text) if word.casefold() not in known and (word[:1].isupper() or word.isdigit())
    ]
    if strange or len(text) > 4 * len(question) + 200:
        raise ModelError(f"it wrote words that nobody had said ({', '.join(strange[:3]) or 'too many'})")
    prompt, written = model.count_tokens([" ".join(turn.question for turn in turns) + question, text])
    return Completed(text, spent=Spent(1, prompt, written))
