"""Which words of a text share a term with a query."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from .analyzer import Analyzer
from .library_analyzer import LibraryAnalyzer
from .scripts import UNSPACED, bigrams, has_unspaced, lone, plain, runs
from .scripts import units as characters
from .word_matches import matcher
from .words import prepared_bytes, spans_of

__all__ = ["Highlighter", "QueryHighlighter", "highlight"]


class Highlighter:
    """Marks in many texts the words that share a term with one query;
    ``terms`` are the query's, analysed.
    """

    def __init__(self, terms: Iterable[str], analyzer: Analyzer) -> None:
        self.wanted = frozenset(terms)
        self.analyzer = analyzer

    def __call__(self, text: str) -> list[tuple[int, int]]:
        """Start and end (exclusive, code points) of each such word of ``text``, in order.

        In scripts without spaces the matching characters are marked, not the whole run.
        """
        return self.many([text])[0]

    def many(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """The spans of each of ``texts``, as `__call__` gives them: quicker than one text after another."""
        found: list[list[tuple[int, int]]] = [[] for _ in texts]
        if not self.wanted or not texts:
            return found
        # A line break belongs to no word, so the words of the joined texts are those of each.
        data = prepared_bytes(texts)
        starts, ends = matcher(self.analyzer).spans(data, self.wanted)
        owner, shift, after = -1, 0, 0
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            while start >= after:
                owner, shift = owner + 1, after
                after += len(texts[owner]) + 1
            found[owner].append((start - shift, end - shift))
        if not data.isascii():
            for text, spans in zip(texts, found, strict=True):
                if not has_unspaced(text):
                    continue
                spans[:] = sorted(chain((span for span in spans if not UNSPACED.search(text, *span)), self._unspaced(text)))
        return found

    def _unspaced(self, text: str) -> Iterator[tuple[int, int]]:
        """The wanted parts of the words of ``text`` in scripts without spaces."""
        for word, start, _ in spans_of(text):
            if UNSPACED.search(word):
                for first, last in _inside(word, self.wanted, self.analyzer):
                    yield start + first, start + last


class QueryHighlighter:
    """Marks the words that share a term with the text of a query, each text read in the language that it is indexed in."""

    def __init__(self, query: str, analyzer: LibraryAnalyzer) -> None:
        self._query = query
        self._analyzer = analyzer
        self._each: dict[str | None, Highlighter] = {}

    def __call__(self, text: str, language: str | None = None) -> list[tuple[int, int]]:
        """As of `Highlighter`; ``language``: see `many`."""
        return self.many([text], [language])[0]

    def many(self, texts: Sequence[str], languages: Sequence[str | None]) -> list[list[tuple[int, int]]]:
        """As of `Highlighter`; ``languages`` are those that the documents of ``texts`` were found to be in."""
        known = self._analyzer.languages
        read = [one if (one := self._analyzer.analysed_as(language)) in known else known[0] for language in languages]
        found: list[list[tuple[int, int]]] = [[] for _ in texts]
        for language in set(read):
            at = [number for number, one in enumerate(read) if one == language]
            for number, spans in zip(at, self._in(language).many([texts[number] for number in at]), strict=True):
                found[number] = spans
        return found

    def _in(self, language: str | None) -> Highlighter:
        if (one := self._each.get(language)) is None:
            analyzer = self._analyzer.of(language)
            one = self._each[language] = Highlighter(analyzer(self._query), analyzer)
        return one


def highlight(text: str, query: str | Iterable[str], analyzer: Analyzer) -> list[tuple[int, int]]:
    """What `Highlighter` gives for one text; ``query``: a text, or terms."""
    return Highlighter(analyzer(query) if isinstance(query, str) else query, analyzer)(text)


def _inside(word: str, wanted: frozenset[str], analyzer: Analyzer) -> list[tuple[int, int]]:
    """The spans inside a raw word with unspaced script whose terms are
    wanted; touching ones are joined.
    """
    hits: list[tuple[int, int]] = []
    single = any(map(lone, wanted))
    position = 0
    for run in runs(word):
        units = bigrams(run) if UNSPACED.match(run) else [run]
        at = position
        if single and UNSPACED.match(run):
            for unit in characters(run):
                if unit in wanted:
                    hits.append((at, at + len(unit)))
                at += len(unit)
            at = position
        whole = plain(run)  # each pair of such characters is a term as it is
        for unit in units:
            if unit in wanted if whole else not wanted.isdisjoint(analyzer.terms(unit)):
                first, last = at, at + len(unit)
                if hits and first <= hits[-1][1]:
                    hits[-1] = (hits[-1][0], max(last, hits[-1][1]))
                else:
                    hits.append((first, last))
            at += 1 if whole else _step(unit)
        position += len(run)
    return sorted(set(hits)) if single else hits


def _step(unit: str) -> int:
    """The length of the first character of a pair, with its marks."""
    length = 1
    while length < len(unit) and unicodedata.category(unit[length])[0] == "M":
        length += 1
    return length
