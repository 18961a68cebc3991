"""The pool in which requests are worked on: bounded in number and in time, and told when nobody waits for the answer any more.

Library calls block, so they run in threads. A thread cannot be stopped; what it does can ask `Call.cancelled` between two
steps (`Call.check` raises `Cancelled`), and what it waits for can be closed by `Call.on_cancel` (a connection to a model).
A request whose time is up is answered at once, and its thread counts as taken until it is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

__all__ = ["Busy", "Call", "Cancelled", "Pool", "TooSlow"]

T = TypeVar("T")


class Busy(Exception):
    """More is asked at this moment than is taken on; try again in ``seconds``."""

    def __init__(self, sentence: str, seconds: float = 1.0) -> None:
        super().__init__(sentence)
        self.seconds = max(1, math.ceil(seconds))


class TooSlow(Busy):
    """A request took longer than the ``seconds`` it may."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"this took longer than {seconds:g} s, and was given up; ask for less, or try again later", 5)


class Cancelled(Exception):
    """Nobody waits for the answer any more."""


class Call:
    """One piece of work in a thread, and whether its answer is still wanted. Thread-safe."""

    __slots__ = ("_closing", "_lock", "cancelled", "until")

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds
        """A time of ``time.monotonic()`` at which it is to be done."""
        self.cancelled = False
        self._closing: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    @property
    def left(self) -> float:
        """Seconds until then; 0 where they are up."""
        return max(0.0, self.until - time.monotonic())

    @property
    def for_models(self) -> float:
        """Seconds that models may take of those that are left: what follows them, and the answer without them, need some too."""
        left = self.left
        return left - min(left / 2, max(1.0, left / 50))

    def check(self) -> None:
        """Raise `Cancelled` where nobody waits any more."""
        if self.cancelled:
            raise Cancelled

    def on_cancel(self, close: Callable[[], object]) -> None:
        """Run ``close`` (from another thread) when it is cancelled; at once where it is already."""
        with self._lock:
            if not self.cancelled:
                self._closing.append(close)
                return
        close()

    def cancel(self) -> None:
        """Say that nobody waits any more."""
        with self._lock:
            self.cancelled = True
            closing, self._closing = self._closing, []
        for close in closing:
            with contextlib.suppress(Exception):
                close()


class Pool:
    """``threads`` threads, and room for ``waiting`` more pieces of work."""

    def __init__(self, threads: int, waiting: int) -> None:
        self.threads, self.waiting = threads, waiting
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="bookwheel-serve")
        self._calls: set[Call] = set()
        self._lock = threading.Lock()

    @property
    def active(self) -> int:
        """Pieces of work that run or wait."""
        return len(self._calls)

    async def run(self, work: Callable[[Call], T], seconds: float, gone: Callable[[], Awaitable[Any]] | None = None) -> T:
        """``work(call)`` in a thread. ``gone`` returns when the client is gone, whereupon the call is cancelled.

        Raises `Busy` where too much waits already, `TooSlow` after ``seconds``, `Cancelled`, and what ``work`` raises.
        """
        call, future = self.start(work, seconds)
        waiting = asyncio.wrap_future(future)
        leaving = asyncio.ensure_future(gone()) if gone is not None else None
        try:
            if leaving is None:
                done, _ = await asyncio.wait((waiting,), timeout=seconds)
            else:
                done, _ = await asyncio.wait((waiting, leaving), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if waiting in done:
                return waiting.result()
            self._give_up(call, future, waiting)
            if leaving in done:
                raise Cancelled
            raise TooSlow(seconds)
        except asyncio.CancelledError:
            self._give_up(call, future, waiting)
            raise
        finally:
            if leaving is not None:
                leaving.cancel()

    @staticmethod
    def _give_up(call: Call, future: Future[Any], waiting: asyncio.Future[Any]) -> None:
        call.cancel()
        future.cancel()
        waiting.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody else looks at it

    def start(self, work: Callable[[Call], T], seconds: float) -> tuple[Call, Future[T]]:
        """Begin ``work(call)`` in a thread. Raises `Busy`."""
        call = Call(seconds)
        with self._lock:
            if len(self._calls) >= self.threads + self.waiting:
                raise Busy(f"the server works on {self.threads} requests and {self.waiting} wait; try again in a moment")
            self._calls.add(call)
        try:
            future = self._executor.submit(work, call)
        except RuntimeError:
            self._ended(call)
            raise Busy("the server is shutting down; try again later") from None
        future.add_done_callback(lambda _: self._ended(call))
        return call, future

    def _ended(self, call: Call) -> None:
        with self._lock:
            self._calls.discard(call)

    def cancel(self) -> None:
        """Cancel everything that runs or waits."""
        with self._lock:
            calls = list(self._calls)
        for call in calls:
            call.cancel()

    def close(self, seconds: float) -> bool:
        """Cancel everything and wait for so long; returns whether every thread is done."""
        self.cancel()
        self._executor.shutdown(wait=False, cancel_futures=True)
        until = time.monotonic() + seconds
        while self._calls and time.monotonic() < until:
            time.sleep(0.02)
        return not self._calls
