"""Vectors of passages whose file was renamed: they go with the passage to its new place, so that nothing is embedded anew.

The title of a document without one of its own is its file's name, and a title is indexed with each passage. So a renamed file is
read and its words are indexed again. What its passages say is the same, and encoding is what takes time: their vectors are
copied, and say the old name until the text changes.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..documents.document import Span
from ..index.storage import storage
from .manifest import Manifest, SegmentEntry
from .row_sums import CRC
from .segment import SEGMENTS, Segment
from .snapshot import Snapshot
from .store import Store
from .vectors.cache import SOME, VectorCache, cache_key
from .vectors.parts import Piece, write_part

__all__ = ["KeptVectors"]


class KeptVectors:
    """Which passages, taken in and not committed yet, are those of a renamed file, and the vectors that these have."""

    def __init__(self, library: Path, store: Store) -> None:
        self.library, self.store = library, store
        self._runs: list[tuple[int, int, int]] = []
        """The first new passage, the number of passages, and the first old passage; by the first."""
        self._snapshot: Snapshot | None = None

    def __bool__(self) -> bool:
        return bool(self._runs)

    def note(self, document: int, first: int, spans: Sequence[Span], crc: int) -> None:
        """Note that the passages ``spans``, numbered from ``first``, take the place of those of ``document``.

        Nothing is noted where they are others, or of another text than one with the `text_sum` ``crc``.
        """
        rows = self.store.execute(
            "SELECT d.first, d.passages, t.sum FROM documents d JOIN texts t ON t.document = d.id WHERE d.id = ?", (document,)
        )
        if not rows or rows[0][1] != len(spans) or not isinstance(rows[0][2], int) or rows[0][2] & CRC != crc:
            return
        held = self.store.stream("SELECT start, end FROM passages WHERE document = ? ORDER BY id", (document,))
        if all(row == (span.start, span.end) for row, span in zip(held, spans, strict=False)):
            insort(self._runs, (first, len(spans), rows[0][0]))

    def origins(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The old number of each of the passages ``ids``; -1 for those that are new."""
        if not self._runs:
            return np.full(len(ids), -1, np.int64)
        first, counts, old = np.array(self._runs, np.int64).T
        run = np.maximum(np.searchsorted(first, ids, side="right") - 1, 0)
        place = np.asarray(ids, np.int64) - first[run]
        return np.where((place >= 0) & (place < counts[run]), old[run] + place, -1)

    def vectors(self, manifest: Manifest, ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float16]] | None:
        """Which of ``ids`` have a vector made while indexing: their places, rising, and float16 of shape (places, dimension)."""
        if manifest.settings.encoder is None or not ((origins := self.origins(ids)) >= 0).any():
            return None
        places, rows = [], []
        for segment in self._opened(manifest).segments:
            here, local = segment.locate(origins)
            if segment.dense is not None and len(here):
                places.append(here)
                rows.append(segment.dense.vectors[local])
        if not places:
            return None
        every = np.concatenate(places)
        order = np.argsort(every)
        return every[order], np.concatenate(rows)[order]

    def with_parts(self, manifest: Manifest, entry: SegmentEntry, bits: Callable[[int], int | None]) -> SegmentEntry:
        """``entry``, a segment that no manifest names yet, with a copy of what other encoders made of its passages.

        ``bits`` gives the bits a dimension of sketches, for a dimension.
        """
        folder = self.library / SEGMENTS / entry.name
        origins = self.origins(np.asarray(Segment(self.library, entry, vectors=False).ids))
        positions = np.flatnonzero(origins >= 0)
        if not len(positions):
            return entry
        parts = []
        for representation in manifest.representations:
            pieces: list[Piece] = []
            for segment in self._opened(manifest).segments:
                here, local = segment.locate(origins[positions])
                for part in segment.parts_of(representation.key):
                    found, rows = part.locate(local)
                    if len(found):
                        at = np.full(len(part), -1, np.int32)
                        at[rows] = positions[here[found]]
                        pieces.append((at, part))
            if pieces:
                seed, width = manifest.settings.seed, bits(representation.info.dimension)
                with storage(folder):
                    parts.append(write_part(folder, representation, manifest.generation + 1, seed, pieces, width))
        return replace(entry, parts=tuple(part for part in parts if part is not None))

    def done(self, manifest: Manifest, cache: VectorCache) -> None:
        """All of it is committed: copy what waits in ``cache``, and let go."""
        if self._runs and cache.path.exists():
            for first, count, old in self._runs:
                for at in range(0, count, SOME):
                    some = range(old + at, old + min(count, at + SOME))
                    for representation in manifest.representations:
                        key = cache_key(representation)
                        cache.put(key, {number - old + first: data for number, data in cache.get(key, some).items()})
            cache.flush()
        self._runs, self._snapshot = [], None

    def _opened(self, manifest: Manifest) -> Snapshot:
        """What is committed by now."""
        if self._snapshot is None or self._snapshot.generation != manifest.generation:
            self._snapshot = Snapshot(self.library, manifest, self.store)
        return self._snapshot
