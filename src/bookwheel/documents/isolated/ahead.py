"""Reading the next sources while the present one is taken in: several processes beside each other, their documents in order.

Together they hold what the one process of `Reading` may. A source that needs more than its process has, or that ends it, is read
by `Reading` when its turn comes, with the others ended: what is yielded is the same, whatever their number.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile
from typing import Any

from ..._errors import InputError
from ...memory.sizes import MIB
from ..document import Document
from ..source import DEFAULT_FIELDS, Fields, Source
from ..weight import WAITING, weight
from .process import Died, Process
from .reading import SECONDS, Attempt, Reading

__all__ = ["LEAST", "ReadingAhead"]

LEAST = 96 * MIB
"""What a process holds at least; with less, too many sources would be read twice."""
FILES, BYTES = 20, MIB
"""So many sources, or bytes of several, are worth starting processes for."""
LARGE = 16 * MIB
"""Bytes of a source from which on it is not read before its turn: its text would wait beside others."""
EACH = 4
"""Sources a process that may have been read, or begun, before their turn."""
STRIKES, SHARE = 3, 0.02
"""Sources that `Reading` had to read between others, and their share of those begun, from which on none is read ahead."""
_TICK = 0.2


class _Dropped(Exception):
    """Nobody wants a source any more."""


class _Job:
    """A source that is read ahead."""

    __slots__ = ("digest", "done", "dropped", "error", "items", "retry", "source")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.digest: str | None = None
        """Of the source before it was read."""
        self.items: deque[tuple[Any, int]] = deque()
        """What was read and not asked for yet, with its weight."""
        self.done = self.dropped = False
        self.retry = False
        """Whether `Reading` must read it."""
        self.error: BaseException | None = None
        """What ended it."""


class ReadingAhead:
    """Reads sources as ``reading`` does, those that are expected ahead of their turn, by ``count`` processes.

    ``lend`` and ``waiting``: as for `Reading`.
    """

    def __init__(
        self,
        reading: Reading,
        count: int,
        *,
        lend: Callable[[int], None] = lambda memory: None,
        waiting: Callable[[], None] = lambda: None,
        seconds: float = SECONDS,
    ) -> None:
        self._reading, self._lend, self._waiting, self._seconds = reading, lend, waiting, seconds
        self.count = max(1, min(count, reading.memory // LEAST))
        """Processes that read."""
        self.memory = reading.memory // self.count
        """Bytes that each may hold."""
        self.begun = 0
        """Sources that were begun ahead."""
        self._changed = threading.Condition()
        self._expected: deque[Source] = deque()
        self._fields = DEFAULT_FIELDS
        self._jobs: deque[_Job] = deque()
        self._open: deque[_Job] = deque()
        """Jobs that no process has taken yet."""
        self._taken: _Job | None = None
        """The one whose turn it is."""
        self._bytes = 0
        self._stopping = False
        self._threads: list[threading.Thread] = []
        self._strikes = 0

    @property
    def held(self) -> int:
        """The most memory that the processes said they held, in bytes."""
        return self._reading.held

    @property
    def _failing(self) -> bool:
        return self._strikes >= STRIKES + SHARE * self.begun

    def takes(self, source: Source) -> bool:
        """Whether ``source`` is of those that can be read ahead."""
        own = source.inside is None and source.stream is None and source.data is None and source.path != "-"
        return self.count > 1 and own and source.size < LARGE and self._reading.isolates(source)

    def expect(self, sources: Iterable[Source], fields: Fields) -> None:
        """Say that ``sources`` will be read with ``fields``, in this order; some may be left out then."""
        with self._changed:
            self._expected.clear()
            if not self._failing:
                self._expected.extend(source for source in sources if self.takes(source))
            self._fields = fields
            count = len(self._expected)
            if count < FILES and (count < 2 or sum(source.size for source in self._expected) < BYTES):
                self._expected.clear()

    def digest(self, source: Source) -> str:
        """`Source.digest` as it was before the source was read. Raises `InputError`."""
        job = self._job(source)
        if job is None:
            return source.digest()
        while job.digest is None:
            self._wait(lambda: job.digest is not None or job.done)
            if job.done and job.digest is None:
                self._leave(job)
                if isinstance(job.error, InputError):
                    raise job.error
                return source.digest()
        return job.digest

    def read(self, source: Source, fields: Fields = DEFAULT_FIELDS) -> Iterator[Document | InputError]:
        """See `Reading.read`."""
        job = self._job(source)
        if job is None:
            if self._reading.isolates(source) and self._threads:
                self._strikes += 1
                self._pause()
            yield from self._reading.read(source, fields)
            return
        yielded = 0
        try:
            while True:
                self._wait(lambda: bool(job.items) or job.done)
                with self._changed:
                    if not job.items:
                        break
                    item, size = job.items.popleft()
                    self._bytes -= size
                    self._changed.notify_all()
                yielded += 1
                yield item
                del item
        finally:
            self._leave(job)
        if job.retry:
            self._strikes += 1
            self._pause()
            yield from self._reading.read(source, fields, skip=yielded)
        elif job.error is not None:
            raise job.error

    def _wait(self, until: Callable[[], bool]) -> None:
        with self._changed:
            while not until():
                if not self._changed.wait(_TICK):
                    self._waiting()

    def _job(self, source: Source) -> _Job | None:
        """The job of ``source``, begun now if need be; None where it was not expected. What comes before it is not wanted."""
        with self._changed:
            if self._taken is not None and self._taken.source is source:
                return self._taken
            if any(job.source is source for job in self._jobs):
                while self._jobs[0].source is not source:
                    self._drop(self._jobs.popleft())
            elif any(one is source for one in self._expected):
                while self._jobs:
                    self._drop(self._jobs.popleft())
                while self._expected[0] is not source:
                    self._expected.popleft()
            else:
                return None
            if self._failing and not (self._jobs and self._jobs[0].done):
                return None
            self._begin()
            job = self._taken = self._jobs.popleft()
            self._begin()
            self._changed.notify_all()
        if not job.done:
            self._start()
        return job

    def _begin(self) -> None:
        """Make jobs of what is expected, as many as may wait."""
        while self._expected and len(self._jobs) < EACH * self.count:
            job = _Job(self._expected.popleft())
            self._jobs.append(job)
            self._open.append(job)
            self.begun += 1

    def _drop(self, job: _Job) -> None:
        job.dropped = True
        self._bytes -= sum(size for _, size in job.items)
        job.items.clear()

    def _leave(self, job: _Job) -> None:
        """The turn of ``job`` is over."""
        with self._changed:
            self._drop(job)
            if self._taken is job:
                self._taken = None
            self._changed.notify_all()

    # -- the processes -------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._threads:
            return
        self._reading.close()
        self._lend(self._reading.memory)
        self._stopping = False
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(self.count)]
        for thread in self._threads:
            thread.start()

    def _pause(self) -> None:
        """End the processes. What they had not finished is begun anew later."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        self._threads = []
        with self._changed:
            done = list(takewhile(lambda job: job.done, self._jobs))
            again = list(self._jobs)[len(done) :]
            for job in again:
                self._drop(job)
            self._jobs = deque(done)
            self._open.clear()
            self._expected.extendleft(job.source for job in reversed(again))

    def close(self) -> None:
        """End all processes."""
        self._expected.clear()
        self._pause()
        self._jobs.clear()
        self._reading.close()

    def _next(self) -> _Job | None:
        """The next job for a process, once there is room for what it reads; None at the end."""
        with self._changed:
            while not self._stopping:
                while self._open and self._open[0].dropped:
                    self._open.popleft()
                if self._open and (self._open[0] is self._taken or self._bytes < WAITING):
                    return self._open.popleft()
                self._changed.wait()
        return None

    def _serve(self) -> None:
        process: Process | None = None
        reads: list[_Job] = []

        def look() -> None:
            if self._stopping or (reads and reads[0].dropped):
                raise _Dropped

        while (job := self._next()) is not None:
            reads[:] = [job]
            worn = True
            try:
                job.digest = job.source.digest()
                with self._changed:
                    self._changed.notify_all()
                process = process or Process(self.memory, look)
                worn = self._read(job, process)
            except _Dropped:
                pass
            except InputError as error:
                job.error, worn = error, False
            except Died as died:
                late = died.ending.late
                job.retry, job.error = not late, self._reading.failure(job.source, died.ending) if late else None
            except OSError:
                job.retry = True
            except BaseException as error:
                job.error = error
            if worn and process is not None:
                process.kill()
                process = None
            with self._changed:
                # What was stopped in the middle is not done: it is begun anew.
                job.done = not (self._stopping and worn and not job.retry and job.error is None) or job.done
                self._changed.notify_all()
        if process is not None:
            process.kill()

    def _read(self, job: _Job, process: Process) -> bool:
        """Read the source of ``job``; whether ``process`` should read no other."""
        attempt = Attempt(process, job.source, self._fields, 0, self._seconds, last=False)
        for item in attempt.items():
            size = weight(item) if isinstance(item, Document) else 200
            with self._changed:
                while self._bytes >= WAITING and not (job is self._taken and not job.items):
                    if self._stopping or job.dropped:
                        break
                    self._changed.wait()
                if self._stopping or job.dropped:
                    raise _Dropped
                job.items.append((item, size))
                self._bytes += size
                self._changed.notify_all()
            del item
        with self._changed:
            self._reading.held = max(self._reading.held, min(self.count * attempt.held, self._reading.memory))
        if attempt.error is not None:
            job.retry, job.error = attempt.memory, None if attempt.memory else attempt.error
        job.done = True
        return attempt.worn
