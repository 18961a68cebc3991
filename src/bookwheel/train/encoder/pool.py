"""Two encoders compared without embedding a library: by the passages that stand near the held-out queries' answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...encode.protocols import DenseEncoder, encode_queries, unit
from ...evaluate.collection import Collection
from ...evaluate.measures import measure
from ...library.library import Library
from ...library.passage_texts import opening_texts
from ..safety import MEASURE

__all__ = ["ALONE", "FUSED", "Pool"]

ALONE, FUSED = "vectors alone", "with BM25"
DEEP = 10
"""Passages of each query's ranking by BM25 and by the library's own vectors that are in the pool."""


class Pool:
    """The passages that BM25, and the vectors of a library where it has any, rank first for the queries, and all that answer them.

    All encoders are compared on the same passages, so a pool favours neither; figures are higher than in the whole library.
    """

    def __init__(self, library: Library, collection: Collection) -> None:
        self.library, self.collection = library, collection
        self.queries = list(collection.judged)
        texts = [collection.queries[one] for one in self.queries]
        store, generation = library._snapshot.store, library.generation
        lexical = library.rank_many(texts, DEEP, "bm25")
        numbers = {int(one) for hits in lexical for one in hits.ids}
        if "dense" in library._searcher.representations:
            numbers |= {int(one) for hits in library.rank_many(texts, DEEP, "dense") for one in hits.ids}
        for grades in collection.qrels.values():
            for name in grades:
                for number in store.find(generation, name):
                    first, count = store.range_of(number)
                    numbers |= set(range(first, first + min(count, DEEP)))
        named = store.documents_of(sorted(numbers))
        self.ids = np.array(sorted(named), np.int64)
        self._names = [named[number][1] for number in self.ids.tolist()]
        place = {number: at for at, number in enumerate(self.ids.tolist())}
        self._lexical = np.zeros((len(self.queries), len(self.ids)), np.float32)
        for row, hits in enumerate(lexical):
            for number, score in zip(hits.ids.tolist(), hits.scores.tolist(), strict=True):
                if number in place:
                    self._lexical[row, place[number]] = score

    def __len__(self) -> int:
        return len(self.ids)

    def values(
        self, encoder: DenseEncoder, widths: Sequence[int] = (), *, codes: bool = False
    ) -> Mapping[str, Mapping[str, float]]:
        """What each query reaches: by the vectors `ALONE`, and `FUSED` with BM25, half each; by their first ``widths`` dimensions; and
        with ``codes`` by one bit a dimension of passages, of whole and of cut vectors.
        """
        vectors = np.asarray(encoder.encode(opening_texts(self.library._snapshot.store, self.ids.tolist())), np.float32)
        asked = np.asarray(encode_queries(encoder, [self.collection.queries[one] for one in self.queries]), np.float32)
        scores = asked @ vectors.T
        found = {ALONE: self._measured(scores), FUSED: self._measured(_stretched(scores) + _stretched(self._lexical))}
        for width in (vectors.shape[1], *widths):
            passages, queries = unit(vectors[:, :width]), unit(asked[:, :width])
            if width < vectors.shape[1]:
                found[f"{width} dimensions"] = self._measured(queries @ passages.T)
            if codes:
                found[f"codes of {width} bits"] = self._measured(queries @ _coded(passages).T)
        return found

    def _measured(self, scores: NDArray[np.float32]) -> dict[str, float]:
        run: dict[str, list[tuple[str, float]]] = {}
        for query, row in zip(self.queries, scores, strict=True):
            best: dict[str, float] = {}
            for at in np.argsort(-row, kind="stable").tolist():
                best.setdefault(self._names[at], float(row[at]))
                if len(best) == 10:
                    break
            run[query] = list(best.items())
        return measure(run, {one: self.collection.qrels[one] for one in self.queries}, [MEASURE]).of(MEASURE)


def _coded(units: NDArray[np.float32]) -> NDArray[np.float32]:
    """What codes of one bit say of ``units``, as `train.objectives.narrowed` has it."""
    centre = units.mean(0)
    away = units - centre
    size = (away**2).sum(1, keepdims=True) / np.maximum(np.abs(away).sum(1, keepdims=True), 1e-9)
    found: NDArray[np.float32] = centre + np.where(away < 0, -size, size)
    return found


def _stretched(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = scores.min(1, keepdims=True), scores.max(1, keepdims=True)
    found: NDArray[np.float32] = (scores - low) / np.maximum(high - low, 1e-9)
    return found
