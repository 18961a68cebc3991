"""Which words of a text share a term with a query."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterable, Set
from functools import lru_cache

from .analyzer import Analyzer
from .scripts import UNSPACED, bigrams, runs
from .words import prepared, spans_of

__all__ = ["Highlighter", "highlight"]

REMEMBERED = 1 << 15
"""Words of which it is remembered what terms they have: passages of one
collection are made of the same words.
"""


class Highlighter:
    """Marks in many texts the words that share a term with one query;
    ``terms`` are the query's, analysed.
    """

    def __init__(self, terms: Iterable[str], analyzer: Analyzer) -> None:
        self.wanted = frozenset(terms)
        self.analyzer = analyzer
        self._known = _known_words(analyzer)

    def __call__(self, text: str) -> list[tuple[int, int]]:
        """Start and end (exclusive, code points) of each such word of ``text``, in order.

        In scripts without spaces the matching characters are marked, not the whole run.
        """
        found: list[tuple[int, int]] = []
        if not self.wanted:
            return found
        if len(self._known.met) > REMEMBERED:
            self._known = _known_words(self.analyzer)
        plain = prepared(text)
        words = set(plain.split())
        if not plain.isascii() and UNSPACED.search(plain):
            for word, start, _ in spans_of(text):
                if UNSPACED.search(word):
                    found.extend((start + first, start + last) for first, last in _inside(word, self.wanted, self.analyzer))
                    words.discard(word)
        if matching := self._known.matching(words, self.wanted):
            spaced = f" {plain} "
            for word in matching:
                at = spaced.find(f" {word} ")
                while at >= 0:
                    found.append((at, at + len(word)))
                    at = spaced.find(f" {word} ", at + len(word) + 1)
        found.sort()
        return found


def highlight(text: str, query: str | Iterable[str], analyzer: Analyzer) -> list[tuple[int, int]]:
    """What `Highlighter` gives for one text; ``query``: a text, or terms."""
    return Highlighter(analyzer(query) if isinstance(query, str) else query, analyzer)(text)


class _Words:
    """Words met, and by each term those that have it. Only grows, so that threads may share it."""

    def __init__(self, analyzer: Analyzer) -> None:
        self.analyzer = analyzer
        self.met: set[str] = set()
        self.by_term: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()

    def matching(self, words: set[str], wanted: Set[str]) -> set[str]:
        """Those of ``words`` with a term of ``wanted``."""
        if new := words - self.met:
            self._learn(new)
        found: set[str] = set()
        for term in wanted:
            found.update(self.by_term.get(term, ()))
        return found & words

    def _learn(self, words: set[str]) -> None:
        with self._lock:
            for word in words - self.met:
                for term in set(self.analyzer.terms(word)):
                    self.by_term[term] = (*self.by_term.get(term, ()), word)
            self.met |= words


@lru_cache(maxsize=8)
def _holder(analyzer: Analyzer) -> list[_Words]:
    return [_Words(analyzer)]


def _known_words(analyzer: Analyzer) -> _Words:
    holder = _holder(analyzer)
    if len(holder[0].met) > REMEMBERED:
        holder[0] = _Words(analyzer)
    return holder[0]


def _inside(word: str, wanted: frozenset[str], analyzer: Analyzer) -> list[tuple[int, int]]:
    """The spans inside a raw word with unspaced script whose terms are
    wanted; touching ones are joined.
    """
    hits: list[tuple[int, int]] = []
    position = 0
    for run in runs(word):
        units = bigrams(run) if UNSPACED.match(run) else [run]
        at = position
        for unit in units:
            if not wanted.isdisjoint(analyzer.terms(unit)):
                first, last = at, at + len(unit)
                if hits and first <= hits[-1][1]:
                    hits[-1] = (hits[-1][0], max(last, hits[-1][1]))
                else:
                    hits.append((first, last))
            at += _step(unit)
        position += len(run)
    return hits


def _step(unit: str) -> int:
    """The length of the first character of a pair, with its marks."""
    length = 1
    while length < len(unit) and unicodedata.category(unit[length])[0] == "M":
        length += 1
    return length
