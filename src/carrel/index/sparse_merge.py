"""Merging sparse indexes, and computing their impacts anew; both stream, so that memory stays flat."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import LibraryDamaged
from .files import REMEDY
from .sparse import SparseIndex
from .sparse_writer import Bm25, ImpactsWriter, SparseWriter, is_dense

__all__ = ["merge", "reweigh"]

BATCH = 1 << 20
"""Postings held at a time (8 bytes each)."""
WORDS = 1 << 14
"""Terms of each vocabulary held at a time."""
_ALL_BLOCKS = 1 << 40


def merge(
    parts: Sequence[tuple[SparseIndex, NDArray[np.uint64] | None]],
    folder: Path,
    impacts_folder: Path,
    bm25: Bm25,
    average_length: float | None = None,
    advance: Callable[[int], None] = lambda postings: None,
) -> None:
    """Write one index of the passages of several, in order, numbered anew from 0.

    Each part comes with a bitmap of the passages to keep (None: all). The result is, byte for byte, the index built from
    those passages. ``average_length`` is that of the collection; of the passages kept where None. ``advance`` is told of
    postings that are done, dropped ones included.
    """
    kept = [_Kept(index, mask) for index, mask in parts]
    lengths = np.concatenate([part.lengths() for part in kept]) if kept else np.empty(0, np.uint32)
    if average_length is None:
        average_length = float(lengths.sum(dtype=np.float64) / max(len(lengths), 1))
    shift = 0
    for part in kept:
        part.shift, shift = shift, shift + part.count
    writer = SparseWriter(folder, impacts_folder, lengths, bm25, average_length)
    for names, numbers in _union([part.index for part in kept]):
        most = np.zeros(len(names), np.int64)
        for part, row in zip(kept, numbers, strict=True):
            most += part.most(row)
        bounds = np.concatenate(([0], np.cumsum(most)))
        low = 0
        while low < len(names):
            high = int(np.searchsorted(bounds, bounds[low] + BATCH, side="right")) - 1
            if high > low:
                _merge_whole(writer, kept, names[low:high], numbers[:, low:high], most[low:high])
            else:
                high = low + 1
                _merge_long(writer, kept, names[low], numbers[:, low:high])
            advance(int(bounds[high] - bounds[low]))
            low = high
    writer.close()


class _Kept:
    """A segment with the passages that are kept of it."""

    def __init__(self, index: SparseIndex, mask: NDArray[np.uint64] | None) -> None:
        _check(index)
        self.index = index
        words = (index.passages + 63) // 64
        if mask is None:
            mask = np.full(words, 0xFFFFFFFFFFFFFFFF, np.uint64)
        elif mask.dtype != np.uint64 or len(mask) != words:
            raise ValueError(f"a mask of {index.passages} passages is {words} uint64, not {mask.shape}")
        self.mask = mask
        bits = np.unpackbits(mask.view(np.uint8), bitorder="little")[: index.passages]
        self._bits = bits.view(np.bool_)
        counts = np.add.reduceat(bits, np.arange(0, len(bits), 64), dtype=np.uint32) if len(bits) else np.empty(0, np.uint32)
        self.before = (np.cumsum(counts) - counts).astype(np.uint32)
        self.count = int(counts.sum())
        self.shift = 0

    def lengths(self) -> NDArray[np.uint32]:
        return self.index.lengths[self._bits]

    def most(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of postings of terms (-1: none), deleted ones included."""
        starts = self.index.arrays["starts"]
        return np.where(numbers >= 0, starts[numbers + 1].astype(np.int64) - starts[np.maximum(numbers, 0)], 0)

    def append(
        self,
        numbers: NDArray[np.int64],
        blocks: tuple[int, int],
        cursors: NDArray[np.int64],
        passages: NDArray[np.uint32],
        frequencies: NDArray[np.uint32],
    ) -> None:
        from ..kernels import sparse_merge

        names = ("first_blocks", "starts", "last", "offsets", "widths", "shapes", "postings")
        arrays = (self.index.arrays[name] for name in names)
        kernel: Any = sparse_merge.append_lists
        kernel(
            np.ascontiguousarray(numbers), *blocks, self.mask, self.before, self.shift, *arrays, cursors, passages, frequencies
        )


def _merge_whole(
    writer: SparseWriter, parts: list[_Kept], names: list[bytes], numbers: NDArray[np.int64], most: NDArray[np.int64]
) -> None:
    from ..kernels.sparse_merge import squeeze

    begins = np.cumsum(most) - most
    cursors = begins.copy()
    passages, frequencies = np.empty(int(most.sum()), np.uint32), np.empty(int(most.sum()), np.uint32)
    for part, row in zip(parts, numbers, strict=True):
        part.append(row, (0, _ALL_BLOCKS), cursors, passages, frequencies)
    counts = cursors - begins
    used = squeeze(begins, cursors, passages, frequencies)
    left = np.flatnonzero(counts)
    if len(left) < len(names):
        names = [names[i] for i in left.tolist()]
    writer.add(names, counts[left], passages[:used], frequencies[:used])


def _merge_long(writer: SparseWriter, parts: list[_Kept], name: bytes, numbers: NDArray[np.int64]) -> None:
    step = BATCH // 128
    passages, frequencies = np.empty(BATCH, np.uint32), np.empty(BATCH, np.uint32)
    writer.begin(name)
    for part, row in zip(parts, numbers, strict=True):
        for first in range(0, (int(part.most(row)[0]) + 127) // 128, step):
            cursors = np.zeros(1, np.int64)
            part.append(row, (first, first + step), cursors, passages, frequencies)
            writer.extend(passages[: cursors[0]], frequencies[: cursors[0]])
    writer.end()


def _union(indexes: Sequence[SparseIndex]) -> Iterator[tuple[list[bytes], NDArray[np.int64]]]:
    """All terms in order, some at a time, with their numbers in each index (one row each; -1: none)."""
    place = [0] * len(indexes)
    held: list[list[bytes]] = [[] for _ in indexes]
    while True:
        for i, index in enumerate(indexes):
            if not held[i] and place[i] < index.terms:
                offsets = index.arrays["text_offsets"][place[i] : place[i] + WORDS + 1].tolist()
                text = index.arrays["text"][offsets[0] : offsets[-1]].tobytes()
                held[i] = [text[a - offsets[0] : b - offsets[0]] for a, b in pairwise(offsets)]
        unfinished = [words[-1] for i, words in enumerate(held) if words and place[i] + len(words) < indexes[i].terms]
        stops = [bisect_right(words, min(unfinished)) if unfinished else len(words) for words in held]
        names = sorted(set().union(*(words[:stop] for words, stop in zip(held, stops, strict=True))))
        if not names:
            return
        ranks = {name: i for i, name in enumerate(names)}
        numbers = np.full((len(indexes), len(names)), -1, np.int64)
        for i, stop in enumerate(stops):
            taken = [ranks[name] for name in held[i][:stop]]
            numbers[i, taken] = np.arange(place[i], place[i] + stop)
            place[i] += stop
            held[i] = held[i][stop:]
        yield names, numbers


def _check(index: SparseIndex) -> None:
    """Raise `LibraryDamaged` where the lists' sizes cannot be right: they decide how much memory is taken."""
    starts, blocks = (index.arrays[name].astype(np.int64) for name in ("starts", "first_blocks"))
    sizes = np.diff(starts)
    fits = starts[0] == blocks[0] == 0 and starts[-1] == index.postings and blocks[-1] == len(index.arrays["last"])
    if not fits or np.any(sizes < 1) or np.any(sizes > index.passages) or np.any(np.diff(blocks) != (sizes + 127) // 128):
        raise LibraryDamaged(f"{index.structure.path('starts')} or {index.structure.path('first_blocks')} is altered; {REMEDY}")


def reweigh(index: SparseIndex, impacts_folder: Path, bm25: Bm25, average_length: float) -> None:
    """Write a new folder of impacts for the same structure: what changing k1, b or the average length takes."""
    from ..kernels import sparse_merge

    kernel: Any = sparse_merge.new_impacts
    _check(index)
    writer = ImpactsWriter(impacts_folder, bm25, average_length)
    starts, first_blocks = index.arrays["starts"].astype(np.int64), index.arrays["first_blocks"].astype(np.int64)
    row_length = (index.passages + 63) // 64
    low = 0
    while low < index.terms:
        high = max(int(np.searchsorted(starts, starts[low] + BATCH, side="right")) - 1, low + 1)
        rows = np.full(high - low, -1, np.int32)
        dense = np.flatnonzero(is_dense(np.diff(starts[low : high + 1]), index.passages))
        rows[dense] = np.arange(len(dense), dtype=np.int32)
        impacts = np.empty(int(starts[high] - starts[low]), np.uint8)
        maxima = np.empty(int(first_blocks[high] - first_blocks[low]), np.uint8)
        ranges = np.zeros(len(dense) * row_length, np.uint8)
        kernel(low, high, rows, *index._structure, writer.norm, impacts, maxima, ranges, row_length)
        writer.append(impacts, maxima)
        writer.append_ranges(ranges)
        low = high
    writer.close()
