"""`/conversations` and `/conversation`: questions that are kept, and the next one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ...library.conversation import NOT_KEPT
from ...library.conversations import LONGEST_NAME, ConversationInfo, KeptTurn
from ...read.answer import Answer
from ..asking import answer_of
from ..errors import Refusal
from ..parameters import parameter
from ..route import Asked
from ..service import ReadOnly
from .answers import AnswerView, answer_view
from .ask import EARLIER, AskPageParameters
from .links import link, named

__all__ = [
    "ConversationParameters",
    "ConversationView",
    "ConversationsParameters",
    "ConversationsView",
    "conversation_page",
    "conversations_page",
]

LAST = 50
"""Questions of a conversation that are shown, the last ones."""


@dataclass(frozen=True, slots=True)
class ConversationsParameters:
    """What `/conversations` takes."""

    library: str = parameter("", "the library; the first one where it is left out", longest=100)


@dataclass(frozen=True, slots=True)
class ConversationsView:
    """The conversations that are kept."""

    kept: list[tuple[ConversationInfo, str]]
    """Each with its address."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"conversations": [one.to_dict() for one, _ in self.kept]}


def conversations_page(asked: ConversationsParameters, request: Asked) -> ConversationsView:
    """List them."""
    if not request.served.exists:
        return ConversationsView([])
    library = named(request)
    return ConversationsView(
        [(one, link("/conversation", name=one.name, library=library)) for one in request.library.conversations()]
    )


@dataclass(frozen=True, slots=True)
class ConversationParameters:
    """What `/conversation` takes."""

    name: str = parameter("", "the conversation", longest=LONGEST_NAME)
    library: str = parameter("", "the library; the first one where it is left out", longest=100)
    q: str = parameter("", "the next question; only where the form is posted, since it is kept")
    where: tuple[str, ...] = parameter((), "with q: a filter by metadata; of several all must hold", longest=4096, many=20)
    after: tuple[str, ...] = parameter((), "with q: earlier questions that are not kept, oldest first", many=EARLIER)
    alone: bool = parameter(False, "with q: understand it by after alone, as /ask does, not by what the conversation has")
    forget: bool = parameter(False, "delete the conversation from the disk; only where the form is posted")


@dataclass(frozen=True, slots=True)
class ConversationView:
    """A conversation."""

    name: str
    turns: list[tuple[KeptTurn, AnswerView]]
    """A question that could not be kept is the last of them, with the number 0 and a note that says why."""
    forgotten: int = 0
    earlier: int = 0
    """Questions before those that are shown."""
    after: tuple[str, ...] = ()
    """Questions that the next one follows and that are not kept."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"name": self.name, "turns": [turn.to_dict() for turn, _ in self.turns], "forgotten": self.forgotten}


def conversation_page(asked: ConversationParameters, request: Asked) -> ConversationView:
    """Show it; where a question is posted, answer that first, and keep it."""
    if not asked.name.strip():
        raise Refusal(400, "a conversation needs a name; give it one when you keep a question")
    changes = bool(asked.q.strip()) or asked.forget
    if changes and request.method != "POST":
        raise Refusal(405, "what is kept or forgotten is posted, not linked to", {"Allow": "POST"})
    if changes and request.config.read_only:
        raise ReadOnly("this server is read-only: it keeps and forgets no questions")
    library = request.library
    conversation = library.conversation(asked.name)
    if asked.forget:
        return ConversationView(conversation.name, [], conversation.forget())
    unkept: list[KeptTurn] = []
    after: tuple[str, ...] = ()
    if asked.q.strip():
        page = AskPageParameters(asked.q, where=asked.where, after=asked.after)
        question = page.question if asked.alone else replace(page.question, conversation=conversation.name)
        answer = answer_of(question, library, request.config, request.call)
        if asked.alone:
            answer = conversation.keep(answer)
        if any(note.startswith(NOT_KEPT) for note in answer.notes):
            unkept.append(_unkept(answer))
            after = (*asked.after, asked.q)[-EARLIER:]
    turns = conversation.turns
    if not turns and not asked.q:
        raise Refusal(404, f"there is no conversation {asked.name!r:.200}; the page Conversations lists those that are kept")
    shown = [(turn, answer_view(turn.answer, named(request))) for turn in (*turns[-LAST:], *unkept)]
    return ConversationView(conversation.name, shown, 0, max(0, len(turns) - LAST), after)


def _unkept(answer: Answer) -> KeptTurn:
    """What can only be shown."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return KeptTurn(0, now, answer.question, answer.asked or answer.question, answer.to_dict())
