"""`POST /ask`: an answer, as JSON or as server-sent events; `GET /ask/events`: the same for a browser's EventSource."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response

from ..._printable import as_json
from ..asking import AskParameters, answer_of, as_event, events_of
from ..errors import Refusal
from ..respond import JSON, gone
from ..service import Service
from ..streams import event_stream, message
from ..work import Call

__all__ = ["ask", "ask_events"]


async def ask(request: Request, service: Service, asked: AskParameters) -> Response:
    """The answer with its claims, quotes and evidence; a stream of events where the client accepts that."""
    if "text/event-stream" in request.headers.get("accept", ""):
        return await ask_events(request, service, asked)
    served = service.served(asked.library)

    def work(call: Call) -> bytes:
        library = served.library()
        return as_json({"library": served.name, **answer_of(asked, library, service.config, call).to_dict()}).encode()

    return Response(await service.answer(work, gone(request)), media_type=JSON)


async def ask_events(request: Request, service: Service, asked: AskParameters) -> Response:
    """``evidence``, then ``token`` after ``token`` where a model writes, then ``answer``; ``problem`` where it fails.

    What is linked to (GET and HEAD) keeps no question: a page of another site may link here.
    """
    if asked.conversation and request.method != "POST":
        raise Refusal(
            400,
            "a question that a conversation keeps is posted, not linked to; post it to /ask, with the header "
            "Accept: text/event-stream, or leave out conversation",
        )
    served = service.served(asked.library)

    def items(call: Call) -> Iterator[bytes]:
        for event in events_of(asked, served.library(), service.config, call):
            name, data = as_event(event)
            yield message(data, name)

    return await event_stream(request, service, items)
