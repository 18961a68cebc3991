"""One conversation: questions that follow each other, each understood by what was asked and answered before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .._errors import BookwheelError
from ..read.answer import Answer
from ..read.answering import Event
from ..read.conversation import RECENT, Turn
from ..read.options import AskOptions
from .conversations import Conversations, KeptTurn, checked_name
from .search_options import with_options

if TYPE_CHECKING:
    from .questions import Questions

__all__ = ["NOT_KEPT", "Conversation"]

NOT_KEPT = "this question is not kept: "
"""So begins the note of an answer that could not be kept; why follows."""


class Conversation:
    """The conversation ``name`` of a library; it begins with its first question. Use `Library.conversation` to get one."""

    def __init__(self, library: Questions, name: str) -> None:
        self.name = checked_name(name)
        self._library = library
        self._kept = Conversations(library.path)
        self._here: list[Turn] = []
        """What was asked here and could not be kept."""

    @with_options(AskOptions)
    def ask(self, question: str, options: AskOptions) -> Answer:
        """As `Library.ask`; what ``question`` leaves unsaid is taken from the questions before it, and it is kept.

        Where nothing can be kept, the answer's notes say so.
        """
        for event in self._events(question, options):
            if isinstance(event, Answer):
                return event
        raise AssertionError("every question ends with an answer")

    @with_options(AskOptions)
    def ask_events(self, question: str, options: AskOptions) -> Iterator[Event]:
        """As `Library.ask_events`."""
        return self._events(question, options)

    def _events(self, question: str, options: AskOptions) -> Iterator[Event]:
        # What is given here was asked since what is kept: the page's question, or the command line's, follows it.
        turns = [*(kept.turn() for kept in self._kept.turns(self.name, RECENT)), *self._here, *map(Turn, options.history)]
        for event in self._library._asked(question, replace(options, history=()), turns[-RECENT:]):
            if isinstance(event, Answer):
                event = self.keep(event)
            yield event

    def keep(self, answer: Answer) -> Answer:
        """Add a question that was asked apart from the conversation; returns ``answer``, with a note where it cannot be kept."""
        try:
            self._kept.keep(self.name, answer)
        except BookwheelError as error:
            self._here.append(Turn(answer.asked or answer.question, "" if answer.refused else answer.text))
            return replace(answer, notes=(*answer.notes, f"{NOT_KEPT}{error}"))
        return answer

    @property
    def turns(self) -> list[KeptTurn]:
        """The questions that are kept, oldest first. Raises `LibraryDamaged`."""
        return self._kept.turns(self.name)

    def __len__(self) -> int:
        """Questions that are kept."""
        return len(self.turns)

    def __bool__(self) -> bool:
        return True

    def export(self) -> dict[str, Any]:
        """All that is kept of it, for JSON."""
        return {"name": self.name, "library": str(self._library.path), "turns": [turn.to_dict() for turn in self.turns]}

    def forget(self) -> int:
        """Delete it from the disk; returns how many questions it had."""
        self._here.clear()
        with suppress(FileNotFoundError):
            if self.name in {one.name for one in self._kept.names()}:
                return self._kept.forget([self.name])
        return 0

    def __repr__(self) -> str:
        return f"<conversation {self.name!r} of {str(self._library.path)!r}>"
