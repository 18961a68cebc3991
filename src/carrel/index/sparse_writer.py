"""Writes the arrays of a sparse index, term by term, in memory that does not grow with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .._errors import BudgetError
from .files import FolderWriter

__all__ = ["Bm25", "ImpactsWriter", "SparseWriter", "is_dense"]

SLICE = 1 << 17
"""Postings packed by one kernel call; a multiple of 128."""
DENSE = 32
"""A term in at least one of so many passages gets its greatest impact by range of 64 passages."""
NOTHING_BEFORE = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Bm25:
    """Parameters of BM25: ``k1`` ≥ 0 saturates term frequency, ``b`` in 0 … 1 normalises length."""

    k1: float = 1.2
    b: float = 0.75

    def __post_init__(self) -> None:
        if not (0.0 <= self.k1 < 1e6 and 0.0 <= self.b <= 1.0):
            raise ValueError(f"BM25 needs k1 of at least 0 and b from 0 to 1, not k1={self.k1}, b={self.b}")

    def norm(self, average_length: float) -> NDArray[np.float64]:
        """What the kernels take: k1, b and the average length (1 where there is none)."""
        return np.array([self.k1, self.b, average_length if average_length > 0 else 1.0], np.float64)


def is_dense(counts: NDArray[np.int64], passages: int) -> NDArray[np.bool_]:
    """Whether terms of ``counts`` postings get their greatest impacts by range."""
    return np.asarray((counts >= 128) & (counts * DENSE >= passages))


class ImpactsWriter:
    """Writes the folder of impacts: one a posting, the greatest a block, and the greatest a range for frequent terms."""

    def __init__(self, folder: Path, bm25: Bm25, average_length: float) -> None:
        self.norm = bm25.norm(average_length)
        self.files = FolderWriter(folder, k1=bm25.k1, b=bm25.b, average_length=float(self.norm[2]))
        self._impacts = self.files.stream("impacts", np.uint8)
        self._maxima = self.files.stream("maxima", np.uint8)
        self._ranges = self.files.stream("ranges", np.uint8)

    def append(self, impacts: NDArray[np.uint8], maxima: NDArray[np.uint8]) -> None:
        """Impacts of whole blocks, and their maxima."""
        self._impacts.append(impacts)
        self._maxima.append(maxima)

    def append_ranges(self, rows: NDArray[np.uint8]) -> None:
        """Maxima by range of the next frequent terms."""
        self._ranges.append(rows.reshape(-1))

    def close(self) -> None:
        """Finish the folder."""
        self.files.close()


class SparseWriter:
    """Writes one sparse index of ``len(lengths)`` passages: its structure to ``folder``, its impacts to ``impacts_folder``.

    Terms come in rising order of their UTF-8 bytes through `add`, or one in pieces through `begin`, `extend` and `end`;
    `close` finishes. ``lengths`` is uint32, the number of terms of each passage.
    """

    def __init__(
        self, folder: Path, impacts_folder: Path, lengths: NDArray[np.uint32], bm25: Bm25, average_length: float
    ) -> None:
        self.lengths = np.ascontiguousarray(lengths, np.uint32)
        self.passages = len(lengths)
        self.row_length = (self.passages + 63) // 64
        from ..kernels.postings import GUARD

        self._impacts = ImpactsWriter(impacts_folder, bm25, average_length)
        self._files = FolderWriter(folder)
        stream = self._files.stream
        self._packed, self._text = stream("postings", np.uint16), stream("text", np.uint8)
        self._last, self._offsets = stream("last", np.uint32), stream("offsets", np.uint32)
        self._widths, self._shapes = stream("widths", np.uint8), stream("shapes", np.uint8)
        self._text_offsets, self._dense = stream("text_offsets", np.uint32), stream("dense", np.uint32)
        self._first_blocks, self._starts = stream("first_blocks", np.uint32), stream("starts", np.uint32)
        self._guard = GUARD
        self._units = self._blocks = self._postings = self._terms = self._characters = 0
        # The term opened by `begin`: postings taken, those not yet packed, the last one packed, its maxima by range.
        self._name = b""
        self._count = 0
        self._held: tuple[NDArray[np.uint32], NDArray[np.uint32]] = (np.empty(0, np.uint32), np.empty(0, np.uint32))
        self._before = NOTHING_BEFORE
        self._row = np.empty(0, np.uint8)

    def add(
        self,
        terms: list[bytes],
        counts: NDArray[np.int64],
        passages: NDArray[np.uint32],
        frequencies: NDArray[np.uint32],
    ) -> None:
        """The next ``terms`` with all their postings: ``counts[i]`` ≥ 1 each, passages rising within a term."""
        bounds = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=bounds[1:])
        term = 0
        while term < len(terms):
            stop = int(np.searchsorted(bounds, bounds[term] + SLICE, side="right")) - 1
            begin, end = int(bounds[term]), int(bounds[max(stop, term + 1)])
            if stop > term:
                dense = np.flatnonzero(is_dense(counts[term:stop], self.passages))
                rows = np.full(stop - term, -1, np.int32)
                rows[dense] = np.arange(len(dense), dtype=np.int32)
                ranges = np.zeros((len(dense), self.row_length), np.uint8)
                self._encode(bounds[term : stop + 1] - begin, rows, passages[begin:end], frequencies[begin:end], ranges)
                self._register(terms[term:stop], counts[term:stop], ranges, dense)
                term = stop
            else:
                self.begin(terms[term])
                self.extend(passages[begin:end], frequencies[begin:end])
                self.end()
                term += 1

    def begin(self, term: bytes) -> None:
        """Open a term whose postings come in pieces."""
        self._name, self._count, self._before = term, 0, NOTHING_BEFORE
        self._row = np.zeros(self.row_length, np.uint8)

    def extend(self, passages: NDArray[np.uint32], frequencies: NDArray[np.uint32]) -> None:
        """The next postings of the open term."""
        self._count += len(passages)
        if len(self._held[0]):
            passages = np.concatenate((self._held[0], passages))
            frequencies = np.concatenate((self._held[1], frequencies))
        whole = len(passages) // 128 * 128
        for begin in range(0, whole, SLICE):
            end = min(begin + SLICE, whole)
            self._piece(passages[begin:end], frequencies[begin:end])
        self._held = (passages[whole:].copy(), frequencies[whole:].copy())

    def end(self) -> None:
        """Close the open term; one without postings is left out."""
        if len(self._held[0]):
            self._piece(*self._held)
            self._held = (self._held[0][:0], self._held[1][:0])
        if self._count:
            counts = np.array([self._count], np.int64)
            dense = np.flatnonzero(is_dense(counts, self.passages))
            self._register([self._name], counts, self._row[None, :][: len(dense)], dense)

    def _piece(self, passages: NDArray[np.uint32], frequencies: NDArray[np.uint32]) -> None:
        bounds, rows = np.array([0, len(passages)], np.int64), np.zeros(1, np.int32)
        self._encode(bounds, rows, passages, frequencies, self._row[None, :], self._before)
        self._before = int(passages[-1])

    def _encode(
        self,
        bounds: NDArray[np.int64],
        rows: NDArray[np.int32],
        passages: NDArray[np.uint32],
        frequencies: NDArray[np.uint32],
        ranges: NDArray[np.uint8],
        before: int = NOTHING_BEFORE,
    ) -> None:
        from ..kernels.sparse_build import encode_blocks

        postings = len(passages)
        blocks = int(((np.diff(bounds) + 127) // 128).sum())
        packed = np.empty(5 * postings + 3 * blocks, np.uint16)
        offsets, last = np.empty(blocks, np.uint32), np.empty(blocks, np.uint32)
        widths, shapes, maxima = (np.empty(blocks, np.uint8) for _ in range(3))
        impacts = np.empty(postings, np.uint8)
        units = encode_blocks(
            passages, frequencies, bounds, rows, before, self.lengths, self._impacts.norm,
            packed, offsets, last, widths, shapes, impacts, maxima, ranges.reshape(-1), self.row_length,
        )  # fmt: skip
        if self._units + units + self._guard > 0xFFFFFFFF or self._postings > 0xFFFFFFFF - postings:
            raise BudgetError("a segment of more than 4 billion postings cannot be written; index in several libraries")
        self._packed.append(packed[:units])
        self._offsets.append(offsets + np.uint32(self._units))
        self._last.append(last)
        self._widths.append(widths)
        self._shapes.append(shapes)
        self._impacts.append(impacts, maxima)
        self._units += units

    def _register(
        self, terms: list[bytes], counts: NDArray[np.int64], ranges: NDArray[np.uint8], dense: NDArray[np.int64]
    ) -> None:
        sizes = np.fromiter(map(len, terms), np.int64, len(terms))
        self._text.append(np.frombuffer(b"".join(terms), np.uint8))
        self._text_offsets.append((self._characters + np.cumsum(sizes) - sizes).astype(np.uint32))
        blocks = (counts + 127) // 128
        self._first_blocks.append((self._blocks + np.cumsum(blocks) - blocks).astype(np.uint32))
        self._starts.append((self._postings + np.cumsum(counts) - counts).astype(np.uint32))
        self._dense.append((dense + self._terms).astype(np.uint32))
        self._impacts.append_ranges(ranges)
        self._characters += int(sizes.sum())
        self._blocks += int(blocks.sum())
        self._postings += int(counts.sum())
        self._terms += len(terms)

    def close(self) -> None:
        """Write what is left and make both folders durable."""
        self._text_offsets.append(np.array([self._characters], np.uint32))
        self._first_blocks.append(np.array([self._blocks], np.uint32))
        self._starts.append(np.array([self._postings], np.uint32))
        self._offsets.append(np.array([self._units], np.uint32))
        self._packed.append(np.zeros(self._guard, np.uint16))
        self._files.write("lengths", self.lengths)
        used = self.lengths[self.lengths > 0]
        self._files.attributes.update(
            passages=self.passages,
            postings=self._postings,
            terms=self._terms,
            tokens=int(self.lengths.sum(dtype=np.int64)),
            shortest=int(used.min()) if len(used) else 1,
            longest=int(used.max()) if len(used) else 1,
        )
        self._files.close()
        self._impacts.close()
