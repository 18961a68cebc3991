"""Reading sources, the untrusted ones in a process of its own: what it yields is what `bookwheel.documents.read.read` yields.

The process is started with the first source that needs it, and reads one after another. It may hold a first amount of memory;
a source that needs more is read once more, by a fresh process that may hold all that the budget can spare. One that needs
even that, takes too long or crashes the process is told by name, and the next goes on in another process.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from types import TracebackType
from typing import Any, cast

from ..._errors import BookwheelError, InputError
from ...memory.sizes import MIB, format_size
from ..document import Document
from ..failures import Note
from ..members import close_archives
from ..read import read
from ..source import DEFAULT_FIELDS, Fields, Source
from .frames import DOCUMENT, FAILED, FINISHED, ITEM, READ, FrameError, item_of, said
from .process import Died, Ending, Process, can_start

__all__ = ["SECONDS", "SECONDS_A_MIB", "Attempt", "Reading"]

SECONDS, SECONDS_A_MIB = 120.0, 2.0
"""Processor time that a source may take between two documents: so much, and so much more for each MiB of its size."""
_SILENT = 5
"""A process may be silent for so many times that: where others compute too, or a disk is slow."""
_TRUSTED = frozenset(("text", "markdown", "rst", "code", "csv", "tsv", "jsonl"))
"""Formats that Python's own strings read, in memory that is bounded by the length of the file or record."""
_LARGE_WINDOWS = ("zst", "xz")
"""Unpacking them takes as much memory as the file says."""
_WINDOW = 64 * MIB
_DEVICES = ("/dev/", "/proc/")
_STARTS = 3
"""Failures to start a process in a row, from which on none is tried."""


def _nothing(*_: object) -> None:
    """The default of what may be called."""


class Reading:
    """Reads sources, one after another; use as a context manager.

    ``memory`` is what the process may hold, ``most`` what it may for a source that needs more (both in bytes). ``lend`` is called
    with either before a process of that size starts, so that the caller can make room. ``waiting`` is called some times a second
    while a parser computes.
    """

    def __init__(
        self,
        memory: int,
        most: int,
        *,
        lend: Callable[[int], None] = _nothing,
        waiting: Callable[[], None] = _nothing,
        seconds: float = SECONDS,
    ) -> None:
        self.memory, self.most = memory, max(memory, most)
        self.held = 0
        """The most memory that the process said it held, in bytes."""
        self._lend, self._waiting, self._seconds = lend, waiting, seconds
        self._process: Process | None = None
        self._possible = can_start()
        self._failures = 0
        self._told = False

    def isolates(self, source: Source) -> bool:
        """Whether ``source`` is read in the other process."""
        outermost = source
        while outermost.inside is not None:
            outermost = outermost.inside
        if outermost.stream is not None and not isinstance(outermost.stream, io.BytesIO):
            return False  # standard input, which can be read once
        if source.inside is not None and (outermost.stream is not None or outermost.path.startswith(_DEVICES)):
            return False
        return self._possible and (source.format not in _TRUSTED or source.compression in _LARGE_WINDOWS)

    def read(self, source: Source, fields: Fields = DEFAULT_FIELDS, *, skip: int = 0) -> Iterator[Document | InputError]:
        """The documents of ``source``, with errors and notes among them, as `bookwheel.documents.read.read` yields them.

        The first ``skip`` of them, which were read before, are left out.

        Raises `InputError` where the source cannot be read, or not to its end; documents before that are valid.
        """
        if source.inside is None:
            close_archives()  # what they unpacked takes memory that a parser may need
        if not self.isolates(source):
            if source.inside is not None and source.inside.compression in _LARGE_WINDOWS:
                self._lend(self.memory + _WINDOW)  # its archive is unpacked in this process
            yield from islice(read(source, fields), skip, None)
            return
        yielded = skip
        ending = Ending()
        for memory, last in ((self.memory, False), (self.most, True)):
            process = self._started(memory)
            if process is None:
                if not self._told:
                    self._told = True
                    yield Note(
                        f"{source.label} was read in this process, since no other one could be started; others may be too"
                    )
                for number, item in enumerate(read(source, fields)):
                    if number >= yielded:
                        yield item
                return
            attempt = Attempt(process, source, fields, yielded, self._seconds, last)
            done = False
            try:
                for item in attempt.items():
                    yielded += 1
                    yield item
                done = True
            except Died as died:
                ending = died.ending
                if ending.late:
                    break
                continue
            finally:
                self.held = max(self.held, attempt.held)
                if not done or attempt.worn:
                    self._end(process)
            if attempt.error is None:
                return
            if not attempt.memory:
                raise attempt.error
            ending = Ending(memory=True)
        raise self.failure(source, ending)

    def failure(self, source: Source, ending: Ending) -> InputError:
        """Says of ``source`` how the process that read it ended."""
        return InputError(self._sentence(source, ending))

    def _sentence(self, source: Source, ending: Ending) -> str:
        if ending.late:
            seconds = _patience(source, self._seconds)
            return f"{source.label} takes more than {seconds:,.0f} seconds to be read; split it, or convert it to text"
        if ending.memory:
            return (
                f"{source.label} needs more than {format_size(self.most)} of memory to be read as {source.format}; give more with "
                "--ram, or split it"
            )
        return f"{source.label} cannot be read as {source.format} ({ending.shown}); it may be damaged"

    def _started(self, memory: int) -> Process | None:
        """A process that may hold ``memory``; None where none can be started."""
        if self._process is not None and self._process.usable and self._process.memory == memory:
            return self._process
        self.close()
        self._lend(memory)
        while self._failures < _STARTS:
            try:
                self._process = Process(memory, self._waiting)
            except (OSError, Died):
                self._failures += 1
            else:
                self._failures = 0
                return self._process
        return None

    def _end(self, process: Process) -> None:
        process.kill()
        if self._process is process:
            self._process = None

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Attempt:
    """One source read by one process."""

    def __init__(self, process: Process, source: Source, fields: Fields, skip: int, seconds: float, last: bool) -> None:
        self._process, self._source, self._fields, self._skip, self._last = process, source, fields, skip, last
        self._seconds = _patience(source, seconds)
        self.held = 0
        self.worn = False
        """Whether the process should not read another source: it holds much."""
        self.error: BookwheelError | None = None
        """What the reader raised."""
        self.memory = False
        """Whether that was for want of memory, perhaps."""

    def items(self) -> Iterator[Any]:
        """What the reader yields. Raises `Died`."""
        inline = isinstance(self._source.stream, io.BytesIO)
        told = {
            "source": self._source,
            "fields": self._fields,
            "place": self._source.path if self._source.inside is not None else _place(self._source.path),
            "inline": inline,
            "seconds": self._seconds,
            "skip": self._skip,
            "last": self._last,
        }
        self._process.send(READ, told, cast(io.BytesIO, self._source.stream).getvalue() if inline else b"")
        try:
            yield from self._received()
        except FrameError as error:
            self._process.kill()
            raise Died(Ending(nonsense=str(error))) from None

    def _received(self) -> Iterator[Any]:
        # What a process with much memory has read is taken from it only once it has ended, where it is one document.
        behind: list[Any] = []
        while True:
            kind, head, text = self._process.receive(_SILENT * self._seconds, 4 * self._source.max_bytes)
            if kind in (DOCUMENT, ITEM):
                item = item_of(kind, head, text)
                del head, text
                yield from behind
                behind = [item]
                del item
                if not self._last:
                    yield behind.pop()
                continue
            if kind not in (FAILED, FINISHED):
                raise FrameError(f"a frame of kind {kind!r}")
            self._note(said(head), failed=kind == FAILED)
            if self._last:
                self._process.kill()
            yield from behind
            return

    def _note(self, told: dict[str, Any], *, failed: bool) -> None:
        try:
            self.held, self.worn = int(told["most"]), bool(told["worn"])
            if failed:
                self.error, self.memory = told["error"], bool(told["memory"])
        except (KeyError, TypeError, ValueError) as error:
            raise FrameError(f"an end without {error}") from error
        if failed and not isinstance(self.error, BookwheelError):
            raise FrameError("an error that is none")


def _patience(source: Source, seconds: float) -> float:
    return seconds * (1 + max(source.size, 0) / MIB * SECONDS_A_MIB / SECONDS)


def _place(path: str) -> str:
    """Where another process finds ``path``: what stands for a file that this one has open is another file there."""
    if path.startswith(_DEVICES):
        with suppress(OSError):
            return os.path.realpath(path)
    return path
