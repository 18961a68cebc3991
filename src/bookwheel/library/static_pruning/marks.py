"""The list of the passages left out, on disk: written once and never changed, named by the manifest as segments are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..._errors import LibraryDamaged
from ...index.storage import REMEDY, ArrayFolder, FolderWriter, checksum_of, fsync_folder, storage
from ..manifest import SEGMENT_NAME, PrunedEntry
from ..sweeping import PRUNED

if TYPE_CHECKING:
    from ..snapshot import Snapshot

__all__ = ["Marks", "inside", "living_marks"]


@dataclass(frozen=True, slots=True)
class Marks:
    """Passages that are left out, and why."""

    passages: NDArray[np.int64]
    """Their numbers, rising: (n,)."""
    kinds: NDArray[np.uint8]
    """Of each, why: `documents.quality.Kind`."""
    odds: NDArray[np.float32]
    """Of each, the logarithm of the odds that it is boilerplate."""

    @classmethod
    def opened(cls, library: Path, entry: PrunedEntry) -> Marks:
        """The list of ``entry``, mapped from its files. Raises `LibraryDamaged` where it is damaged, or another one."""
        folder = library / PRUNED / entry.name
        arrays = ArrayFolder(folder)
        found = cls(arrays.array("passages"), arrays.array("kinds"), arrays.array("odds"))
        shapes = {(str(one.dtype), one.shape) for one in (found.passages, found.kinds, found.odds)}
        wanted = {(kind, (entry.passages,)) for kind in ("int64", "uint8", "float32")}
        if arrays.checksum != entry.checksum or shapes != wanted:
            raise LibraryDamaged(f"{folder} is not the list of passages left out that the manifest names; {REMEDY}")
        return found

    def write(self, library: Path, until: int) -> PrunedEntry:
        """Write the list, for the next manifest to name. ``until``: passages with numbers below it were judged."""
        parent = library / PRUNED
        there = (path.name for path in parent.glob("*") if SEGMENT_NAME.fullmatch(path.name))
        folder = parent / f"{max(map(int, there), default=0) + 1:06d}"
        with storage(folder):
            with FolderWriter(folder) as writer:
                writer.write("passages", np.ascontiguousarray(self.passages, np.int64))
                writer.write("kinds", np.ascontiguousarray(self.kinds, np.uint8))
                writer.write("odds", np.ascontiguousarray(self.odds, np.float32))
            fsync_folder(parent)
        return PrunedEntry(folder.name, len(self.passages), checksum_of(folder), until)


def inside(passages: NDArray[np.int64], ranges: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of ``passages``, rising, are in ``ranges`` (first passage, number of passages: int64 (n, 2)), which do not overlap."""
    if not len(ranges):
        return np.zeros(len(passages), np.bool_)
    ranges = ranges[np.argsort(ranges[:, 0])]
    run = np.maximum(np.searchsorted(ranges[:, 0], passages, side="right") - 1, 0)
    return np.asarray((passages >= ranges[run, 0]) & (passages < ranges[run].sum(axis=1)))


def living_marks(snapshot: Snapshot) -> PrunedEntry | None:
    """The list without the passages of documents that were removed, about to be forgotten; written anew where there are any."""
    marks, entry = snapshot.marks, snapshot.manifest.pruned
    if marks is None or entry is None:
        return None
    kept = np.flatnonzero(~inside(marks.passages, snapshot.store.removed_ranges(snapshot.generation)))
    if len(kept) == len(marks.passages):
        return entry
    if not len(kept):
        return None
    return Marks(marks.passages[kept], marks.kinds[kept], marks.odds[kept]).write(snapshot.library, entry.until)
