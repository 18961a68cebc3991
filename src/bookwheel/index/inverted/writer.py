"""Writing an inverted index term by term, in memory that does not grow with it (layout: `kernels.sparse.postings`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..._errors import BudgetError
from ...kernels.bm25 import Bm25
from ..storage import FolderWriter

__all__ = ["Bm25Writer", "ImpactsWriter", "PostingsWriter", "is_dense", "split_lengths"]

SLICE = 1 << 17
"""Postings packed per kernel call; a multiple of 128."""
DENSE = 32
"""A term in at least one of this many passages also gets its maximal impacts by range of 64 passages."""
NOTHING_BEFORE = 0xFFFFFFFF
BLOCK = 128
"""Postings per block; a longer list has a directory of its blocks."""


def is_dense(counts: NDArray[np.int64], passages: int, share: int = DENSE) -> NDArray[np.bool_]:
    """Whether terms with ``counts`` postings get their maximal impacts by range."""
    return np.asarray((counts >= BLOCK) & (counts * share >= passages))


def split_lengths(lengths: NDArray[np.uint32]) -> tuple[NDArray[np.uint16], NDArray[np.uint32]]:
    """Lengths as 16-bit integers, and lengths of 65535 or more as a flat array of (passage, length) pairs."""
    from ...kernels.sparse.postings_exact import SHORT

    (long,) = np.nonzero(lengths >= SHORT)
    pairs = np.stack((long.astype(np.uint32), lengths[long]), axis=1).reshape(-1)
    return np.minimum(lengths, SHORT).astype(np.uint16), pairs


class ImpactsWriter:
    """Writes impacts: one per posting, the maximum per directory block, and the maximum per range for frequent terms."""

    def __init__(self, files: FolderWriter) -> None:
        self._impacts = files.stream("impacts", np.uint8)
        self._maxima = files.stream("maxima", np.uint8)
        self._ranges = files.stream("ranges", np.uint8)

    @staticmethod
    def folder(folder: Path, bm25: Bm25, average_length: float) -> FolderWriter:
        """The folder of a BM25 index's impacts, which depend on its parameters; its other arrays do not."""
        return FolderWriter(folder, k1=bm25.k1, b=bm25.b, average_length=float(bm25.parameters(average_length)[2]))

    def append(self, impacts: NDArray[np.uint8], maxima: NDArray[np.uint8]) -> None:
        """Append the impacts of whole blocks, and the maxima of those in the directory."""
        self._impacts.append(impacts)
        self._maxima.append(maxima)

    def append_ranges(self, rows: NDArray[np.uint8]) -> None:
        """Append the maxima by range of the next frequent terms."""
        self._ranges.append(rows.reshape(-1))


class PostingsWriter:
    """Writes the dictionary and postings of ``passages`` passages to ``files``, their impacts through ``impacts``.

    Terms are added in ascending order of their UTF-8 bytes with `add`, or a single term in pieces with `begin`, `extend` and
    `end`; `finish` completes the streams, and the caller closes the folders. With ``bits`` -1, values are term frequencies,
    from which ``parameters`` (k1, b, average length) and ``lengths`` give the impacts; otherwise values are integer weights
    from 1 to 255 · 2^bits.
    """

    def __init__(
        self,
        files: FolderWriter,
        impacts: ImpactsWriter,
        passages: int,
        *,
        lengths: NDArray[np.uint32] | None = None,
        parameters: NDArray[np.float64] | None = None,
        bits: int = -1,
        dense: int = DENSE,
    ) -> None:
        self.passages = passages
        self.row_length = (passages + 63) // 64
        self.postings = self.terms = 0
        self._lengths = np.empty(0, np.uint32) if lengths is None else lengths
        self._parameters = np.zeros(3) if parameters is None else parameters
        self._bits, self._dense_share = bits, dense
        from ...kernels.sparse.postings import GUARD

        self._guard = GUARD
        self._impacts = impacts
        stream = files.stream
        self._packed, self._text = stream("postings", np.uint16), stream("text", np.uint8)
        self._groups, self._dense = stream("groups", np.uint32), stream("dense", np.uint32)
        self._last, self._units = stream("last", np.uint32), stream("units", np.uint16)
        self._widths, self._shapes = stream("widths", np.uint8), stream("shapes", np.uint8)
        self._blocks = self._used = self._characters = 0
        self._name_before = b""
        # The term opened by `begin`: its number of postings, those not yet packed, the last one packed, its maxima by range.
        self._name = b""
        self._count = self._began = 0
        self._held: tuple[NDArray[np.uint32], NDArray[np.uint32]] = (np.empty(0, np.uint32), np.empty(0, np.uint32))
        self._before = NOTHING_BEFORE
        self._row = np.empty(0, np.uint8)

    def add(
        self,
        terms: list[bytes],
        counts: NDArray[np.int64],
        passages: NDArray[np.uint32],
        values: NDArray[np.uint32],
    ) -> None:
        """Add the next ``terms`` with all their postings: ``counts[i]`` ≥ 1 each, passages ascending within a term."""
        bounds = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=bounds[1:])
        term = 0
        while term < len(terms):
            stop = int(np.searchsorted(bounds, bounds[term] + SLICE, side="right")) - 1
            begin, end = int(bounds[term]), int(bounds[max(stop, term + 1)])
            if stop > term:
                dense = np.flatnonzero(is_dense(counts[term:stop], self.passages, self._dense_share))
                rows = np.full(stop - term, -1, np.int32)
                rows[dense] = np.arange(len(dense), dtype=np.int32)
                ranges = np.zeros((len(dense), self.row_length), np.uint8)
                start = self._used
                blocks = self._encode(
                    bounds[term : stop + 1] - begin,
                    rows,
                    passages[begin:end],
                    values[begin:end],
                    ranges,
                    counts[term:stop] > BLOCK,
                )
                self._register(terms[term:stop], counts[term:stop], start, blocks, ranges, dense)
                term = stop
            else:
                self.begin(terms[term])
                self.extend(passages[begin:end], values[begin:end])
                self.end()
                term += 1

    def begin(self, term: bytes) -> None:
        """Begin a term whose postings are added in pieces."""
        self._name, self._count, self._before, self._began = term, 0, NOTHING_BEFORE, self._used
        self._row = np.zeros(self.row_length, np.uint8)

    def extend(self, passages: NDArray[np.uint32], values: NDArray[np.uint32]) -> None:
        """Add the next postings of the open term."""
        self._count += len(passages)
        if len(self._held[0]):
            passages = np.concatenate((self._held[0], passages))
            values = np.concatenate((self._held[1], values))
        # At least one posting is held back, so that it is known on packing whether the list is longer than a block.
        whole = (len(passages) - 1) // BLOCK * BLOCK
        for begin in range(0, whole, SLICE):
            end = min(begin + SLICE, whole)
            self._piece(passages[begin:end], values[begin:end])
        self._held = (passages[whole:].copy(), values[whole:].copy()) if len(passages) else self._held

    def end(self) -> bool:
        """End the open term; returns False for a term without postings, which is left out."""
        if not self._count:
            return False
        blocks = self._piece(*self._held)
        self._held = (self._held[0][:0], self._held[1][:0])
        counts = np.array([self._count], np.int64)
        dense = np.flatnonzero(is_dense(counts, self.passages, self._dense_share))
        if self._count > BLOCK:
            blocks = (np.array([self._used - self._began], np.int64), *blocks[1:])
        self._register([self._name], counts, self._began, blocks, self._row[None, :][: len(dense)], dense)
        return True

    def _piece(self, passages: NDArray[np.uint32], values: NDArray[np.uint32]) -> tuple[NDArray[np.int64], ...]:
        bounds, rows = np.array([0, len(passages)], np.int64), np.zeros(1, np.int32)
        long = np.array([self._count > BLOCK])
        blocks = self._encode(bounds, rows, passages, values, self._row[None, :], long, self._before)
        self._before = int(passages[-1])
        return blocks

    def _encode(
        self,
        bounds: NDArray[np.int64],
        rows: NDArray[np.int32],
        passages: NDArray[np.uint32],
        values: NDArray[np.uint32],
        ranges: NDArray[np.uint8],
        long: NDArray[np.bool_],
        before: int = NOTHING_BEFORE,
    ) -> tuple[NDArray[np.int64], ...]:
        """Pack postings; returns, by term, the units they take, and the width, shape and last passage of the first block."""
        from ...kernels.sparse.build import encode_blocks

        postings = len(passages)
        held = (np.diff(bounds) + BLOCK - 1) // BLOCK
        firsts, count = np.cumsum(held) - held, int(held.sum())
        packed = np.empty(5 * postings + 3 * count, np.uint16)
        units, last = np.empty(count, np.uint16), np.empty(count, np.uint32)
        widths, shapes, maxima = (np.empty(count, np.uint8) for _ in range(3))
        impacts = np.empty(postings, np.uint8)
        used = encode_blocks(
            passages, values, bounds, rows, before, self._lengths, self._parameters, self._bits,
            packed, units, last, widths, shapes, impacts, maxima, ranges.reshape(-1), self.row_length,
        )  # fmt: skip
        if self._used + used + self._guard > 0xFFFFFFFF or self.postings > 0xFFFFFFFF - postings:
            raise BudgetError("a segment cannot have more than 4 billion postings; split the collection into several libraries")
        self._packed.append(packed[:used])
        listed = np.repeat(long, held)
        self._last.append(last[listed])
        self._units.append(units[listed])
        self._widths.append(widths[listed])
        self._shapes.append(shapes[listed])
        self._impacts.append(impacts, maxima[listed])
        self._used += used
        sums = np.add.reduceat(units.astype(np.int64), firsts) if count else np.empty(0, np.int64)
        return sums, *(array[firsts].astype(np.int64) for array in (widths, shapes, last))

    def _register(
        self,
        terms: list[bytes],
        counts: NDArray[np.int64],
        start: int,
        blocks: tuple[NDArray[np.int64], ...],
        ranges: NDArray[np.uint8],
        dense: NDArray[np.int64],
    ) -> None:
        from ...kernels.sparse.dictionary import GROUP, RECORD
        from ...kernels.sparse.dictionary_build import encode_terms

        units, widths, shapes, last = blocks
        records = np.zeros((len(terms), RECORD), np.int64)
        records[:, 1], records[:, 5], records[:, 6], records[:, 7] = counts, units, widths + 256 * shapes, last
        named = [self._name_before, *terms]
        sizes = np.fromiter(map(len, named), np.int64, len(named))
        names = np.frombuffer(b"".join(named), np.uint8)
        out = np.empty(30 * len(terms) + len(names), np.uint8)
        groups = np.empty(4 * ((self.terms + len(terms) + GROUP - 1) // GROUP - (self.terms + GROUP - 1) // GROUP), np.uint32)
        used = encode_terms(
            self.terms, self._characters, np.array([self.postings, self._blocks, start], np.int64),
            names, np.concatenate(([0], np.cumsum(sizes))), records, out, groups,
        )  # fmt: skip
        self._text.append(out[:used])
        self._groups.append(groups)
        self._dense.append((dense + self.terms).astype(np.uint32))
        self._impacts.append_ranges(ranges)
        self._name_before = terms[-1]
        self._characters += used
        self._blocks += int(((counts[counts > BLOCK] + BLOCK - 1) // BLOCK).sum())
        self.postings += int(counts.sum())
        self.terms += len(terms)

    def finish(self) -> None:
        """Complete the streams; nothing can be added afterwards."""
        self._packed.append(np.zeros(self._guard, np.uint16))


class Bm25Writer(PostingsWriter):
    """Writes a BM25 index of ``len(lengths)`` passages: dictionary and postings to ``folder``, impacts to ``impacts_folder``.

    ``lengths`` is uint32, the number of terms of each passage; `close` finishes both folders.
    """

    def __init__(
        self, folder: Path, impacts_folder: Path, lengths: NDArray[np.uint32], bm25: Bm25, average_length: float
    ) -> None:
        lengths = np.ascontiguousarray(lengths, np.uint32)
        self._structure = FolderWriter(folder)
        self._impacts_folder = ImpactsWriter.folder(impacts_folder, bm25, average_length)
        impacts, parameters = ImpactsWriter(self._impacts_folder), bm25.parameters(average_length)
        super().__init__(self._structure, impacts, len(lengths), lengths=lengths, parameters=parameters)

    def close(self) -> None:
        """Write the rest and make both folders durable."""
        self.finish()
        lengths, long = split_lengths(self._lengths)
        self._structure.write("lengths", lengths)
        self._structure.write("long_lengths", long)
        used = self._lengths[self._lengths > 0]
        self._structure.attributes.update(
            passages=self.passages,
            postings=self.postings,
            terms=self.terms,
            tokens=int(self._lengths.sum(dtype=np.int64)),
            shortest=int(used.min()) if len(used) else 1,
            longest=int(used.max()) if len(used) else 1,
        )
        self._structure.close()
        self._impacts_folder.close()
