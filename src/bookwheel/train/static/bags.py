"""Texts as bags of word pieces: rows of the table of vectors, with how often each occurs."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...analysis.words import split_words
from ...encode.static.wordpiece import WordPiece

__all__ = ["Bagger", "Bags"]


@dataclass(frozen=True)
class Bags:
    """Bag ``i`` has the rows ``rows[indptr[i]:indptr[i + 1]]``, ``counts`` times each.

    ``indptr`` int64 (n + 1,), ``rows`` int32 (total,), ``counts`` float32 (total,).
    """

    indptr: NDArray[np.int64]
    rows: NDArray[np.int32]
    counts: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return self.indptr.nbytes + self.rows.nbytes + self.counts.nbytes

    def take(self, chosen: NDArray[np.int64]) -> Bags:
        """The bags ``chosen``, in that order."""
        starts, lengths = self.indptr[chosen], np.diff(self.indptr)[chosen]
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        places = np.repeat(starts - indptr[:-1], lengths) + np.arange(indptr[-1])
        return Bags(indptr, self.rows[places], self.counts[places])

    @classmethod
    def joined(cls, parts: Sequence[Bags]) -> Bags:
        """The bags of ``parts``, one after another."""
        offsets = np.cumsum([0, *(len(part.rows) for part in parts)])
        indptr = [part.indptr[1:] + at for part, at in zip(parts, offsets, strict=False)]
        return cls(
            np.concatenate([np.zeros(1, np.int64), *indptr]),
            np.concatenate([np.empty(0, np.int32), *(part.rows for part in parts)]),
            np.concatenate([np.empty(0, np.float32), *(part.counts for part in parts)]),
        )

    def scaled(self, factors: NDArray[np.float32]) -> Bags:
        """The counts of each bag times its factor (n,)."""
        return Bags(self.indptr, self.rows, self.counts * np.repeat(factors, np.diff(self.indptr)))

    @classmethod
    def side_by_side(cls, parts: Sequence[Bags]) -> Bags:
        """Bag ``i`` has what bag ``i`` of each of ``parts`` has; a row may then occur more than once in it."""
        lengths = [np.diff(part.indptr) for part in parts]
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.sum(lengths, axis=0))])
        rows, counts = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.float32)
        starts = indptr[:-1].copy()
        for part, some in zip(parts, lengths, strict=True):
            places = np.repeat(starts - part.indptr[:-1], some) + np.arange(len(part.rows))
            rows[places], counts[places] = part.rows, part.counts
            starts += some
        return cls(indptr, rows, counts)

    def document_frequency(self, rows: int) -> NDArray[np.int64]:
        """In how many bags each of ``rows`` rows occurs."""
        return np.bincount(self.rows, minlength=rows)


class Bagger:
    """Cuts texts into the ``pieces`` of a vocabulary; what has no piece is left out."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self._cut = WordPiece.of({piece: row for row, piece in enumerate(pieces)}, -1)
        self._words: dict[str, list[int]] = {}

    def of_word(self, word: str) -> list[int]:
        """The rows of a word."""
        known = self._words.get(word)
        if known is None:
            if len(self._words) >= REMEMBERED:
                self._words.clear()
            known = self._words[word] = [row for row in self._cut(word) if row >= 0]
        return known

    def __call__(self, texts: Iterable[str]) -> Bags:
        """The bags of ``texts``."""
        rows, counts, ends = array("i"), array("f"), array("q", [0])
        of_word = self.of_word
        for text in texts:
            bag: dict[int, int] = {}
            for word in split_words(text):
                for row in of_word(word):
                    bag[row] = bag.get(row, 0) + 1
            rows.extend(bag)
            counts.extend(bag.values())
            ends.append(len(rows))
        return Bags(np.array(ends, np.int64), np.array(rows, np.int32), np.array(counts, np.float32))


REMEMBERED = 200_000
"""Words whose pieces are remembered, some 30 MB."""
