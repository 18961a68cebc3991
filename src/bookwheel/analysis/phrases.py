"""Where a text has certain words in a row: every place, with its start and end.

What fits what is the same question that the index answers, asked of the text itself: a word fits if it has all terms of the word
that is sought, in the text's language (``panel`` fits *Panels* and *panel*). Stop words fit themselves. Signs and line ends
between words do not matter, but what is a form of its own by its signs (``C++``, ``R&D``, ``node.js``) is sought as it is written,
whatever the case.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from .._errors import QueryError
from .analyzer import MAX_WORD, Analyzer
from .folding import folded
from .library_analyzer import LibraryAnalyzer
from .scripts import UNSPACED, normal, runs, units
from .whole_forms import whole_forms
from .word_matches import Matcher
from .words import prepared, spans_of

__all__ = ["PhraseFinder", "literal_pattern"]

Span = tuple[int, int]
_WORD = re.compile(r"\S+")
REMEMBERED = 1 << 14
"""Words whose keys are remembered."""


class PhraseFinder:
    """Finds one phrase in texts of any of the languages of a library.

    With ``exact`` a word fits only itself, whatever its case. Raises `QueryError` for a text without words or
    symbols.
    """

    def __init__(self, phrase: str, analyzer: LibraryAnalyzer, *, exact: bool = False) -> None:
        self.phrase = " ".join(phrase.split())
        self.exact = exact
        self._analyzer = analyzer
        self._words = [word for word, _, _ in spans_of(self.phrase)]
        forms = whole_forms(self.phrase)
        if not self._words and not forms:
            raise QueryError(f"{phrase!r:.80} has no word to look for; give at least one")
        self._literal = literal_pattern(self.phrase) if forms else None
        self.unspaced = self._literal is None and UNSPACED.search(self.phrase) is not None
        """Whether it has characters of a script without spaces, whose words the index does not know whole."""
        self._by_language: dict[str | None, _InLanguage] = {}

    def spans(self, text: str, language: str | None) -> list[Span]:
        """Start and end (code points) of each place, rising; ``language``: that of the document, None for any."""
        if self._literal is not None:
            return [match.span() for match in self._literal.finditer(text)]
        if self.unspaced:
            return list(_character_spans(text, self.phrase))
        kind = self._analyzer.analysed_as(language)
        if kind not in self._analyzer.languages:
            kind = self._analyzer.main
        found = self._by_language.get(kind)
        if found is None:
            found = self._by_language[kind] = _InLanguage(self._words, self._analyzer.of(kind), exact=self.exact)
        return found.spans(text)


class _InLanguage:
    """The words of a phrase as one analyzer takes them."""

    def __init__(self, words: Sequence[str], analyzer: Analyzer, *, exact: bool) -> None:
        self._analyzer = analyzer
        self._exact = exact
        self._wanted = [_key(word, analyzer, exact=exact) for word in words]
        terms = [analyzer.terms(word) for word in words]
        longest = max(range(len(words)), key=lambda at: (bool(terms[at]), len(words[at])))
        self._anchor = longest if terms[longest] else None
        """The word that is looked for first: by its first term; None where all are stop words."""
        self._terms = frozenset(terms[longest][:1])
        self._known: dict[str, frozenset[str]] = {}
        self._matcher = Matcher(analyzer)
        """Of its own, so that the words of all texts that one scan reads do not stay in memory."""

    def spans(self, text: str) -> list[Span]:
        """See `PhraseFinder.spans`."""
        plain = prepared(text)
        if self._anchor is None:
            every = [(match.start(), match.end()) for match in _WORD.finditer(plain)]
            last = len(every) - len(self._wanted) + 1
            return [
                (every[at][0], every[at + len(self._wanted) - 1][1])
                for at in range(last)
                if all(self._fits(plain[slice(*every[at + i])], i) for i in range(len(self._wanted)))
            ]
        if self._matcher.full:
            self._matcher = Matcher(self._analyzer)
        starts, ends = self._matcher.spans(plain.encode(), self._terms)
        found = (self._around(plain, start, end) for start, end in zip(starts.tolist(), ends.tolist(), strict=True))
        return [span for span in found if span is not None]

    def _around(self, plain: str, start: int, end: int) -> Span | None:
        """The place of the phrase whose anchor is the word from ``start`` to ``end``."""
        assert self._anchor is not None
        if not self._fits(plain[start:end], self._anchor):
            return None
        first, last = start, end
        for wanted in range(self._anchor - 1, -1, -1):
            right = _back(plain, first)
            left = plain.rfind(" ", 0, right) + 1
            if left == right or not self._fits(plain[left:right], wanted):
                return None
            first = left
        for wanted in range(self._anchor + 1, len(self._wanted)):
            word = _WORD.search(plain, last)
            if word is None or not self._fits(word.group(), wanted):
                return None
            last = word.end()
        return first, last

    def _fits(self, word: str, wanted: int) -> bool:
        key = self._known.get(word)
        if key is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            key = self._known[word] = _key(word, self._analyzer, exact=self._exact)
        return self._wanted[wanted] <= key


def _back(plain: str, end: int) -> int:
    """The end of the word before ``end``; 0 where there is none."""
    while end and plain[end - 1] == " ":
        end -= 1
    return end


def _key(word: str, analyzer: Analyzer, *, exact: bool) -> frozenset[str]:
    """What a word is compared by: its terms, or itself where it has none, is too long to be one, or is sought exactly."""
    own = unicodedata.normalize("NFKC", word.casefold())
    if exact or len(word) > MAX_WORD:
        return frozenset((own,))
    return frozenset(analyzer.terms(word) or (folded(own),))


@lru_cache(64)
def literal_pattern(phrase: str) -> re.Pattern[str]:
    """``phrase`` as it is written, whatever the case and the spaces between its words, and not inside a longer word."""
    written = r"\s+".join(re.escape(part) for part in phrase.split())
    before = r"(?<!\w)" if phrase[:1].isalnum() else ""
    after = r"(?!\w)" if phrase[-1:].isalnum() else ""
    return re.compile(before + written + after, re.IGNORECASE)


def _character_spans(text: str, phrase: str) -> Iterator[Span]:
    """The places of a phrase with characters of scripts without spaces: characters and words in a row, spaces aside."""
    wanted = [piece for piece, _, _ in _pieces(phrase)]
    first = wanted[0][:1]
    if first not in text and first not in normal(text).casefold():
        return
    pieces = list(_pieces(text))
    keys = [key for key, _, _ in pieces]
    at = -1
    while True:
        try:
            at = keys.index(wanted[0], at + 1)
        except ValueError:
            return
        if keys[at : at + len(wanted)] == wanted:
            yield pieces[at][1], pieces[at + len(wanted) - 1][2]


def _pieces(text: str) -> Iterator[tuple[str, int, int]]:
    """Characters of scripts without spaces, and words of others, each normalised, with start and end."""
    for word, start, _ in spans_of(text):
        at = start
        for run in runs(word):
            if not UNSPACED.match(run):
                yield folded(normal(run).casefold()), at, at + len(run)
                at += len(run)
                continue
            held: tuple[str, int, int] | None = None
            for unit in units(run):
                key = normal(unit)
                if held is not None and unicodedata.category(key[0])[0] == "M":  # a half-width voiced mark
                    held = normal(held[0] + key), held[1], at + len(unit)
                else:
                    if held is not None:
                        yield held
                    held = key, at, at + len(unit)
                at += len(unit)
            if held is not None:
                yield held
