"""One conversation with a library on a server: as `library.conversation.Conversation`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..library.conversations import KeptTurn, checked_name
from ..read.answer import Answer
from ..read.answering import Event
from .received import received, turn_from

if TYPE_CHECKING:
    from .client import RemoteLibrary

__all__ = ["RemoteConversation"]


class RemoteConversation:
    """The conversation ``name`` of a library; it begins with its first question. Use `RemoteLibrary.conversation` to get one."""

    def __init__(self, library: RemoteLibrary, name: str) -> None:
        self.name = checked_name(name)
        self._library = library

    def ask(self, question: str, **options: Any) -> Answer:
        """As `Conversation.ask`, with the options of `RemoteLibrary.ask`."""
        return self._library.ask(question, conversation=self.name, **options)

    def ask_events(self, question: str, **options: Any) -> Iterator[Event]:
        """As `Conversation.ask_events`."""
        return self._library.ask_events(question, conversation=self.name, **options)

    @property
    def turns(self) -> list[KeptTurn]:
        """The questions that are kept, oldest first; the last fifty of them."""
        params = {"name": self.name, **self._library._named()}
        status, told = self._library._server.request("GET", "/conversation.json", params=params, none=404)
        return [] if status == 404 else received(lambda: [turn_from(one) for one in told["turns"]])

    def __len__(self) -> int:
        """Questions that are kept."""
        return len(self.turns)

    def __bool__(self) -> bool:
        return True

    def export(self) -> dict[str, Any]:
        """All that is kept of it, for JSON."""
        return {"name": self.name, "library": self._library.url, "turns": [turn.to_dict() for turn in self.turns]}

    def forget(self) -> int:
        """Delete it on the server; returns how many questions it had."""
        told = self._library._post("/conversation.json", {"name": self.name, "forget": True})
        return received(lambda: int(told["forgotten"]))

    def __repr__(self) -> str:
        return f"<conversation {self.name!r} at {self._library.url}>"
