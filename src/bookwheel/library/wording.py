"""How the library of a snapshot reads words: `read.protocols.Wording`, and how strongly passages meet a question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError
from ..analysis.stop_words import telling_words
from ..analysis.words import spans_of
from ..rank.query import Query
from ..read.likeness import ABSENT
from .retrieval.bm25 import NAME as BM25
from .retrieval.query_terms import all_present_terms, greatest_score
from .retrieval.registry import retriever
from .snapshot import Snapshot
from .vectors.encoders import BUILT_IN, Encoders
from .vectors.kinds import kind_of

__all__ = ["LibraryWording"]

REMEMBERED = 30_000
"""Words whose terms are remembered."""


class LibraryWording:
    """See `read.protocols.Wording`."""

    def __init__(self, encoders: Encoders, snapshot: Snapshot) -> None:
        self._encoders = encoders
        self._snapshot = snapshot

    def terms(self, text: str) -> list[tuple[int, int, tuple[str, ...]]]:
        """See `Wording.terms`."""
        spans = spans_of(text)
        words = [word for word, _, _ in spans]
        functional = self._function_words(words)
        terms = self._terms_of([word for word in dict.fromkeys(words) if word not in functional])
        return [(start, end, some) for word, start, end in spans if (some := terms.get(word))]

    def meet(self, texts: Iterable[str]) -> None:
        """Look up the words of ``texts`` together, which is quicker than sentence by sentence."""
        self._terms_of(list(dict.fromkeys(word for text in texts for word, _, _ in spans_of(text))))

    def _terms_of(self, words: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The terms of raw words, which all questions of the snapshot remember together."""
        known = self._snapshot.word_terms
        found = {word: terms for word in words if (terms := known.get(word)) is not None}
        if missing := [word for word in words if word not in found]:
            if len(known) + len(missing) > REMEMBERED:  # not cleared: another thread may be reading it
                known = self._snapshot.word_terms = {}
            made = dict(zip(missing, all_present_terms(self._snapshot, missing), strict=True))
            known.update(made)
            found |= made
        return found

    def _function_words(self, words: Sequence[str]) -> Set[str]:
        """Those that the language drops in which ``words`` have the most function words, where the library has several languages.

        Another language may keep them: the German analyzer reads *the* as a word that is rarer than any.
        """
        analyzer = self._snapshot.analyzer
        if analyzer.only is not None:
            return frozenset()
        folded = [word.casefold() for word in words]
        counts = {one: sum(map(telling_words(one).__contains__, folded)) for one in analyzer.languages if one is not None}
        language = max(counts, key=counts.__getitem__, default=None)  # the main one where several are equal
        if language is None or not counts[language]:
            return frozenset()
        drops = analyzer.of(language).terms
        return {word for word in set(words) if not drops(word)}

    def idf(self, terms: Sequence[str]) -> Mapping[str, float]:
        """See `Wording.idf`."""
        return dict(zip(terms, self._snapshot.idf(terms).tolist(), strict=True)) if terms else {}

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32] | None:
        """See `Wording.vectors`. Only where words are looked up: another encoder would take seconds."""
        try:
            encoder = self._encoders.built_in(self._snapshot.manifest)
        except ModelError:
            return None
        if encoder is None or not hasattr(encoder, "encode_words"):
            return None
        return np.asarray(encoder.encode(list(texts)), np.float32)

    @property
    def names(self) -> list[str]:
        """The dense representations in which every passage is embedded and queries can be encoded."""
        encoders, manifest = self._encoders, self._snapshot.manifest
        names = [BUILT_IN] if encoders.built_in(manifest) is not None else []
        for representation in manifest.representations:
            known = kind_of(representation.kind).cosine and encoders.available(representation)
            if known and representation.name not in names and self._snapshot.complete(representation.key):
                names.append(representation.name)
        return names

    def strengths(self, question: str, passages: Sequence[int]) -> NDArray[np.float64]:
        """See `Collection.strengths`."""
        query, snapshot = Query(question), self._snapshot
        found = retriever(self._encoders, snapshot, BM25, query, snapshot.alive).score(np.asarray(passages, np.int64))
        whole = greatest_score(snapshot, question) + self.idf([ABSENT])[ABSENT]
        return np.asarray(found / max(whole, 1e-6), np.float64)
