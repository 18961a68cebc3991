"""Building a BM25 index: postings are gathered in memory at 5 bytes each, and counting-sorted by term when written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...kernels.bm25 import Bm25
from .writer import Bm25Writer

__all__ = ["Bm25Builder", "Counted", "count"]

SORTED = 1 << 19
"""Postings sorted at a time when writing (8 bytes each), or an eighth of all if more; each time all batches are read."""
NAMED = 1 << 14
"""Terms that are written at a time: where all of them are rare, their names and places take more than their postings."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Passages with their different terms: passage i has ``terms[indptr[i]:indptr[i + 1]]``, each once."""

    indptr: NDArray[np.int64]
    terms: NDArray[np.int32]
    frequencies: NDArray[np.uint8]
    """How often each is there, at most 255."""
    large: NDArray[np.uint32]
    """Of those that are there 255 times or more, in order, how often."""
    lengths: NDArray[np.uint32]
    """Terms of each passage, with repeats; some may count as half a word."""


def count(
    indptr: NDArray[np.int64], term_ids: NDArray[np.int32], slots: NDArray[np.int32], halves: NDArray[np.int64] | None = None
) -> Counted:
    """Count the terms of passages: passage i has ``term_ids[indptr[i]:indptr[i + 1]]``, with repeats.

    ``slots`` has room for each term's number, and may hold anything. ``halves`` says how many terms of each passage count as
    half a word in its length: int64 of shape (passages,); none where None.
    """
    from ...kernels.sparse.build import count_terms

    passages, tokens = len(indptr) - 1, len(term_ids)
    terms, frequencies = np.empty(tokens, np.int32), np.empty(tokens, np.int32)
    lengths, out_indptr = np.empty(passages, np.uint32), np.empty(passages + 1, np.int64)
    large = np.empty(tokens // 255 + 1, np.uint32)
    used, many = count_terms(indptr, term_ids, slots, terms, frequencies, lengths, out_indptr, large)
    if halves is not None:
        lengths -= (halves // 2).astype(np.uint32)
    short = np.minimum(frequencies[:used], 255).astype(np.uint8)
    return Counted(out_indptr, terms[:used].copy(), short, large[:many].copy(), lengths)


@dataclass(frozen=True, slots=True)
class _Batch:
    first: NDArray[np.int64]
    counted: Counted


class Bm25Builder:
    """One segment of a BM25 index, held in memory until `close` writes it.

    Passages are numbered from 0 in the order they are added. The caller numbers the terms and may add terms at any time; it
    watches `nbytes` and closes the segment when its memory is full.
    """

    def __init__(self) -> None:
        self.passages = 0
        self.postings = 0
        self.tokens = 0
        self._batches: list[_Batch | None] = []
        self._slots = np.zeros(1024, np.int32)
        self._frequencies = np.zeros(1024, np.int64)
        self._bytes = 0

    @property
    def nbytes(self) -> int:
        """Bytes held now plus the peak of `close`: the postings being sorted, and about 150 bytes per term for its name."""
        terms = len(self._slots)
        return self._bytes + self._slots.nbytes + self._frequencies.nbytes + 8 * self._sorted() + 150 * terms

    def _sorted(self) -> int:
        return max(SORTED, self.postings // 8)

    def reserve(self, passages: int) -> tuple[int, int]:
        """Leave room for so many passages, whose terms come later: what `add` takes as ``reserved``."""
        self._batches.append(None)
        self.passages += passages
        return len(self._batches) - 1, self.passages - passages

    def add(
        self,
        indptr: NDArray[np.int64],
        term_ids: NDArray[np.int32],
        reserved: tuple[int, int] | None = None,
        halves: NDArray[np.int64] | None = None,
    ) -> None:
        """Add passages: passage i has the terms ``term_ids[indptr[i]:indptr[i + 1]]``, with repeats, each id at least 0.

        ``reserved``: they are those that `reserve` left room for. ``halves``: see `count`.
        """
        indptr = np.ascontiguousarray(indptr, np.int64)
        term_ids = np.ascontiguousarray(term_ids, np.int32)
        passages, tokens = len(indptr) - 1, len(term_ids)
        if passages < 1:
            return
        if indptr[0] != 0 or indptr[-1] != tokens or np.any(indptr[1:] < indptr[:-1]):
            raise ValueError(f"indptr must rise from 0 to the number of term ids, {tokens}")
        if tokens:
            if int(term_ids.min()) < 0:
                raise ValueError("term ids must not be negative")
            self._grow(int(term_ids.max()) + 1)
        self.add_counted(count(indptr, term_ids, self._slots, halves), reserved)

    def add_counted(self, counted: Counted, reserved: tuple[int, int] | None = None) -> None:
        """Add passages whose terms were counted already; each number of a term is at least 0."""
        passages = len(counted.lengths)
        if passages < 1:
            return
        if len(counted.terms):
            self._grow(int(counted.terms.max()) + 1)
        place, first = self.reserve(passages) if reserved is None else reserved
        self._batches[place] = _Batch(np.array([first], np.int64), counted)
        np.add.at(self._frequencies, counted.terms, 1)
        self.postings += len(counted.terms)
        self.tokens += int(counted.lengths.sum(dtype=np.int64))
        self._bytes += 5 * len(counted.terms) + 12 * passages + 4 * len(counted.large) + 500

    def _grow(self, terms: int) -> None:
        if terms > len(self._slots):
            size = max(terms, len(self._slots) * 3 // 2)
            self._slots = np.zeros(size, np.int32)
            self._frequencies = np.concatenate((self._frequencies, np.zeros(size - len(self._frequencies), np.int64)))

    def close(
        self,
        folder: Path,
        impacts_folder: Path,
        terms: Sequence[str],
        bm25: Bm25 | None = None,
        average_length: float | None = None,
    ) -> None:
        """Write the segment. ``terms[i]`` is the text of term i; texts must differ.

        ``average_length`` is that of the collection; None uses that of these passages.
        """
        from ...kernels.sparse.build import distribute

        if average_length is None:
            average_length = self.tokens / max(self.passages, 1)
        batches = [batch for batch in self._batches if batch is not None]
        if len(batches) < len(self._batches):
            raise ValueError("there are passages whose terms are still to come")
        lengths = np.concatenate([batch.counted.lengths for batch in batches]) if batches else np.empty(0, np.uint32)
        writer = Bm25Writer(folder, impacts_folder, lengths, bm25 or Bm25(), average_length)
        used = np.flatnonzero(self._frequencies)
        names = [terms[i] for i in used.tolist()]
        order = np.array(sorted(range(len(names)), key=names.__getitem__), np.int64)
        ranks = np.full(len(self._slots), -1, np.int32)
        ranks[used[order]] = np.arange(len(order), dtype=np.int32)
        counts = self._frequencies[used[order]]
        bounds = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=bounds[1:])
        low = 0
        while low < len(counts):
            high = max(int(np.searchsorted(bounds, bounds[low] + self._sorted(), side="right")) - 1, low + 1)
            size = int(bounds[high] - bounds[low])
            passages, frequencies = np.empty(size, np.uint32), np.empty(size, np.uint32)
            cursors = bounds[low:high] - bounds[low]
            for batch in batches:
                b = batch.counted
                distribute(
                    b.indptr, b.terms, b.frequencies, b.large, batch.first, low, high, ranks, cursors, passages, frequencies
                )
            for at in range(low, high, NAMED):
                end = min(at + NAMED, high)
                here = slice(int(bounds[at] - bounds[low]), int(bounds[end] - bounds[low]))
                texts = [names[i].encode("utf-8", "surrogatepass") for i in order[at:end]]
                writer.add(texts, counts[at:end], passages[here], frequencies[here])
            low = high
        writer.close()
        self._batches.clear()
