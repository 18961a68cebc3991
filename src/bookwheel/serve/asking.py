"""Questions of requests: what may be asked, and the answer as it comes about. The page, the endpoints and MCP share it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .._deadline import done_by
from .._http import cancelled_by
from ..library.conversations import LONGEST_NAME
from ..library.library import Library
from ..read.answer import Answer
from ..read.answering import Event
from ..read.events import Found, Token
from .config import ServeConfig
from .parameters import parameter
from .recipes import allowed_recipe
from .work import Call

__all__ = ["AskParameters", "answer_of", "as_event", "events_of"]


@dataclass(frozen=True, slots=True)
class AskParameters:
    """What can be asked: the options of `Library.ask` but for the model, which is the server's own."""

    question: str = parameter(doc="what is asked", longest=1 << 15)
    library: str = parameter("", "the library; the first one where it is left out", longest=100)
    write: bool = parameter(True, "whether the server's language model, if it has one, phrases the answer; false: it quotes")
    passages: int = parameter(8, "how many passages are read", least=1, most=100)
    sentences: int = parameter(2, "the most sentences of a quoting answer", least=1, most=100)
    recipe: str | None = parameter(None, "how to rank; the library's own recipe where it is left out", longest=4096)
    where: str | None = parameter(None, "a filter by metadata, as in year >= 2020", longest=4096)
    inside: tuple[str, ...] = parameter((), "folders and files: only what is in one of them is read", longest=4096, many=100)
    threshold: float | None = parameter(None, "refuse below this probability that the passages answer", least=0, most=1)
    unsupported: str = parameter("omit", "what becomes of unsupported sentences of a model", choices=("omit", "mark"))
    hidden: bool = parameter(False, "whether text that readers of a document do not see may be quoted")
    seconds: float | None = parameter(None, "time for the model", least=0)
    history: tuple[str, ...] = parameter((), "earlier questions, oldest first", longest=1 << 15, many=20)
    limits: bool = parameter(True, "whether limits written in the question are taken as such")
    whole: bool = parameter(True, "whether questions about the whole collection are answered by a scan of all documents")
    conversation: str = parameter(
        "",
        "keep the question in this conversation, and understand it by those before; only where it is posted",
        longest=LONGEST_NAME,
    )


def events_of(asked: AskParameters, library: Library, config: ServeConfig, call: Call) -> Iterator[Event]:
    """The evidence, the draft as it is written, and last the answer. Ends, and the model's work with it, when ``call`` is cancelled.

    A conversation is kept in the library, but by a server that is read-only. Raises what `Library.ask_events` does.
    """
    options: dict[str, Any] = {
        name: getattr(asked, name)
        for name in (
            "passages",
            "sentences",
            "where",
            "inside",
            "threshold",
            "unsupported",
            "hidden",
            "history",
            "limits",
            "whole",
        )
    }
    options["recipe"] = allowed_recipe(asked.recipe, library, config)
    options["model"] = config.model if asked.write else None
    kept = asked.conversation and not config.read_only
    options["seconds"] = call.for_models if asked.seconds is None else min(asked.seconds, call.for_models)
    asker = library.conversation(asked.conversation) if kept else library
    with cancelled_by(call.on_cancel), done_by(time.monotonic() + call.for_models):
        events = asker.ask_events(asked.question, **options)
        try:
            while True:
                call.check()
                event = next(events, None)
                if event is None:
                    return
                call.check()
                yield event
        finally:
            if (close := getattr(events, "close", None)) is not None:
                close()


def answer_of(asked: AskParameters, library: Library, config: ServeConfig, call: Call) -> Answer:
    """The last of `events_of`."""
    for event in events_of(asked, library, config, call):
        if isinstance(event, Answer):
            return event
    raise AssertionError("every question ends with an answer")


def as_event(event: Event) -> tuple[str, dict[str, Any]]:
    """Name and data of a server-sent event: ``evidence``, ``token`` (of a draft that nothing was verified of yet), ``answer``."""
    if isinstance(event, Found):
        return "evidence", {"evidence": [one.to_dict() for one in event.evidence]}
    if isinstance(event, Token):
        return "token", {"text": event.text}
    return "answer", event.to_dict()
