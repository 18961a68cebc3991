"""Server-sent events: `EventStream` sends what an iterator in a thread makes, and ends its work when the client is gone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .._printable import as_json
from .errors import told
from .respond import error_body, gone
from .service import Service
from .work import Call, Cancelled

__all__ = ["EventStream", "event_stream", "message"]

SILENCE = 10.0
"""Seconds after which a comment is sent, so that nothing between takes the connection for dead."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def message(data: Any, name: str = "") -> bytes:
    """One event; ``data`` as JSON, or a text as it is."""
    text = data if isinstance(data, str) else as_json(data)
    lines = "".join(f"data: {line}\n" for line in text.splitlines() or [""])
    return (f"event: {name}\n{lines}\n" if name else f"{lines}\n").encode()


async def event_stream(
    request: Request,
    service: Service,
    items: Callable[[Call], Iterator[bytes]],
    *,
    problem: Callable[[BaseException], bytes] = lambda error: message(error_body(*told(error)[:2], error), "problem"),
) -> Response:
    """The answer that sends ``items(call)``, messages made in a thread.

    What goes wrong before the first message is raised, and answered with a status of its own; after it, it is told by
    ``problem(error)``, in the stream.
    """
    messages = service.stream(items, gone(request))
    first = await anext(messages, b"")
    return EventStream(first, messages, problem)


class EventStream(Response):
    """A stream of server-sent events."""

    media_type = "text/event-stream"

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes, None], problem: Callable[[BaseException], bytes]) -> None:
        super().__init__(None, headers=HEADERS, media_type=self.media_type)
        del self.headers["content-length"]
        self._first, self._rest, self._problem = first, rest, problem

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self._first, "more_body": True})
        following: asyncio.Future[bytes] | None = None
        try:
            while True:
                following = asyncio.ensure_future(anext(self._rest, b""))
                while not (await asyncio.wait((following,), timeout=SILENCE))[0]:
                    await send({"type": "http.response.body", "body": b": waiting\n\n", "more_body": True})
                body = following.result()
                if not body:
                    break
                await send({"type": "http.response.body", "body": body, "more_body": True})
        except Cancelled:
            return
        except Exception as error:
            await send({"type": "http.response.body", "body": self._problem(error), "more_body": True})
        finally:
            if following is not None and not following.done():
                following.cancel()
                with contextlib.suppress(BaseException):
                    await following
            await self._rest.aclose()
        await send({"type": "http.response.body", "body": b"", "more_body": False})
