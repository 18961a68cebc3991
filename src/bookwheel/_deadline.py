"""Requests of httpx that end in time, and that another thread can break off; and the time by which models are to be done.

httpx bounds the silence between two bytes only: headers may trickle in for days, and interim answers (100) come without end. So
every read of a connection is bounded by a time of the thread that reads.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

__all__ = ["clock", "done_by", "until", "watch"]

_latest: ContextVar[float] = ContextVar("bookwheel_done_by", default=float("inf"))


@contextmanager
def done_by(latest: float) -> Iterator[None]:
    """While in use, `until` gives no time after ``latest`` (of ``time.monotonic()``) to this thread.

    The seconds that a question may give to its model begin when the model does; a request must be answered by a certain time,
    however long it took to find passages, or to load the model.
    """
    token = _latest.set(min(latest, _latest.get()))
    try:
        yield
    finally:
        with suppress(ValueError):  # a generator that is closed by another thread than the one it ran in
            _latest.reset(token)


def until(seconds: float) -> float:
    """The time of ``time.monotonic()`` in ``seconds``, or that of `done_by` where it is sooner."""
    return min(time.monotonic() + seconds, _latest.get())


class _Clock(threading.local):
    until = float("inf")
    heard = 0.0


clock = _Clock()
"""Until when (a time of ``time.monotonic()``) this thread reads from connections that are watched, and when it last read something."""


def watch(
    httpx: Any, on_cancel: Callable[[Callable[[], object]], object] | None = None
) -> Callable[[str, Mapping[str, Any]], None]:
    """The extension ``trace`` of a request, which bounds the connection that it opens, and hands ``on_cancel`` what breaks it off."""

    def look(name: str, info: Mapping[str, Any]) -> None:
        if name in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            stream = info["return_value"]
            _bound(stream, httpx)
            if on_cancel is not None:
                on_cancel(lambda: _cut(stream))

    return look


def _bound(stream: Any, httpx: Any) -> None:
    """Let no read of a stream of httpcore go on after the time of the thread that reads is up."""
    read = stream.read

    def bounded(most: int, timeout: float | None = None) -> Any:
        left = clock.until - time.monotonic()
        if left <= 0:
            raise httpx.ReadTimeout("no time is left")
        if left < float("inf"):
            timeout = left if timeout is None else min(timeout, left)
        found = read(most, timeout)
        clock.heard = time.monotonic()
        return found

    with suppress(AttributeError):
        stream.read = bounded


def _cut(stream: Any) -> None:
    """Close the socket under a stream, from another thread than the one that reads it."""
    found = stream.get_extra_info("socket")
    if found is not None:
        with suppress(OSError):
            found.shutdown(socket.SHUT_RDWR)
