"""The workers as their parent holds them: started, given documents, listened to, and ended."""

from __future__ import annotations

import pickle
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ...documents.document import Document
from ...documents.isolated.frames import HELLO, FrameError, said
from ...documents.isolated.process import Died, Ending, Process
from ..settings import Settings
from .analysis import Analysed
from .child import ANALYSE, ANALYSED, BEGIN, sent
from .messages import unpacked

__all__ = ["MEMORY", "Failed", "Pool", "Terms"]

MODULE = "bookwheel.library.workers.child"
BASE, WORDS = 104 << 20, 72 << 20
"""Bytes that a worker holds before it has any words, with the texts that it analyses; and for words, from which on it forgets."""
MEMORY = BASE + WORDS
"""Bytes of the budget that a worker takes."""
PATIENCE = 600.0
"""Seconds without an answer after which a worker counts as hung."""
LONGEST = 1 << 30
STARTS = 3
"""Failures in a row to start a worker, from which on none is tried."""


class Failed(Exception):
    """A worker ended before it had answered. ``ending`` is None where none could be started."""

    def __init__(self, ending: Ending | None) -> None:
        super().__init__(ending)
        self.ending = ending


@dataclass(slots=True)
class Terms:
    """What the numbers of one worker's terms stand for."""

    terms: list[str] = field(default_factory=list)
    times: int = 0
    """How often the worker has begun to number anew."""

    def learn(self, found: Analysed) -> None:
        """Take in the terms that are new in ``found``."""
        if found.first_term == 0 and self.terms:
            self.terms = []
            self.times += 1
        if found.first_term != len(self.terms):
            raise ValueError(f"terms from number {found.first_term} on, where there are {len(self.terms)}")
        self.terms += found.terms


class _Worker:
    """One process, its settings told."""

    def __init__(self, settings: Settings, encoder: Path | None, waiting: Callable[[], None]) -> None:
        """``waiting`` is called some times a second while the worker lets its parent wait."""
        self.terms = Terms()
        self._process = Process(MEMORY, waiting, MODULE)
        try:
            self._process.send(BEGIN, None, pickle.dumps((settings, encoder, WORDS)))
            self._answer(HELLO)
        except BaseException:
            self._process.kill()
            raise

    def analyse(self, data: bytes) -> Analysed:
        """What it makes of pickled documents. Raises `Died`."""
        self._process.send(ANALYSE, None, data)
        head, arrays = self._answer(ANALYSED)
        try:
            return unpacked(said(head), arrays)
        except (KeyError, TypeError, ValueError, StopIteration) as error:
            self._process.kill()
            raise Died(Ending(nonsense=str(error)[:200])) from None

    def _answer(self, wanted: bytes) -> tuple[bytearray, bytearray]:
        try:
            kind, head, data = self._process.receive(PATIENCE, LONGEST)
        except FrameError:
            kind, head, data = b"", bytearray(), bytearray()
        if kind != wanted:
            self._process.kill()
            raise Died(Ending(nonsense=f"a frame of kind {kind!r}"))
        return head, data

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        self._process.kill()


class _Closed(Exception):
    """The pool was closed meanwhile."""


_Job = tuple[bytes, Future[tuple[Terms, Analysed]]]


class Pool:
    """``count`` workers, each with a thread that talks to it. They start in the background; a worker that dies is replaced."""

    def __init__(self, count: int, settings: Settings, encoder: Path | None) -> None:
        self.count = count
        self._settings, self._encoder = settings, encoder
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._workers: dict[int, _Worker | None] = {}
        self._closed = False
        self._failures = 0
        self._ready = False
        self._begun = [threading.Event() for _ in range(count)]
        self._threads = [threading.Thread(target=self._serve, args=(n,), daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    @property
    def ready(self) -> bool:
        """Whether a worker has started."""
        self._ready = self._ready or any(event.is_set() for event in self._begun)  # asked for at each document
        return self._ready

    def wait(self) -> None:
        """Wait until all have started, or cannot be."""
        for event in self._begun:
            event.wait()

    @property
    def broken(self) -> bool:
        """Whether no worker can be started."""
        return self._failures >= STARTS

    @property
    def pids(self) -> list[int]:
        """The process ids of those that have started."""
        with self._lock:
            return [worker.pid for worker in self._workers.values() if worker is not None]

    def submit(self, documents: Sequence[Document]) -> Future[tuple[Terms, Analysed]]:
        """What a worker makes of ``documents``; `Failed` in it where the worker ended instead."""
        future: Future[tuple[Terms, Analysed]] = Future()
        self._jobs.put((sent(documents), future))
        return future

    @contextmanager
    def alone(self) -> Iterator[Callable[[Sequence[Document]], tuple[Terms, Analysed]]]:
        """A worker that nobody else uses, as a function, which raises `Failed`; one that ends is replaced."""
        worker: _Worker | None = None

        def analyse(documents: Sequence[Document]) -> tuple[Terms, Analysed]:
            nonlocal worker
            try:
                worker = worker or _Worker(self._settings, self._encoder, self._while_waiting)
            except (OSError, Died):
                raise Failed(None) from None
            try:
                return worker.terms, worker.analyse(sent(documents))
            except Died as died:
                worker.kill()
                worker = None
                raise Failed(died.ending) from None

        try:
            yield analyse
        finally:
            if worker is not None:
                worker.kill()

    def _while_waiting(self) -> None:
        if self._closed:
            raise _Closed

    def _start(self, number: int) -> _Worker | None:
        while not self._closed and not self.broken:
            try:
                worker = _Worker(self._settings, self._encoder, self._while_waiting)
            except _Closed:
                break
            except (OSError, Died):
                self._failures += 1
                continue
            self._failures = 0
            with self._lock:
                if not self._closed:
                    self._workers[number] = worker
                    self._begun[number].set()
                    return worker
            worker.kill()
        self._begun[number].set()
        return None

    def _serve(self, number: int) -> None:
        worker = self._start(number)
        while (job := self._jobs.get()) is not None:
            data, future = job
            worker = worker or self._start(number)
            if worker is None:
                future.set_exception(Failed(None))
                continue
            try:
                found = worker.analyse(data)
            except Died as died:
                worker.kill()
                worker = None
                future.set_exception(Failed(died.ending))
            except BaseException as error:
                worker.kill()
                worker = None
                future.set_exception(error)
            else:
                future.set_result((worker.terms, found))
            del job, data, future

    def close(self) -> None:
        """End all workers at once; what they were analysing is lost."""
        with self._lock:
            self._closed = True
            workers = [worker for worker in self._workers.values() if worker is not None]
        for _ in self._threads:
            self._jobs.put(None)
        for worker in workers:
            with suppress(Exception):
                worker.kill()
        for thread in self._threads:
            thread.join(1)
