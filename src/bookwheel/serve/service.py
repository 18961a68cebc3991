"""The libraries of a server: opened once, read at their newest generation, written by one at a time.

Pages, endpoints, MCP, watching and background work all go through here:

    service.served("papers")                  a `Served`; KeyError-free: `UnknownLibrary` (404) for a name that is none
    served.library()                          its `Library` at the newest generation; opens it when first asked (blocks)
    served.write(work)                        `work(library)` while nobody else here writes (blocks); refused when read-only
    await service.run(work, gone)             `work(call)` in a thread of the pool, within the limits
    async for event in service.stream(...)    the items of an iterator that blocks, as they come

What blocks runs in a thread: of `Service.pool`; of `Service.answering` where a model may take minutes; of `Service.writing` where
it may wait for another writer; or of its own, for background work, which takes `Served.write` for a piece of work at a time, so
that a request that writes gets its turn. Searches wait for none of the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .._errors import BookwheelError, LibraryChanged, UsageError
from .._paths import MANIFEST, no_library
from ..library.library import Library, open_library
from .config import ServeConfig
from .jobs import Jobs
from .work import Busy, Call, Pool, TooSlow

if TYPE_CHECKING:
    from .route import Part

__all__ = ["ReadOnly", "Served", "Service", "UnknownLibrary"]

T = TypeVar("T")
RECENT = 2.0
"""Seconds for which a manifest is read again though it looks the same: clocks of file systems are coarse."""
WRITING = 30.0
"""Seconds that a request waits for another writer of this process, or of another one."""
GRACE = 1.0
"""Seconds after its time is up for which what a stream still makes is taken."""
ENDING = 3.0
"""Seconds that requests under way get to end."""


class UnknownLibrary(UsageError):
    """A name that no library is served under."""


class ReadOnly(BookwheelError):
    """The server changes nothing."""


class Served:
    """One library of the server. Safe to use from several threads."""

    def __init__(self, name: str, path: Path, config: ServeConfig) -> None:
        self.name, self.path = name, path
        self.read_only = config.read_only
        self.since = time.time()
        """When the server was started."""
        self.ram = config.ram
        self._library: Library | None = None
        self._seen: tuple[int, int, int] | None = None
        self._opening = threading.Lock()
        self._writing = threading.Lock()
        self.errors: list[tuple[float, str]] = []
        """When (seconds since 1970) and what went wrong in background work, the newest last; the page shows them."""

    def library(self, *, create: bool = False) -> Library:
        """The library at its newest generation. Raises `LibraryNotFound` where there is none and ``create`` is false."""
        state = self._state()
        library = self._library
        if library is not None and state is not None and state == self._seen:
            return library
        with self._opening:
            if state is None:
                if not create or self.read_only:
                    self._library = self._seen = None
                    raise no_library(self.path)
                self._library = open_library(self.path, create=True, ram=self.ram, wait=WRITING)
            elif self._library is None:
                self._library = open_library(self.path, ram=self.ram, wait=WRITING)
            else:
                self._library.refresh()
            # What was seen before it was opened: a commit in between is seen the next time.
            recent = state is None or time.time() - state[0] / 1e9 < RECENT
            self._seen = None if recent else state
            return self._library

    def _state(self) -> tuple[int, int, int] | None:
        """What tells one manifest from the next, without reading it; None where there is none."""
        try:
            found = os.stat(self.path / MANIFEST)  # noqa: PTH116 - once a request
        except (OSError, ValueError):
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    @property
    def exists(self) -> bool:
        """Whether there is a library at its path by now."""
        return self._state() is not None

    def write(self, work: Callable[[Library], T], *, wait: float = WRITING, create: bool = True) -> T:
        """``work(library)`` while nobody else in this process writes to it; the library is created where there is none.

        Raises `ReadOnly`, `Busy` where another one still writes after ``wait`` seconds, and what ``work`` raises.
        """
        if self.read_only:
            raise ReadOnly("this server is read-only: nothing can be added, removed or embedded")
        if not self._writing.acquire(timeout=wait):
            raise Busy(f"the library {self.name} is being written to; try again later", 10)
        try:
            return work(self.library(create=create))
        finally:
            self._seen = None
            self._writing.release()

    @property
    def writing(self) -> bool:
        """Whether somebody in this process writes to it now."""
        return self._writing.locked()

    def note(self, sentence: str) -> None:
        """Keep what went wrong in background work, for the page; the last hundred."""
        self.errors = [*self.errors[-99:], (time.time(), sentence)]

    def close(self) -> None:
        """Close the files."""
        with self._opening:
            if self._library is not None:
                self._library.close()
            self._library = self._seen = None


class Service:
    """All libraries of one server, and the pool in which they are asked."""

    def __init__(self, config: ServeConfig) -> None:
        self.config = config
        self.started = time.time()
        self.libraries = {name: Served(name, path, config) for name, path in config.libraries.items()}
        self.parts: list[Part] = []
        """What runs beside the routes: the application puts them here."""
        self.jobs = Jobs()
        limits = config.limits
        self.pool = Pool(limits.threads, limits.waiting)
        self.answering = Pool(limits.answers, limits.waiting)
        self.writing = Pool(limits.writers, limits.waiting)
        self.pools = {"search": self.pool, "answer": self.answering, "write": self.writing}

    def served(self, name: str = "") -> Served:
        """The library of that name; the first one for none."""
        try:
            return self.libraries[name or self.config.first]
        except KeyError:
            raise UnknownLibrary(
                f"there is no library {name!r:.120} here; this server has {', '.join(self.libraries)}"
            ) from None

    async def run(
        self,
        work: Callable[[Call], T],
        gone: Callable[[], Awaitable[Any]] | None = None,
        *,
        seconds: float | None = None,
        pool: Pool | None = None,
    ) -> T:
        """``work(call)`` in a thread, for at most ``seconds`` (those of the limits where None). See `Pool.run`.

        Where the generation that it read went away meanwhile, it is done once more on the newest one.
        """
        limit = self.config.limits.seconds if seconds is None else seconds
        chosen = self.pool if pool is None else pool
        try:
            return await chosen.run(work, limit, gone)
        except LibraryChanged:
            for one in self.libraries.values():
                one._seen = None
            return await chosen.run(work, limit, gone)

    async def answer(self, work: Callable[[Call], T], gone: Callable[[], Awaitable[Any]] | None = None) -> T:
        """`run` with the time and the threads of answers."""
        return await self.run(work, gone, seconds=self.config.limits.stream_seconds, pool=self.answering)

    async def stream(
        self, items: Callable[[Call], Iterator[T]], gone: Callable[[], Awaitable[Any]], *, seconds: float | None = None
    ) -> AsyncGenerator[T, None]:
        """The items of ``items(call)``, made in a thread of those for answers, as they come.

        When the client is gone, the time is up or the caller stops, the call is cancelled and the iterator is closed.
        Raises what `run` raises, the first item included.
        """
        limit = self.config.limits.stream_seconds if seconds is None else seconds
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

        def put(kind: str, value: Any = None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(queue.put_nowait, (kind, value))

        def work(call: Call) -> None:
            iterator = items(call)
            try:
                for item in iterator:
                    if call.cancelled:
                        break
                    if time.monotonic() > call.until + GRACE:
                        raise TooSlow(limit)
                    put("item", item)
                put("end")
            except BaseException as error:
                put("error", error)
            finally:
                if (close := getattr(iterator, "close", None)) is not None:
                    close()

        call, _ = self.answering.start(work, limit)
        leaving = asyncio.ensure_future(gone())
        leaving.add_done_callback(lambda _: call.cancel())
        try:
            while True:
                getting = asyncio.ensure_future(queue.get())
                # What has been made is sent, however slowly the client takes it.
                wait = 0.05 if not queue.empty() else max(0.05, call.until + GRACE - time.monotonic())
                done, _ = await asyncio.wait((getting, leaving), timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                if getting not in done:
                    getting.cancel()
                    if leaving in done:
                        return
                    raise TooSlow(limit)
                kind, value = getting.result()
                if kind == "error":
                    raise value
                if kind == "end":
                    return
                yield value
        finally:
            leaving.cancel()
            call.cancel()

    def cancel(self) -> None:
        """Cancel everything that runs or waits: streams end, models are no longer asked."""
        for pool in self.pools.values():
            pool.cancel()

    def close(self) -> bool:
        """Cancel what runs and close the libraries; returns whether every thread is done."""
        self.cancel()
        self.jobs.close()
        until = time.monotonic() + ENDING
        ended = [pool.close(max(0.0, until - time.monotonic())) for pool in self.pools.values()]  # each of them
        done = all(ended)
        if done:
            for one in self.libraries.values():
                one.close()
        return done
