"""What is done with a question before it is answered: follow-ups completed, limits taken out, whole-collection questions told apart.

The answer itself is made by `answering`; this is the layer between a person's words and it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from .._errors import QueryError, UsageError
from .answer import Answer
from .answering import Event, Found, model_problems
from .answering import events as answered
from .conversation import Completed, Turn, complete
from .everywhere import MentionList, everywhere
from .limits import Limited, folder_filter, read_limits
from .options import AskOptions
from .protocols import Collection
from .whole import whole_question

__all__ = ["Asked", "ask", "ask_events"]


class Asked(Collection, Protocol):
    """A collection with what reading a question needs of it."""

    def fields(self) -> Sequence[str]:
        """Names that filters can use."""

    def matches(self, where: str) -> bool | None:
        """Whether any document meets a filter; None for a filter that cannot be read."""

    def complete(self, question: str, history: Sequence[str]) -> tuple[str, tuple[str, ...]]:
        """The question with words of the earlier ones that it leaves unsaid, and those words."""

    def count(self, where: str | None) -> int:
        """Documents that meet a filter."""

    def mentions(self, phrases: Sequence[str], where: str | None, together: str) -> MentionList:
        """Every document that has the phrases, with every place."""

    def left_out(self) -> Sequence[str]:
        """One sentence for each damaged passage that the searches so far left out."""


def ask(collection: Asked, question: str, options: AskOptions, turns: Sequence[Turn] = ()) -> Answer:
    """The last of `ask_events`."""
    for event in ask_events(collection, question, options, turns):
        if isinstance(event, Answer):
            return event
    raise AssertionError("every question ends with an answer")


def ask_events(collection: Asked, question: str, options: AskOptions, turns: Sequence[Turn] = ()) -> Iterator[Event]:
    """As `answering.events`, for a question as people write it. ``turns``: those of the conversation before, oldest first."""
    started = time.perf_counter()
    options = _inside(collection, options)
    limited = read_limits(question, collection.fields(), collection.matches) if options.limits else Limited(question)
    if limited.limits and not any(character.isalnum() for character in limited.question):
        raise QueryError(f"the question has only limits ({_told(limited)}); write what is asked, too")
    wanted = limited.question
    turns = turns or tuple(Turn(one) for one in options.history)
    whole = whole_question(wanted) if options.whole else None
    if whole is not None:
        notes = [_limit_note(limited)] if limited.limits else []
        found = everywhere(collection, question, whole, limited.where(options.where), options)
        yield Found(found.evidence)
        notes += model_problems(options)
        yield _finished(found, question, [*notes, *found.notes, *limited.unclear], limited, "", started)
        return
    completed = complete(collection, wanted, turns, options) if turns else Completed(wanted)
    inner = replace(options, where=limited.where(options.where), history=())
    last: Answer | None = None
    for event in answered(collection, completed.question, inner, completed.added):
        if isinstance(event, Answer):
            last = event
        else:
            yield event
    assert last is not None, "every question ends with an answer"
    notes = [_limit_note(limited)] if limited.limits else []
    if last.refused and any(limit.soft for limit in limited.limits):
        soft = ", ".join(limit.told for limit in limited.limits if limit.soft)
        without = replace(inner, where=limited.where(options.where, soft=False))
        # What the person typed, since the words of the limit are words again.
        again = question if all(limit.soft for limit in limited.limits) else completed.question
        other: Answer | None = None
        added = completed.added if again == completed.question else ()
        for event in answered(collection, again, without, added):
            if isinstance(event, Answer):
                other = event
            else:
                yield event
        if other is not None and not other.refused:
            last = other
            firm = [limit for limit in limited.limits if not limit.soft]
            limited = Limited(limited.question, tuple(firm), limited.unclear)
            notes = [*([_limit_note(limited)] if firm else []), f"nothing with {soft} answers; this is without that limit"]
    if completed.added or completed.question != wanted:
        notes.append(f"asked as: {completed.question}")
    notes += completed.notes
    if last.refused and not last.evidence and inner.where is not None and collection.matches(inner.where) is False:
        told = " and ".join(filter(None, [options.where or "", _told(limited)]))
        last = replace(last, reason=f"no document of the library meets the limit {told}; ask without it, or with another")
    if damaged := collection.left_out():
        notes += damaged
        if last.refused and not last.evidence:
            last = replace(last, reason="what was found is damaged, and left out; `bookwheel check` tells what to do")
    yield _finished(last, question, [*notes, *last.notes, *limited.unclear], limited, completed.question, started, completed)


def _inside(collection: Asked, options: AskOptions) -> AskOptions:
    """``options`` with a filter for the folders and files of ``inside``. Raises `UsageError` for one that has nothing."""
    if not options.inside:
        return options
    parts: list[str] = []
    for path in options.inside:
        if (where := folder_filter(path, collection.matches)) is None:
            raise UsageError(
                f"nothing in the library is in {path!r:.200}; name a folder or file as `bookwheel search` shows it"
            )
        parts.append(where)
    inside = " or ".join(parts)
    return replace(options, where=inside if options.where is None else f"({options.where}) and ({inside})", inside=())


def _finished(
    answer: Answer,
    question: str,
    notes: Sequence[str],
    limited: Limited,
    asked: str,
    started: float,
    completed: Completed | None = None,
) -> Answer:
    timings = {**answer.timings, "total": time.perf_counter() - started}
    spent = answer.spent + completed.spent if completed is not None else answer.spent
    return replace(
        answer,
        question=question,
        asked="" if asked == question else asked,
        limits=tuple(limit.told for limit in limited.limits),
        notes=tuple(dict.fromkeys(notes)),
        timings=timings,
        spent=spent,
    )


def _limit_note(limited: Limited) -> str:
    return f"limited to: {_told(limited)}"


def _told(limited: Limited) -> str:
    return ", ".join(limit.told for limit in limited.limits)
