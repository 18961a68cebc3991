"""Required and excluded words and phrases: bitmaps of postings, and the texts for the order of words in phrases."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ...analysis.analyzer import Analyzer
from ...analysis.words import word_pieces
from ...hits import Hits
from ...rank.query import Constraints
from ...rank.retriever import Retriever
from ..passage_texts import texts_in_turn
from ..segment import Segment, bitmap
from ..snapshot import Masks, Snapshot

__all__ = ["MOST_TEXTS", "PhraseCheck", "PhraseRetriever", "constrained_masks"]

MOST_TEXTS = 20_000
"""The most texts that one search reads for its phrases, about half a second."""

Key = tuple[str, ...]
_NONE = np.empty(0, np.int64)


def constrained_masks(snapshot: Snapshot, constraints: Constraints, masks: Masks, analyzer: Analyzer) -> Masks:
    """``masks`` without the passages that lack a required word or have an excluded one; `PhraseCheck` checks phrases.

    The words of a required phrase are required. A word that the analyzer drops (a stop word) has no effect.
    """
    required = [term for text in constraints.required for term in analyzer(text)]
    excluded = [analyzer(text) for text in constraints.excluded if not _is_phrase(text, analyzer)]
    narrowed: list[NDArray[np.uint64] | None] = []
    for segment, mask in zip(snapshot.segments, masks, strict=True):
        bits = mask
        for term in dict.fromkeys(required):
            found = _bits(segment, [term])
            bits = found if bits is None else bits & found
        for terms in excluded:
            if terms:
                found = _bits(segment, terms)
                bits = bitmap(len(segment.ids), _NONE, False) & ~found if bits is None else bits & ~found
        if constraints.without:
            _, local = segment.locate(np.array(constraints.without, np.int64))
            others = bitmap(len(segment.ids), local, False)
            bits = others if bits is None else bits & others
        narrowed.append(bits)
    return narrowed


def _bits(segment: Segment, terms: Sequence[str]) -> NDArray[np.uint64]:
    """The passages of ``segment`` that have all of ``terms``."""
    every: NDArray[np.uint64] | None = None
    for term in terms:
        bits = segment.sparse.bitmap(term)
        every = bits if every is None else every & bits
    assert every is not None
    return every


def _is_phrase(text: str, analyzer: Analyzer) -> bool:
    return len(analyzer.words(text)) > 1


class PhraseCheck:
    """Whether passages have the required phrases and none of the excluded ones, compared term by term, stop words included."""

    def __init__(self, snapshot: Snapshot, constraints: Constraints, analyzer: Analyzer, terms: Callable[[str], Key]) -> None:
        self.snapshot = snapshot
        self.analyzer = analyzer
        self.terms = terms
        self.required = [self._keys(text) for text in constraints.required if _is_phrase(text, analyzer)]
        self.excluded = [self._keys(text) for text in constraints.excluded if _is_phrase(text, analyzer)]
        self.read = 0
        self._known: dict[int, bool] = {}

    def __bool__(self) -> bool:
        return bool(self.required or self.excluded)

    def passes(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of ``ids`` pass: bool (n,)."""
        missing = [number for number in ids.tolist() if number not in self._known]
        self.read += len(missing)
        for some, texts in texts_in_turn(self.snapshot.store, missing):
            for number, text in zip(some, texts, strict=True):
                keys = self._keys(text)
                self._known[number] = all(_within(keys, wanted) for wanted in self.required) and not any(
                    _within(keys, barred) for barred in self.excluded
                )
        return np.array([self._known[number] for number in ids.tolist()], np.bool_)

    def _keys(self, text: str) -> list[Key]:
        return [self.terms(word) or (word.lower(),) for _, piece in word_pieces(text) for word in self.analyzer.words(piece)]


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
