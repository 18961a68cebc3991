"""What a worker does: documents in, the rows and arrays of their passages out.

Words and terms have numbers of the worker's own. It says which terms are new, and whoever takes its arrays looks up what the
numbers stand for. Nothing depends on what came before, or on which worker it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...analysis.library_analyzer import UNDECIDED, stemmed_as
from ...analysis.term_ids import LexicalEncoder, TermsByLanguage
from ...analysis.whole_forms import MARK, whole_forms
from ...analysis.words import WordTable
from ...documents.document import Document
from ...documents.places import Cell, PlaceMap
from ...index.inverted.bm25_builder import Counted, count
from ..prepared import passages_of, prepared, spans_of
from ..row_sums import text_sum
from ..settings import Settings

__all__ = ["Analysed", "Analysis", "Run", "forms_among", "without"]

PER_WORD = 40
"""Bytes that the static encoder keeps of a word: which pieces it is made of."""


@dataclass(frozen=True, slots=True)
class Run:
    """Passages in a row that are all of a language, or all of none that is known yet."""

    passages: int
    counted: Counted | None = None
    """Their terms."""
    indptr: NDArray[np.int64] | None = None
    raw: NDArray[np.int32] | None = None
    """Where they are of no language, their raw words: places in `Analysed.words`."""


@dataclass(slots=True)
class Analysed:
    """Documents in order, of ``passages`` each."""

    passages: NDArray[np.int32]
    crcs: NDArray[np.uint32]
    """`text_sum` of each document's text."""
    languages: list[str] | None
    spans: NDArray[np.int64]
    """Start and end of each passage: (passages, 2)."""
    sums: NDArray[np.uint32]
    """`text_sum` of each passage."""
    places: list[Cell]
    """Where the passages of each document are, as the database keeps it."""
    noise: dict[str, int]
    """What of their texts is not indexed, by kind."""
    first_term: int
    """The number of the first of `terms`; 0 where the worker numbers anew."""
    terms: list[str]
    """Terms that were new to the worker."""
    words: list[str]
    runs: list[Run] = field(default_factory=list)
    vectors: NDArray[np.float16] | None = None


class Analysis:
    """Analyses documents for a library of ``settings``; what it remembers of words stays within about ``memory`` bytes.

    ``encoder`` is one that has ``encode_words``, or None where vectors are made elsewhere.
    """

    def __init__(self, settings: Settings, encoder: Any, memory: int) -> None:
        self._settings, self._encoder, self._memory = settings, encoder, memory
        self.forget()

    def forget(self) -> None:
        """Number words and terms anew."""
        self._table = WordTable()
        self._lexical = LexicalEncoder(TermsByLanguage(self._settings.fixed_analyzer))
        self._slots = np.zeros(1024, np.int32)
        self._told = 0
        self._is_form = np.empty(0, np.bool_)

    @property
    def nbytes(self) -> int:
        """Bytes held for words and terms, about."""
        return self._table.nbytes + self._lexical.nbytes + self._slots.nbytes + PER_WORD * len(self._table)

    def analyse(self, documents: Sequence[Document]) -> Analysed:
        """The rows and arrays of ``documents``."""
        if self.nbytes > self._memory:
            self.forget()
        by_language = self._settings.fixed_analyzer is None
        noise: Counter[str] = Counter()
        languages: list[str] = []
        counts: list[int] = []
        crcs: list[int] = []
        texts: list[str] = []
        kinds: list[str | None] = []
        spans: list[tuple[int, int]] = []
        sums: list[int] = []
        places: list[Cell] = []
        for given in documents:
            ready = prepared(given, noise, ask=by_language)
            document = ready.document
            found = spans_of(ready, self._settings)
            crc = text_sum(document.text)
            counts.append(len(found))
            crcs.append(crc)
            places.append(PlaceMap.of(document, found).cell())
            for start, end, sum_, indexed in passages_of(ready, found, crc):
                spans.append((start, end))
                sums.append(sum_)
                texts.append(indexed)
            if (kind := ready.language) is not None:
                languages.append(kind)
                kinds += [kind if kind == UNDECIDED else stemmed_as(kind)] * len(found)
        indptr, raw = self._table.ids(texts, list(map(whole_forms, texts)))
        runs, words = self._runs(indptr, raw, kinds if by_language else None)
        first, self._told = self._told, len(self._lexical.terms)
        return Analysed(
            np.array(counts, np.int32),
            np.array(crcs, np.uint32),
            languages if by_language else None,
            np.array(spans, np.int64).reshape(-1, 2),
            np.array(sums, np.uint32),
            places,
            dict(noise),
            first,
            self._lexical.terms[first:],
            words,
            runs,
            self._vectors(indptr, raw) if self._encoder is not None and texts else None,
        )

    def _runs(
        self, indptr: NDArray[np.int64], raw: NDArray[np.int32], kinds: list[str | None] | None
    ) -> tuple[list[Run], list[str]]:
        if kinds is None:
            return ([Run(len(indptr) - 1, self._counted(indptr, raw, None))] if len(indptr) > 1 else []), []
        pieces: list[tuple[bool, int, int]] = []
        at = 0
        for undecided, group in groupby(kind == UNDECIDED for kind in kinds):
            size = len(list(group))
            pieces.append((undecided, at, at + size))
            at += size
        waiting = [raw[indptr[first] : indptr[last]] for undecided, first, last in pieces if undecided]
        # Their different words, each once, as places in a list of them.
        numbers, places = np.unique(np.concatenate(waiting), return_inverse=True) if waiting else (np.empty(0, np.int32),) * 2
        runs: list[Run] = []
        done = 0
        for undecided, first, last in pieces:
            own = indptr[first : last + 1] - indptr[first]
            if undecided:
                size = int(own[-1])
                runs.append(Run(last - first, indptr=own, raw=places[done : done + size].astype(np.int32)))
                done += size
            else:
                runs.append(Run(last - first, self._counted(own, raw[indptr[first] : indptr[last]], kinds[first:last])))
        return runs, [self._table.words[number] for number in numbers.tolist()]

    def _counted(self, indptr: NDArray[np.int64], raw: NDArray[np.int32], kinds: list[str | None] | None) -> Counted:
        indptr, terms = self._lexical.encode(indptr, raw, self._table.words, kinds)
        if len(self._lexical.terms) > len(self._slots):
            self._slots = np.zeros(len(self._lexical.terms) * 3 // 2, np.int32)
        return count(indptr, terms, self._slots, self._lexical.halves(indptr, terms))

    def _vectors(self, indptr: NDArray[np.int64], raw: NDArray[np.int32]) -> NDArray[np.float16]:
        from ...kernels.dense.convert import narrow

        self._is_form = forms_among(self._table.words, self._is_form)
        indptr, raw = without(self._is_form, indptr, raw)
        vectors = self._encoder.encode_words(indptr, raw, self._table)
        halves = np.empty(vectors.shape, np.uint16)
        narrow(vectors, halves, np.zeros(vectors.shape[1]))
        return halves.view(np.float16)


def forms_among(words: Sequence[str], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of each of ``words`` whether it is a whole form, which is nothing to an encoder; ``known`` tells it of the first ones."""
    if len(known) == len(words):
        return known
    return np.concatenate((known, np.array([word[0] == MARK for word in words[len(known) :]], np.bool_)))


def without(
    left_out: NDArray[np.bool_], indptr: NDArray[np.int64], raw: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The words of texts but those that are ``left_out``."""
    kept = ~left_out[raw]
    if kept.all():
        return indptr, raw
    before = np.concatenate(([0], np.cumsum(kept)))
    return before[indptr].astype(np.int64), raw[kept]
