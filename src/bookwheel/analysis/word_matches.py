"""Where the words of a text are that have a wanted term; it is remembered which terms a word has."""

from __future__ import annotations

import threading
from collections.abc import Set
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from .analyzer import Analyzer
from .word_table import WordHash
from .words import PART_OF_WORD

__all__ = ["Matcher", "matcher"]

REMEMBERED = 1 << 16
"""Words of which it is remembered what terms they have, in about 7 MB: passages of one collection are made of the same words."""
FEW = 8
"""Texts that are matched in plain Python, before the compiled word table is worth loading."""


class Matcher:
    """Finds words by their terms, for one analyzer. Only grows, so that threads may share it."""

    def __init__(self, analyzer: Analyzer) -> None:
        self.analyzer = analyzer
        self._lock = threading.Lock()
        self._calls = 0
        self._table: WordHash | None = None
        self._words: list[str] = []
        """The words of the table, by number."""
        self._read = np.zeros(1024, np.bool_)
        """By number, whether a word was analysed."""
        self._beginnings = np.zeros(1024, np.uint16)
        """By number, the code of how all terms of a word begin; 0 where that is not certain."""
        self._by_term: dict[str, list[int]] = {}

    @property
    def full(self) -> bool:
        """Whether it remembers all it may: another is due."""
        return len(self._words) > REMEMBERED

    def spans(self, text: str, wanted: Set[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Starts and ends (exclusive, code points; int64) of the words of prepared ``text`` that have a term of ``wanted``."""
        data = text.encode()
        if self._calls < FEW:
            self._calls += 1
            known: dict[str, bool] = {}
            hits = np.array([self._has(word, wanted, known) for word in text.split()], np.bool_)
        else:
            with self._lock:
                numbers = self._numbers(data)
                self._analyse(numbers, wanted)
                chosen = np.zeros(len(self._words), np.bool_)
                chosen[list(chain.from_iterable(self._by_term.get(term, ()) for term in wanted))] = True
            hits = chosen[numbers]
        edges = np.flatnonzero(np.diff(np.frombuffer(b" %b " % data, np.uint8) != ord(" ")))
        starts, ends = edges[0::2][hits], edges[1::2][hits]
        if len(data) != len(text):
            before = np.cumsum((np.frombuffer(data + b" ", np.uint8) & 0xC0) != 0x80) - 1
            starts, ends = before[starts], before[ends]
        return starts, ends

    def _has(self, word: str, wanted: Set[str], known: dict[str, bool]) -> bool:
        found = known.get(word)
        if found is None:
            found = known[word] = not wanted.isdisjoint(self.analyzer.terms(word))
        return found

    def _numbers(self, data: bytes) -> NDArray[np.int32]:
        """The numbers of the words of ``data``, in order."""
        if self._table is None:
            self._table = WordHash(self._words, PART_OF_WORD)
        before = len(self._words)
        numbers = self._table.ids([data])[1]
        if (size := len(self._words)) > before:
            if size > len(self._read):
                more = np.zeros(max(size, 2 * len(self._read)) - len(self._read), np.uint16)
                self._read = np.concatenate((self._read, more.astype(np.bool_)))
                self._beginnings = np.concatenate((self._beginnings, more))
            self._beginnings[before:size] = [_code(self.analyzer.beginning(word)) for word in self._words[before:]]
        return numbers

    def _analyse(self, numbers: NDArray[np.int32], wanted: Set[str]) -> None:
        """Learn the terms of those words that may have one of ``wanted``: most never need to be analysed."""
        possible = np.zeros(1 << 16, np.bool_)
        possible[0] = True
        for term in wanted:
            code = _code(term[:2])
            possible[code : code + (256 if len(term) == 1 else 1)] = True
        for number in set(numbers[possible[self._beginnings[numbers]] & ~self._read[numbers]].tolist()):
            for term in set(self.analyzer.terms(self._words[number])):
                self._by_term.setdefault(term, []).append(number)
            self._read[number] = True


def _code(beginning: str) -> int:
    """Of one or two ASCII characters as 16 bits; 0 for any others."""
    return int.from_bytes(beginning.encode().ljust(2, b"\0")) if beginning.isascii() else 0


@lru_cache(maxsize=8)
def _holder(analyzer: Analyzer) -> list[Matcher]:
    return [Matcher(analyzer)]


def matcher(analyzer: Analyzer) -> Matcher:
    """The process's matcher of ``analyzer``: a new one where the last is full."""
    holder = _holder(analyzer)
    if holder[0].full:
        holder[0] = Matcher(analyzer)
    return holder[0]
