"""Merging inverted indexes, and recomputing their impacts; both stream, so memory does not grow with the indexes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..._errors import LibraryDamaged
from ...kernels.bm25 import Bm25
from ..storage import REMEDY
from .base import InvertedIndex
from .bm25 import Bm25Index
from .writer import Bm25Writer, ImpactsWriter, PostingsWriter, is_dense

__all__ = ["SelectedPostings", "merge", "merge_postings", "reweigh"]

BATCH = 1 << 20
"""Postings held at a time (8 bytes each)."""
WORDS = 1 << 14
"""The most terms of a vocabulary that are held at a time."""
RECORDS = 16 << 20
"""Bytes of the records held at a time: of each term of any part there is one (64 bytes) for each part, so that the terms held
must fall with the square of the number of parts (thirteen of `WORDS` terms would take 177 MB)."""
_ALL_BLOCKS = 1 << 40


def merge(
    parts: Sequence[tuple[Bm25Index, NDArray[np.uint64] | None]],
    folder: Path,
    impacts_folder: Path,
    bm25: Bm25,
    average_length: float | None = None,
    advance: Callable[[int], None] = lambda postings: None,
) -> None:
    """Write one BM25 index of the passages of several, in order, renumbered from 0.

    Each part comes with a bitmap of the passages to keep (None: all). The result is, byte for byte, the index built from
    those passages. ``average_length`` is that of the collection; None uses that of the passages kept. ``advance`` is called
    with numbers of postings that are done, including dropped ones.
    """
    kept = [SelectedPostings(index, mask) for index, mask in parts]
    of = [index.lengths[part.flags] for (index, _), part in zip(parts, kept, strict=True)]
    lengths = np.concatenate(of) if of else np.empty(0, np.uint32)
    if average_length is None:
        average_length = float(lengths.sum(dtype=np.float64) / max(len(lengths), 1))
    writer = Bm25Writer(folder, impacts_folder, lengths, bm25, average_length)
    merge_postings(writer, kept, advance=advance)
    writer.close()


class Conversion(Protocol):
    """Brings the values of some terms in several parts to a common scale.

    ``numbers`` are the terms' numbers in each part, -1 where a part lacks a term: int64 (parts, terms).
    """

    def convert(
        self,
        part: int,
        numbers: NDArray[np.int64],
        begins: NDArray[np.int64],
        ends: NDArray[np.int64],
        values: NDArray[np.uint32],
    ) -> None:
        """Change the values of one part in place: those of term i are ``values[begins[i]:ends[i]]``."""

    def written(self, numbers: NDArray[np.int64]) -> None:
        """Called with the terms that were written, in order."""


def merge_postings(
    writer: PostingsWriter,
    parts: list[SelectedPostings],
    conversion: Conversion | None = None,
    advance: Callable[[int], None] = lambda postings: None,
) -> None:
    """Merge the postings of ``parts`` term by term into ``writer``; ``advance`` is called with numbers of postings done."""
    shift = 0
    for part in parts:
        part.shift, shift = shift, shift + part.count
    for names, records in _union([part.index for part in parts]):
        most = records[:, :, 1].sum(axis=0)
        bounds = np.concatenate(([0], np.cumsum(most)))
        low = 0
        while low < len(names):
            high = int(np.searchsorted(bounds, bounds[low] + BATCH, side="right")) - 1
            if high > low:
                _merge_whole(writer, parts, names[low:high], records[:, low:high], most[low:high], conversion)
            else:
                high = low + 1
                _merge_long(writer, parts, names[low], records[:, low:high], conversion)
            advance(int(bounds[high] - bounds[low]))
            low = high


class SelectedPostings:
    """The postings of an index, restricted to a selection of its passages."""

    def __init__(self, index: InvertedIndex, mask: NDArray[np.uint64] | None) -> None:
        self.index = index
        words = (index.passages + 63) // 64
        if mask is None:
            mask = np.full(words, 0xFFFFFFFFFFFFFFFF, np.uint64)
        elif mask.dtype != np.uint64 or len(mask) != words:
            raise ValueError(f"a mask must be uint64 of shape ({words},), not {mask.dtype} {mask.shape}")
        self.mask = mask
        bits = np.unpackbits(mask.view(np.uint8), bitorder="little")[: index.passages]
        self.flags = bits.view(np.bool_)
        counts = np.add.reduceat(bits, np.arange(0, len(bits), 64), dtype=np.uint32) if len(bits) else np.empty(0, np.uint32)
        self.before = (np.cumsum(counts) - counts).astype(np.uint32)
        self.count = int(counts.sum())
        self.shift = 0

    def append(
        self,
        records: NDArray[np.int64],
        blocks: tuple[int, int],
        cursors: NDArray[np.int64],
        passages: NDArray[np.uint32],
        values: NDArray[np.uint32],
    ) -> None:
        """Write the selected postings of the terms of ``records``, from ``blocks`` (from, to), where ``cursors`` point."""
        from ...kernels.sparse import merge as sparse_merge

        kernel: Any = sparse_merge.append_lists
        kernel(
            np.ascontiguousarray(records), *blocks, self.mask, self.before, self.shift, self.index.bits, self.index.passages,
            *self.index._directory, self.index.arrays["impacts"], cursors, passages, values,
        )  # fmt: skip


def _merge_whole(
    writer: PostingsWriter,
    parts: list[SelectedPostings],
    names: list[bytes],
    records: NDArray[np.int64],
    most: NDArray[np.int64],
    conversion: Conversion | None,
) -> None:
    from ...kernels.sparse.merge import squeeze

    begins = np.cumsum(most) - most
    cursors = begins.copy()
    passages, values = np.empty(int(most.sum()), np.uint32), np.empty(int(most.sum()), np.uint32)
    numbers = records[:, :, 0]
    for p, part in enumerate(parts):
        before = cursors.copy()
        part.append(records[p], (0, _ALL_BLOCKS), cursors, passages, values)
        if conversion is not None:
            conversion.convert(p, numbers, before, cursors, values)
    counts = cursors - begins
    used = squeeze(begins, cursors, passages, values)
    left = np.flatnonzero(counts)
    if len(left) < len(names):
        names = [names[i] for i in left.tolist()]
    if len(names):
        writer.add(names, counts[left], passages[:used], values[:used])
        if conversion is not None:
            conversion.written(numbers[:, left])


def _merge_long(
    writer: PostingsWriter,
    parts: list[SelectedPostings],
    name: bytes,
    records: NDArray[np.int64],
    conversion: Conversion | None,
) -> None:
    step = BATCH // 128
    passages, values = np.empty(BATCH, np.uint32), np.empty(BATCH, np.uint32)
    writer.begin(name)
    numbers = records[:, :, 0]
    for p, part in enumerate(parts):
        for first in range(0, (int(records[p, 0, 1]) + 127) // 128, step):
            cursors = np.zeros(1, np.int64)
            part.append(records[p], (first, first + step), cursors, passages, values)
            if conversion is not None:
                conversion.convert(p, numbers, np.zeros(1, np.int64), cursors, values)
            if cursors[0]:
                writer.extend(passages[: cursors[0]], values[: cursors[0]])
    if writer.end() and conversion is not None:
        conversion.written(numbers)


def _union(indexes: Sequence[InvertedIndex]) -> Iterator[tuple[list[bytes], NDArray[np.int64]]]:
    """All terms in order, a batch at a time, with their records in each index: int64 (indexes, terms, 8)."""
    from ...kernels.sparse.dictionary import GROUP  # terms are read from the beginning of a group

    words_held = min(WORDS, max(GROUP, RECORDS // (64 * max(len(indexes), 1) ** 2) // GROUP * GROUP))
    place = [0] * len(indexes)
    held: list[list[bytes]] = [[] for _ in indexes]
    known: list[NDArray[np.int64]] = [np.empty((0, 8), np.int64) for _ in indexes]
    while True:
        for i, index in enumerate(indexes):
            if not held[i] and place[i] < index.terms:
                held[i], records = index.read_terms(place[i], place[i] + words_held)
                known[i] = _checked(index, records)
                place[i] += len(held[i])
        unfinished = [words[-1] for i, words in enumerate(held) if words and place[i] < indexes[i].terms]
        stops = [bisect_right(words, min(unfinished)) if unfinished else len(words) for words in held]
        names = sorted(set().union(*(words[:stop] for words, stop in zip(held, stops, strict=True))))
        if not names:
            return
        ranks = {name: i for i, name in enumerate(names)}
        found = np.zeros((len(indexes), len(names), 8), np.int64)
        found[:, :, 0] = -1
        for i, stop in enumerate(stops):
            found[i, [ranks[name] for name in held[i][:stop]]] = known[i][:stop]
            held[i], known[i] = held[i][stop:], known[i][stop:]
        yield names, found


def _checked(index: InvertedIndex, records: NDArray[np.int64]) -> NDArray[np.int64]:
    """``records``; raises `LibraryDamaged` for impossible list sizes, since memory is allocated by them."""
    sizes, first = records[:, 1], records[:, 2]
    follow = first[1:] == first[:-1] + sizes[:-1]
    fits = not len(records) or (sizes.min() >= 1 and sizes.max() <= index.passages and first[-1] + sizes[-1] <= index.postings)
    if not fits or not follow.all():
        raise LibraryDamaged(f"{index.structure.path('text')} or {index.structure.path('groups')} is damaged; {REMEDY}")
    return records


def reweigh(index: Bm25Index, impacts_folder: Path, bm25: Bm25, average_length: float) -> None:
    """Write a new folder of impacts for the same postings, as a change of k1, b or the average length requires."""
    from ...kernels.sparse import merge as sparse_merge

    kernel: Any = sparse_merge.new_impacts
    files = ImpactsWriter.folder(impacts_folder, bm25, average_length)
    writer, parameters = ImpactsWriter(files), bm25.parameters(average_length)
    row_length = (index.passages + 63) // 64
    for start in range(0, index.terms, WORDS):
        _, records = index.read_terms(start, start + WORDS)
        sizes = _checked(index, records)[:, 1]
        bounds = np.concatenate(([0], np.cumsum(sizes)))
        low = 0
        while low < len(records):
            high = max(int(np.searchsorted(bounds, bounds[low] + BATCH, side="right")) - 1, low + 1)
            rows = np.full(high - low, -1, np.int32)
            dense = np.flatnonzero(is_dense(sizes[low:high], index.passages))
            rows[dense] = np.arange(len(dense), dtype=np.int32)
            long = sizes[low:high][sizes[low:high] > 128]
            impacts = np.empty(int(bounds[high] - bounds[low]), np.uint8)
            maxima = np.empty(int(((long + 127) // 128).sum()), np.uint8)
            ranges = np.zeros(len(dense) * row_length, np.uint8)
            kernel(
                records[low:high], rows, index.passages, index.postings, *index._directory, *index._lengths(), parameters,
                impacts, maxima, ranges, row_length,
            )  # fmt: skip
            writer.append(impacts, maxima)
            writer.append_ranges(ranges)
            low = high
    files.close()
