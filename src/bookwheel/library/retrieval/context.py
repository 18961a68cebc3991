"""A library as the stages of a recipe see it, for one search."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..._errors import FilterError
from ...analysis.library_analyzer import LibraryAnalyzer
from ...analysis.words import split_words
from ...rank.query import Constraints, Query
from ...rank.retriever import Retriever
from ..filters.conditions import BUILT_IN
from ..naming import find
from ..passage_texts import opening_texts
from ..qualities import qualities_of
from ..resources import Resources
from ..snapshot import Masks, Snapshot
from ..vectors.encoders import Encoders
from ..vectors.on_demand import LIMIT
from ..vectors.stored import passage_vectors, query_vectors, token_vectors
from .constraints import FillingRetriever, PhraseCheck, PhraseRetriever, constrained_masks
from .query_terms import present_terms
from .registry import representations, retriever
from .vocabulary import near_terms, written

if TYPE_CHECKING:
    from .late_interaction import TokenScorer

__all__ = ["LibraryContext"]

T = TypeVar("T")
WORDS_REMEMBERED = 50_000


class LibraryContext:
    """One search's view of a snapshot. See `bookwheel.rank.stages.base.Context`, which this is."""

    def __init__(
        self,
        snapshot: Snapshot,
        encoders: Encoders,
        resources: Resources,
        where: str | None = None,
        seconds: float | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.analyzer: LibraryAnalyzer = snapshot.analyzer
        self.masks = snapshot.masks(where)
        self.where = where
        self._encoders = encoders
        self._resources = resources
        self._deadline = None if seconds is None else time.perf_counter() + seconds
        self._notes: list[str] = []
        self._near: dict[tuple[str, int], dict[str, int]] = {}
        self._constrained: dict[Constraints, tuple[Masks, PhraseCheck]] = {}

    # -- representations -----------------------------------------------------------------------------------------------

    @property
    def representations(self) -> Mapping[str, str]:
        """Name to kind."""
        return representations(self.snapshot.manifest)

    def retriever(self, name: str, query: Query) -> Retriever:
        """The retriever ``name`` for ``query``; raises `RecipeError` where there is none."""
        if not query.constraints:
            return self._retriever(name, query, self.masks)
        masks, phrases = self._constraints(query.constraints)
        inner = self._retriever(name, query, masks)
        if query.constraints.alone:
            inner = FillingRetriever(inner, self.snapshot, masks)
        return PhraseRetriever(inner, phrases, self.note) if phrases else inner

    def _retriever(self, name: str, query: Query, masks: Masks) -> Retriever:
        return retriever(self._encoders, self.snapshot, name, query, masks, limit=self._limit)

    @property
    def _limit(self) -> float:
        """Seconds that may be spent on encoding passages."""
        return min(LIMIT, max(self.remaining(), 0.0))

    def token_scorer(self, name: str, query: Query) -> TokenScorer:
        """Late interaction by the token vectors ``name``: ``score(ids)`` and ``matches(ids)``."""
        from .late_interaction import token_scorer

        return token_scorer(self._encoders, self.snapshot, name, query, limit=self._limit)

    def _constraints(self, constraints: Constraints) -> tuple[Masks, PhraseCheck]:
        if constraints not in self._constrained:
            masks = self.masks
            if constraints.where is not None:
                try:
                    own = self.snapshot.masks(constraints.where)
                    masks = [a if b is None else b if a is None else a & b for a, b in zip(masks, own, strict=True)]
                except FilterError as error:
                    self.note(f"the filter {constraints.where} was left out: {error}")
            masks = constrained_masks(self.snapshot, constraints, masks)
            phrases = PhraseCheck(self.snapshot, constraints)
            self._constrained[constraints] = masks, phrases
        return self._constrained[constraints]

    def encode(self, name: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Query vectors (n, d)."""
        return query_vectors(self._encoders, self.snapshot, name, texts)

    def vectors(self, name: str, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Stored vectors (n, d)."""
        return passage_vectors(self._encoders, self.snapshot, name, ids)

    def token_vectors(self, name: str, ids: NDArray[np.int64]) -> list[NDArray[np.float32]]:
        """Stored token vectors."""
        return token_vectors(self._encoders, self.snapshot, name, ids)

    # -- texts and documents -------------------------------------------------------------------------------------------

    def texts(self, ids: NDArray[np.int64]) -> list[str]:
        """Texts as they were indexed, of long ones the beginning."""
        return opening_texts(self.snapshot.store, ids.tolist())

    def qualities(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """What is known of the documents of passages, remembered as long as the generation lives."""
        known: dict[int, NDArray[np.float32]] = self.resource("qualities", dict, generation=True)
        return qualities_of(self.snapshot.store, ids.tolist(), known)

    def sample(self, count: int) -> NDArray[np.int64]:
        """Some living passages."""
        ids = np.concatenate([segment.ids for segment in self.snapshot.segments])
        if self.snapshot.marks is not None:
            ids = np.setdiff1d(ids, self.snapshot.marks.passages)
        chosen = np.random.default_rng(self.snapshot.manifest.settings.seed).permutation(len(ids))[: 2 * count]
        found = self.snapshot.store.documents_of(ids[chosen].tolist())
        return np.array([number for number in ids[chosen].tolist() if number in found][:count], np.int64)

    def passages_of(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Passages of documents by their ids or files' paths, or of a passage by its number (``#12``): int64, rising."""
        store, generation = self.snapshot.store, self.snapshot.generation
        found: list[int] = []
        for name in names:
            if name.startswith("#") and name[1:].isdecimal():
                found.append(int(name[1:]))
                continue
            for number in find(store, generation, name):
                first, count = store.range_of(number)
                found += range(first, first + count)
        return np.unique(np.array(found, np.int64))

    @property
    def fields(self) -> tuple[str, ...]:
        """Metadata fields."""
        store = self.snapshot.store
        return self.resource("fields", lambda: (*BUILT_IN, *store.file_fields(), *store.fields()), generation=True)

    # -- words ---------------------------------------------------------------------------------------------------------

    def analyze(self, text: str) -> list[str]:
        """Terms in order."""
        return [term for word in self.analyzer.words(text) for term in self._terms_of(word)]

    def _terms_of(self, word: str) -> tuple[str, ...]:
        several = self.analyzer.only is None  # then what is there decides, else only what the words are
        known: dict[str, tuple[str, ...]] = self.resource(("terms of words", self.analyzer.main), dict, generation=several)
        terms = known.get(word)
        if terms is None:
            if len(known) > WORDS_REMEMBERED:
                known.clear()
            terms = known[word] = present_terms(self.snapshot, word)
        return terms

    def terms(self, ids: NDArray[np.int64]) -> list[dict[str, int]]:
        """Term frequencies of passages."""
        analyzer = self.analyzer
        if analyzer.only is not None:
            return [dict(Counter(self.analyze(text))) for text in self.texts(ids)]
        found: list[dict[str, int]] = []
        for text, language in zip(self.texts(ids), self.snapshot.store.languages_of(ids.tolist()), strict=True):
            kind = analyzer.analysed_as(language)
            found.append(dict(Counter(term for word in analyzer.words(text) for term in analyzer.terms_in(word, kind))))
        return found

    def document_frequencies(self, terms: Sequence[str]) -> NDArray[np.int64]:
        """Living passages with each term."""
        return self.snapshot.document_frequencies(terms)

    def split(self, text: str) -> list[str]:
        """Words as they are written."""
        return split_words(text)

    def near_terms(self, term: str, distance: int) -> Mapping[str, int]:
        """Terms within a few edits; remembered for this search."""
        key = (term, distance)
        if key not in self._near:
            self._near[key] = near_terms(self.snapshot, term, distance)
        return self._near[key]

    def written(self, term: str, near: str) -> str | None:
        """A word that stands for a term."""
        return written(self.snapshot, self.analyzer, term, near)

    @property
    def passages(self) -> int:
        """Living passages."""
        return self.snapshot.passages

    @property
    def average_length(self) -> float:
        """Mean length in terms."""
        return self.snapshot.average_length

    # -- running -------------------------------------------------------------------------------------------------------

    def resource(self, key: Hashable, make: Callable[[], T], *, generation: bool = False) -> T:
        """Shared by the library's searches."""
        return self._resources.get(key, make, self.snapshot.generation if generation else None)

    def remaining(self) -> float:
        """Seconds left."""
        return float("inf") if self._deadline is None else self._deadline - time.perf_counter()

    def note(self, sentence: str) -> None:
        """Keep a sentence for the explanation."""
        if sentence not in self._notes:
            self._notes.append(sentence)

    def take_notes(self) -> list[str]:
        """The notes since the last call."""
        notes, self._notes = self._notes, []
        return notes
