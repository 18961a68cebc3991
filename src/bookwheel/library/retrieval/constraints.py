"""Required and excluded words and phrases: bitmaps of postings, and the texts for the order of words in phrases."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ...analysis.folding import folded
from ...analysis.library_analyzer import LibraryAnalyzer
from ...analysis.phrases import literal_pattern
from ...analysis.scripts import UNSPACED, normal, runs, units
from ...analysis.whole_forms import whole_forms
from ...analysis.words import split_words, word_pieces
from ...hits import Hits
from ...rank.query import Constraints
from ...rank.retriever import Retriever
from ..passage_texts import texts_in_turn
from ..segment import Segment, bitmap
from ..snapshot import Masks, Snapshot
from .query_terms import expanded

__all__ = ["MOST_TEXTS", "FillingRetriever", "PhraseCheck", "PhraseRetriever", "constrained_masks"]

MOST_TEXTS = 20_000
"""The most texts that one search reads for its phrases, about half a second."""

Key = tuple[str, ...]
_NONE = np.empty(0, np.int64)


def constrained_masks(snapshot: Snapshot, constraints: Constraints, masks: Masks) -> Masks:
    """``masks`` without the passages that lack a required word or have an excluded one; `PhraseCheck` checks the rest.

    The words of a required phrase are required. A word that is a stop word in every language has no effect.
    """
    analyzer = snapshot.analyzer
    required = [forms for text in constraints.required for forms in _parts(snapshot, text) if forms]
    excluded = [_parts(snapshot, text) for text in constraints.excluded if not _needs_text(analyzer, text)]
    narrowed: list[NDArray[np.uint64] | None] = []
    for segment, mask in zip(snapshot.segments, masks, strict=True):
        bits = mask
        for forms in dict.fromkeys(required):
            found = _bits(segment, [forms])
            bits = found if bits is None else bits & found
        for parts in excluded:
            if any(parts):
                found = _bits(segment, [forms for forms in parts if forms])
                bits = bitmap(len(segment.ids), _NONE, False) & ~found if bits is None else bits & ~found
        if constraints.without:
            _, local = segment.locate(np.array(constraints.without, np.int64))
            others = bitmap(len(segment.ids), local, False)
            bits = others if bits is None else bits & others
        narrowed.append(bits)
    return narrowed


def _parts(snapshot: Snapshot, text: str) -> list[Key]:
    """The parts of the words of ``text``, each with its forms in the languages of the library; without any where it says nothing.

    A part that is a stop word in some languages only has none either: the texts tell.
    """
    analyzer = snapshot.analyzer
    found: list[Key] = []
    for word in analyzer.words(text):
        for form in analyzer.forms(word):
            terms = dict.fromkeys(form.values())
            found.append(() if "" in terms else tuple(one for term in terms for one in expanded(snapshot, term)))
    return found


def _bits(segment: Segment, parts: Sequence[Key]) -> NDArray[np.uint64]:
    """The passages of ``segment`` that have, of each of ``parts``, one of its forms."""
    every: NDArray[np.uint64] | None = None
    for forms in parts:
        bits = segment.sparse.bitmap(forms[0])
        for term in forms[1:]:
            bits = bits | segment.sparse.bitmap(term)
        every = bits if every is None else every & bits
    assert every is not None
    return every


def _needs_text(analyzer: LibraryAnalyzer, text: str) -> bool:
    """Whether only the texts tell if they have ``text``.

    That is a phrase, three characters or more of a script without spaces, or a stop word of some languages but not of all. A form
    that is more than its word (``C++``) is a term of its own, whatever its word is.
    """
    words = split_words(text)
    if len(words) == 1 and whole_forms(text):
        return False
    if len(words) > 1 or any(len(keys) > 2 for word in words if (keys := _characters(word))):
        return True
    forms = [set(form.values()) for word in words for form in analyzer.forms(word)]
    return any("" in form and len(form) > 1 for form in forms)


class PhraseCheck:
    """Whether passages have the required phrases and none of the excluded ones.

    They are compared term by term, stop words included, each passage in its own language; phrases with forms that are more than
    their words (``"C++ code"``) as they are written, whatever the case.
    """

    def __init__(self, snapshot: Snapshot, constraints: Constraints) -> None:
        self.snapshot = snapshot
        self.analyzer = snapshot.analyzer
        required = [text for text in constraints.required if _needs_text(self.analyzer, text)]
        excluded = [text for text in constraints.excluded if _needs_text(self.analyzer, text)]
        self.required = [text for text in required if not whole_forms(text)]
        self.excluded = [text for text in excluded if not whole_forms(text)]
        self._written = [literal_pattern(text) for text in required if whole_forms(text)]
        self._barred = [literal_pattern(text) for text in excluded if whole_forms(text)]
        self.read = 0
        self._known: dict[int, bool] = {}
        self._wanted: dict[str | None, tuple[list[list[Key]], list[list[Key]]]] = {}
        self._keys_of: dict[tuple[str, str | None], Key] = {}

    def __bool__(self) -> bool:
        return bool(self.required or self.excluded or self._written or self._barred)

    def passes(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of ``ids`` pass: bool (n,)."""
        missing = [number for number in ids.tolist() if number not in self._known]
        self.read += len(missing)
        store = self.snapshot.store
        for some, texts in texts_in_turn(store, missing):
            languages = [None] * len(some) if self.analyzer.only is not None else store.languages_of(some)
            for number, text, language in zip(some, texts, languages, strict=True):
                self._known[number] = self._passes(text, self.analyzer.analysed_as(language))
        return np.array([self._known[number] for number in ids.tolist()], np.bool_)

    def _passes(self, text: str, language: str | None) -> bool:
        if not all(one.search(text) for one in self._written) or any(one.search(text) for one in self._barred):
            return False
        if not self.required and not self.excluded:
            return True
        if language not in self._wanted:
            self._wanted[language] = (
                [self._keys(phrase, language) for phrase in self.required],
                [self._keys(phrase, language) for phrase in self.excluded],
            )
        required, excluded = self._wanted[language]
        keys = self._keys(text, language)
        return all(_within(keys, wanted) for wanted in required) and not any(_within(keys, barred) for barred in excluded)

    def _keys(self, text: str, language: str | None) -> list[Key]:
        found: list[Key] = []
        for _, piece in word_pieces(text):
            for word in split_words(piece):
                found += _characters(word) or [self._key(word, language)]
        return found

    def _key(self, word: str, language: str | None) -> Key:
        known = self._keys_of.get((word, language))
        if known is None:
            known = self.analyzer.terms_in(word, language) or (folded(unicodedata.normalize("NFKC", word.casefold())),)
            self._keys_of[word, language] = known
        return known


def _characters(word: str) -> list[Key]:
    """The parts of a raw word with characters of scripts without spaces, one by one; none of any other word."""
    if word.isascii() or UNSPACED.search(word) is None:
        return []
    return [
        (part,)
        for run in runs(normal(word))
        for part in (units(run) if UNSPACED.match(run) else [run.casefold()])
        if part.strip()
    ]


def _within(keys: list[Key], wanted: list[Key]) -> bool:
    first, length = wanted[0], len(wanted)
    at = -1
    while True:
        try:
            at = keys.index(first, at + 1)
        except ValueError:
            return False
        if keys[at : at + length] == wanted:
            return True


class FillingRetriever:
    """Another retriever's candidates, and after them, with a score of 0, all other passages that may be found."""

    def __init__(self, inner: Retriever, snapshot: Snapshot, masks: Masks) -> None:
        self.inner, self.snapshot, self.masks = inner, snapshot, masks
        self.floor = inner.floor

    def retrieve(self, depth: int) -> Hits:
        """The best ``depth`` passages."""
        hits = self.inner.retrieve(depth)
        if len(hits) >= depth:
            return hits
        others: list[NDArray[np.int64]] = []
        missing = depth - len(hits)
        for segment, mask in zip(self.snapshot.segments, self.masks, strict=True):
            ids = np.asarray(segment.ids, np.int64)
            if mask is not None:
                ids = ids[np.unpackbits(mask.view(np.uint8), bitorder="little")[: len(ids)].view(np.bool_)]
            others.append(ids[~np.isin(ids, hits.ids)][:missing])
            missing -= len(others[-1])
            if missing <= 0:
                break
        more = np.concatenate(others) if others else _NONE
        return Hits(np.concatenate([hits.ids, more]), np.concatenate([hits.scores, np.zeros(len(more), np.float32)]))

    def score(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores of any passages."""
        return self.inner.score(ids)


class PhraseRetriever:
    """The candidates of another retriever that pass a `PhraseCheck`; more are retrieved until there are enough."""

    def __init__(self, inner: Retriever, phrases: PhraseCheck, note: Callable[[str], None]) -> None:
        self.inner = inner
        self.phrases = phrases
        self.note = note
        self.floor = inner.floor

    def retrieve(self, depth: int) -> Hits:
        """The best ``depth`` passages with the phrases."""
        asked = 2 * depth
        while True:
            hits = self.inner.retrieve(asked)
            kept = self.phrases.passes(hits.ids)
            if kept.sum() >= depth or len(hits) < asked:
                break
            if self.phrases.read >= MOST_TEXTS:
                self.note(f"only the best {len(hits)} passages were searched for the phrase; add a rarer word")
                break
            asked *= 4
        return Hits(hits.ids[kept][:depth], hits.scores[kept][:depth])

    def score(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores of any passages."""
        return self.inner.score(ids)
