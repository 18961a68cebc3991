"""`/ask`: an answer over its evidence, whole on the page, or as it is written (`/ask/stream`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ..._errors import LibraryEmpty, LibraryNotFound
from ...read.answer import Answer
from ...read.events import Found
from ..asking import AskParameters, answer_of, events_of
from ..errors import told
from ..parameters import parameter
from ..respond import html, site_of
from ..route import Asked
from ..service import Service
from ..streams import event_stream, message
from ..work import Call
from .answers import AnswerView, answer_view, evidence_view

__all__ = ["EARLIER", "AskPageParameters", "AskView", "ask_page", "ask_stream"]

EARLIER = 8
"""Questions that a follow-up question remembers."""


@dataclass(frozen=True, slots=True)
class AskPageParameters:
    """What `/ask` takes."""

    q: str = parameter("", "the question")
    library: str = parameter("", "the library; the first one where it is left out", longest=100)
    where: tuple[str, ...] = parameter((), "a filter by metadata; of several all must hold", longest=4096, many=20)
    after: tuple[str, ...] = parameter((), "earlier questions, oldest first", many=EARLIER)

    @property
    def filter(self) -> str | None:
        """All of ``where`` as one filter."""
        return " and ".join(f"({one})" for one in self.where) or None

    @property
    def question(self) -> AskParameters:
        """The same as endpoints take it."""
        return AskParameters(self.q, where=self.filter, history=self.after, unsupported="mark")


@dataclass(frozen=True, slots=True)
class AskView:
    """A question with its answer."""

    question: str
    answer: AnswerView | None = None
    whole: Answer | None = None
    problem: str = ""
    after: tuple[str, ...] = ()
    """The questions that a follow-up to this one remembers."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        answer = {} if self.whole is None else self.whole.to_dict()
        return {**({"question": self.question} | answer), **({"problem": self.problem} if self.problem else {})}


def ask_page(asked: AskPageParameters, request: Asked) -> AskView:
    """Ask; without a question nothing is answered yet."""
    if not request.served.exists:
        return AskView(asked.q, problem=request.empty)
    if not asked.q.strip():
        return AskView("", after=asked.after)
    library = request.library
    try:
        answer = answer_of(asked.question, library, request.config, request.call)
    except (LibraryEmpty, LibraryNotFound):
        return AskView(asked.q, problem=request.empty)
    return _view(asked, answer)


def _view(asked: AskPageParameters, answer: Answer) -> AskView:
    view = answer_view(answer.to_dict(), asked.library, answer.everywhere)
    return AskView(asked.q, view, answer, after=(*asked.after, asked.q)[-EARLIER:])


async def ask_stream(request: Request, service: Service, asked: AskPageParameters) -> Response:
    """The parts of the page as events: ``found`` (the evidence), ``draft`` (pieces of text), ``answer``, ``problem``.

    Each is JSON: a string of HTML made by the templates, in which all text of documents and models is escaped; of a draft the
    text itself.
    """
    served = service.served(asked.library)

    def items(call: Call) -> Iterator[bytes]:
        library = served.library()
        for event in events_of(asked.question, library, service.config, call):
            if isinstance(event, Answer):
                shown = html("answer.html", view=_view(asked, event), asked=asked, site=site_of(service), library=served.name)
                yield _event("answer", shown.decode())
            elif isinstance(event, Found):
                sources = [evidence_view(one.to_dict(), asked.library) for one in event.evidence]
                yield _event("found", html("evidence.html", sources=sources).decode())
            else:
                yield _event("draft", event.text)

    return await event_stream(request, service, items, problem=lambda error: _event("problem", told(error)[1]))


def _event(kind: str, data: str) -> bytes:
    return message(json.dumps(data), kind)
