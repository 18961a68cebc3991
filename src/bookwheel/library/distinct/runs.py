"""The signatures of a library's documents on disk: runs that its manifest names, written and merged as segments are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..._errors import LibraryDamaged
from ...index.signatures import Part, SignatureRun, Signatures, write_run
from ...index.storage import ANEW, fsync_folder, storage
from ..compaction import newest_alike
from ..manifest import SEGMENT_NAME, SignatureEntry
from ..segment import FOREIGN
from ..sweeping import SIGNATURES

__all__ = ["SignatureRuns", "opened_run"]


def opened_run(library: Path, entry: SignatureEntry) -> SignatureRun:
    """The run of ``entry``. Raises `LibraryDamaged` where it is damaged, or another one."""
    folder = library / SIGNATURES / entry.name
    run = SignatureRun(folder)
    if run.arrays.checksum != entry.checksum or len(run) != entry.documents:
        raise LibraryDamaged(f"{folder} {FOREIGN}; {ANEW}")
    return run


class SignatureRuns:
    """The signatures of a library that is being written.

    Runs that no manifest names yet are in no reader's way, and swept by the next writer after an interruption.
    """

    def __init__(
        self,
        library: Path,
        entries: tuple[SignatureEntry, ...],
        alive: Callable[[NDArray[np.int64]], NDArray[np.bool_]],
        hold: Callable[[int], None],
    ) -> None:
        """``alive``: which documents of those numbers, in ascending order, are in the library or on their way to it. ``hold``
        takes the bytes held. Raises `LibraryDamaged`.
        """
        self.library, self.entries = library, list(entries)
        self._alive, self._hold = alive, hold
        self.signatures = Signatures(opened_run(library, entry) for entry in entries)
        there = (path.name for path in (library / SIGNATURES).glob("*") if SEGMENT_NAME.fullmatch(path.name))
        self._last = max(map(int, there), default=0)  # what could not be swept is in nobody's way
        hold(self.signatures.nbytes)

    @property
    def names(self) -> frozenset[str]:
        """The folders in use."""
        return frozenset(entry.name for entry in self.entries)

    def add(self, number: int, one: NDArray[np.uint16]) -> None:
        """Add the signature of a document, whose number is larger than all before."""
        if self.signatures.full:
            self.write()
        self.signatures.add(number, one)

    def write(self) -> tuple[SignatureEntry, ...]:
        """All signatures as runs on the disk, to be named by the next manifest."""
        if len(self.signatures.recent.documents):
            self._replace(len(self.entries), [self.signatures.recent])
            while (start := newest_alike([entry.documents for entry in self.entries])) < len(self.entries):
                self.merge(start)
            self._hold(self.signatures.nbytes)
        return tuple(self.entries)

    def merge(self, start: int = 0) -> None:
        """Make one run of those from ``start`` on, without documents that are gone."""
        if self.entries[start:]:
            self._replace(start, [Part(run.documents, run.signatures) for run in self.signatures.runs[start:]])
            self._hold(self.signatures.nbytes)

    def _replace(self, start: int, parts: list[Part]) -> None:
        """Put ``parts`` in the place of the runs from ``start`` on."""
        self._last += 1
        folder = self.library / SIGNATURES / f"{self._last:06d}"
        with storage(folder):
            count = write_run(folder, parts, [self._alive(part.documents) for part in parts])
            fsync_folder(folder.parent)
        run = SignatureRun(folder)
        self.entries[start:] = [SignatureEntry(folder.name, count, run.arrays.checksum)]
        self.signatures.replace([*self.signatures.runs[:start], run])
