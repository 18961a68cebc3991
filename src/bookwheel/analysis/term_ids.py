"""Index terms of texts, as numbers: each raw word is analysed once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .analyzer import Analyzer

__all__ = ["LexicalEncoder"]

_Number = TypeVar("_Number", np.int32, np.int64)


class LexicalEncoder:
    """Maps raw words (as a `WordTable` numbers them) to index terms, which it numbers in turn.

    One encoder belongs to one `WordTable`: the terms of a word are cached by its number.
    """

    def __init__(self, analyzer: Analyzer) -> None:
        self.analyzer = analyzer
        self.terms: list[str] = []
        """The text of each term, by its number."""
        self._numbers: dict[str, int] = {}
        self._words = 0
        self._indptr = np.zeros(1024, np.int64)
        self._stands_for = np.zeros(1024, np.int32)

    @property
    def nbytes(self) -> int:
        """Bytes held, about: of each term its text (64), its entry in a dictionary (72)
        and in a list; and the arrays.
        """
        return 144 * len(self.terms) + self._indptr.nbytes + self._stands_for.nbytes

    def encode(
        self, indptr: NDArray[np.int64], word_ids: NDArray[np.int32], words: Sequence[str]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Terms of texts whose raw words are ``word_ids``, numbers in ``words``; text i
        has those from ``indptr[i]`` on.

        Returns the same for terms: indptr int64 (n + 1), term numbers int32.
        """
        from ..kernels.expand import expand

        self._learn(words)
        if len(word_ids) and not 0 <= int(word_ids.min()) <= int(word_ids.max()) < self._words:
            raise ValueError(f"word IDs must be between 0 and {self._words - 1}")
        out_indptr, out = np.empty(len(indptr), np.int64), np.empty(len(word_ids) * 5 // 4 + 16, np.int32)
        stands = (self._indptr[: self._words + 1], self._stands_for)
        used = expand(indptr, word_ids, *stands, out_indptr, out)
        if used > len(out):
            out = np.empty(used, np.int32)
            expand(indptr, word_ids, *stands, out_indptr, out)
        return out_indptr, out[:used]

    def _learn(self, words: Sequence[str]) -> None:
        new = len(words) - self._words
        if new <= 0:
            return
        numbers, analyse = self._numbers, self.analyzer.terms
        counts: list[int] = []
        stands: list[int] = []
        for word in words[self._words :]:
            terms = analyse(word)
            counts.append(len(terms))
            for term in terms:
                number = numbers.get(term)
                if number is None:
                    number = numbers[term] = len(self.terms)
                    self.terms.append(term)
                stands.append(number)
        end = int(self._indptr[self._words])
        self._indptr = _room(self._indptr, len(words) + 1)
        self._stands_for = _room(self._stands_for, end + len(stands))
        self._indptr[self._words + 1 : len(words) + 1] = end + np.cumsum(counts)
        self._stands_for[end : end + len(stands)] = stands
        self._words = len(words)

    def query(self, text: str) -> tuple[list[str], list[int]]:
        """The distinct terms of a query, in order of their first place, and how often each occurs."""
        counts = Counter(self.analyzer(text))
        return list(counts), list(counts.values())


def _room(array: NDArray[_Number], size: int) -> NDArray[_Number]:
    """``array`` with room for ``size`` items."""
    if size <= len(array):
        return array
    larger = np.zeros(max(size, len(array) * 3 // 2), array.dtype)
    larger[: len(array)] = array
    return larger
