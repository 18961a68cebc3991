"""Where the words of a text are that have a wanted term.

Most words are ruled out by how they begin, since it is known of many languages that a term begins as its word does. The others are
analysed, and it is remembered which terms they have.
"""

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
FEW = 1 << 12
"""Words, and a quarter of all, that are looked up one by one in plain Python: of more, a compiled table is quicker."""

_LOWERED = bytes(range(256)).lower().replace(b" ", b"\0")
"""For `bytes.translate`: how a byte counts for how a word begins. A space is the end of a word of one letter."""
_SPACE, _PLAIN, _CAPITAL, _ODD = range(4)


def _kind(code: int) -> int:
    if code == ord(" "):
        return _SPACE
    if code > 127 or not chr(code).isalnum():
        return _ODD
    return _CAPITAL if chr(code).isupper() else _PLAIN


_KINDS = bytes(map(_kind, range(256)))


class _Known(dict[bytes, "str | tuple[str, ...]"]):
    """The terms of words in UTF-8, each analysed when it is first looked up; one alone is not in a tuple."""

    def __init__(self, analyzer: Analyzer) -> None:
        self._analyzer = analyzer

    def __missing__(self, word: bytes) -> str | tuple[str, ...]:
        terms = self._analyzer.terms(word.decode())
        found = self[word] = terms[0] if len(terms) == 1 else terms
        return found


class Matcher:
    """Finds words by their terms, for one analyzer. Only grows, so that threads may share it."""

    def __init__(self, analyzer: Analyzer) -> None:
        self.analyzer = analyzer
        self._known = _Known(analyzer)
        self._lock = threading.Lock()
        self._table: WordHash | None = None
        self._words: list[str] = []
        """The words of the table, by number."""
        self._read = np.zeros(1024, np.bool_)
        """By number, whether a word was analysed."""
        self._by_term: dict[str, list[int]] = {}

    @property
    def full(self) -> bool:
        """Whether it remembers all it may: another is due."""
        return len(self._words) > REMEMBERED or 2 * len(self._known) > REMEMBERED

    def spans(self, data: bytes, wanted: Set[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Starts and ends (exclusive, code points; int64) of the words of prepared text that have a term of ``wanted``.

        ``data``: the text in UTF-8.
        """
        around = b" %b  " % data
        kinds = np.frombuffer(around.translate(_KINDS), np.uint8)
        is_space = kinds == _SPACE
        edges = np.flatnonzero(is_space[1:] != is_space[:-1])
        starts, ends = edges[0::2], edges[1::2]
        possible = np.flatnonzero(self._possible(around, kinds, is_space, starts, wanted))
        firsts, lasts = starts[possible], ends[possible]
        if len(possible) <= max(FEW, len(starts) // 4):
            known = self._known
            words = [known[data[start:end]] for start, end in zip(firsts.tolist(), lasts.tolist(), strict=True)]
            fits = np.array(
                [word in wanted if word.__class__ is str else not wanted.isdisjoint(word) for word in words], np.bool_
            )
        else:
            fits = self._by_table(data, possible, wanted)
        starts, ends = firsts[fits], lasts[fits]
        if not data.isascii():
            inside = np.flatnonzero((np.frombuffer(data, np.uint8) & 0xC0) == 0x80)  # bytes that begin no code point
            starts, ends = starts - np.searchsorted(inside, starts), ends - np.searchsorted(inside, ends)
        return starts, ends

    def _possible(
        self,
        around: bytes,
        kinds: NDArray[np.uint8],
        is_space: NDArray[np.bool_],
        starts: NDArray[np.int64],
        wanted: Set[str],
    ) -> NDArray[np.bool_]:
        """Which of the words that begin at ``starts`` may have one of the terms ``wanted``: bool (words,)."""
        changed = self.analyzer.changed_beginnings
        if changed is None:
            return np.ones(len(starts), np.bool_)
        fitting = np.zeros((256, 256), np.bool_)
        for term in wanted:
            if term[:2].isascii() and term:  # others only words with other characters have
                fitting[ord(term[0]), ord(term[1]) if len(term) > 1 else slice(None)] = True
        for letter in changed:
            fitting[:, ord(letter)] = fitting[ord(letter), 0] = True
        lowered = np.frombuffer(around.translate(_LOWERED), np.uint8)[1:]
        possible: NDArray[np.bool_] = fitting[lowered[starts], lowered[1:][starts]]
        # Words with other characters than ASCII letters and digits, or with a capital inside, may be several terms.
        odd = np.flatnonzero(kinds[1:] > is_space[:-1] + np.uint8(_PLAIN))
        possible[np.searchsorted(starts, odd, side="right") - 1] = True
        return possible

    def _by_table(self, data: bytes, words: NDArray[np.int64], wanted: Set[str]) -> NDArray[np.bool_]:
        """Whether each of ``words`` (their places among all of ``data``) has one of the terms ``wanted``: bool (words,)."""
        with self._lock:
            if self._table is None:
                self._table = WordHash(self._words, PART_OF_WORD)
            numbers = self._table.ids([data])[1][words]
            if len(self._words) > len(self._read):
                more = max(len(self._words), 2 * len(self._read)) - len(self._read)
                self._read = np.concatenate((self._read, np.zeros(more, np.bool_)))
            for number in set(numbers[~self._read[numbers]].tolist()):
                for term in set(self.analyzer.terms(self._words[number])):
                    self._by_term.setdefault(term, []).append(number)
                self._read[number] = True
            chosen = np.zeros(len(self._words), np.bool_)
            chosen[list(chain.from_iterable(self._by_term.get(term, ()) for term in wanted))] = True
        return chosen[numbers]


@lru_cache(maxsize=8)
def _holder(analyzer: Analyzer) -> list[Matcher]:
    return [Matcher(analyzer)]


def matcher(analyzer: Analyzer) -> Matcher:
    """The process's matcher of ``analyzer``: a new one where the last is full."""
    holder = _holder(analyzer)
    if holder[0].full:
        holder[0] = Matcher(analyzer)
    return holder[0]
