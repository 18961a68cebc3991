"""The connections of the server: uvicorn's own protocol, with an end to those that are held open for nothing.

A client may take so long for the head of a request, and so long to take what it asked for. Connections beyond the limit are told
to come again.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from .config import Limits

__all__ = ["protocol"]

WRITING = 60.0
"""Seconds in which a client must take some of what waits for it."""
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\nContent-Length: 0\r\n"
    b"X-Content-Type-Options: nosniff\r\n\r\n"
)
_SAID = (
    b'{"error": {"message": "this is no request of HTTP, or its head is larger than 64 KiB; send long parameters in a body", '
    b'"type": "invalid_request_error", "code": 400}}'
)
WRONG = (
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    b"X-Content-Type-Options: nosniff\r\n\r\n%b" % (len(_SAID), _SAID)
)


def protocol(limits: Limits) -> type[asyncio.Protocol]:
    """The class of connections under these limits."""

    class Connection(H11Protocol):
        _head: asyncio.TimerHandle | None = None
        _stuck: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > limits.connections:
                transport.write(FULL)
                transport.close()
                return
            self._await_head()

        def connection_lost(self, exc: Exception | None) -> None:
            for timer in (self._head, self._stuck):
                if timer is not None:
                    timer.cancel()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self.transport.is_closing():
                return
            before = self.cycle
            super().data_received(data)
            if self.cycle is not before:
                self._head_is_here()
            elif self._head is None and (self.cycle is None or self.cycle.response_complete):
                self._await_head()  # of the next request on the same connection

        def send_400_response(self, msg: str) -> None:
            """What is no request, or has too large a head: as every other error is answered."""
            if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):  # nothing was answered yet
                self.transport.write(WRONG)
            self.transport.close()

        def _await_head(self) -> None:
            self._head = self.loop.call_later(limits.head_seconds, self._late)

        def _head_is_here(self) -> None:
            if self._head is not None:
                self._head.cancel()
                self._head = None

        def _late(self) -> None:
            self._head = None
            if self.cycle is None or self.cycle.response_complete:
                self.transport.abort()

        def pause_writing(self) -> None:
            super().pause_writing()
            if self._stuck is None:
                self._stuck = self.loop.call_later(WRITING, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            if self._stuck is not None:
                self._stuck.cancel()
                self._stuck = None

    return Connection
