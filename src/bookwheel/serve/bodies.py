"""Bodies of requests: whole before anything looks at them, within a size and a time, whoever the request is for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .config import Limits

__all__ = ["Bodies", "answer"]


async def answer(send: Send, status: int, sentence: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Answer with one sentence and close the connection: what else it may carry is not read."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    body = json.dumps({"error": {"message": sentence, "type": kind, "code": status}}).encode()
    own = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": [*own, *headers]})
    await send({"type": "http.response.body", "body": body})


class Bodies:
    """ASGI middleware that reads the body of each request before it calls ``app``.

    Too large a body is refused with 413, by its declared length before any of it is read, or as soon as more has come, chunked
    bodies alike; one that does not arrive in time with 408; one for which there is no room beside others with 503.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self.limits = limits
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        chunked = any(name == b"transfer-encoding" for name, _ in scope["headers"])
        if not chunked and (not lengths or lengths == [b"0"]):
            await self.app(scope, receive, send)
            return
        if len(set(lengths)) > 1 or (chunked and lengths) or not all(one.isdigit() and len(one) < 20 for one in lengths):
            await answer(send, 400, "the length of the body is not clear; send one Content-Length, or chunks, not both")
            return
        most = self.limits.body
        if lengths and int(lengths[0]) > most:
            await self._too_large(send)
            return
        taken = 0
        try:
            chunks: list[bytes] = []
            try:
                async with asyncio.timeout(self.limits.body_seconds):
                    while True:
                        message = await receive()
                        if message["type"] == "http.disconnect":
                            return
                        piece = message.get("body", b"")
                        taken += len(piece)
                        self.held += len(piece)
                        chunks.append(piece)
                        if taken > most:
                            await self._too_large(send)
                            return
                        if self.held > self.limits.bodies:
                            await answer(
                                send,
                                503,
                                "other large requests are being read; try again in a moment",
                                [(b"retry-after", b"2")],
                            )
                            return
                        if not message.get("more_body", False):
                            break
            except TimeoutError:
                await answer(send, 408, f"the body did not arrive within {self.limits.body_seconds:g} s; send it faster")
                return
            body: bytes | None = b"".join(chunks)
            chunks.clear()

            async def replay() -> Message:
                nonlocal body
                if body is not None:
                    message, body = {"type": "http.request", "body": body, "more_body": False}, None
                    return message
                return await receive()

            await self.app(scope, replay, send)
        finally:
            self.held -= taken

    async def _too_large(self, send: Send) -> None:
        await answer(send, 413, f"a request's body can have at most {self.limits.body:,} bytes; send less at a time")
