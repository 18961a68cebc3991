"""Stored vectors of drawn passages, with the answers of held-out queries: what a map is fitted to, and what it is compared by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...encode.protocols import unit
from ...evaluate.measures import measure
from ...index.dense.keys import numbers_of
from ...index.dense.sketch import Sketches, chosen_rotation, encode
from ...library.library import Library
from ...library.vectors.stored import passage_vectors
from ..by_document import best_documents
from ..data.passages import Passages
from ..safety import MEASURE

Qrels = Mapping[str, dict[str, int]]
"""By query, the grades of documents."""

__all__ = ["CANDIDATES", "TRUE", "Sample", "code_candidates", "cut", "share_found"]

TRUE, CANDIDATES = 10, 100
"""So many of the best passages are looked for among so many candidates."""
_RANKED = 100
"""Documents of a query."""
_AT_ONCE = 64
_MULTIPLE = 8
"""The dense index takes dimensions that this divides."""


def cut(vectors: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """The first ``width`` dimensions at unit length, rounded as they are stored: float32 (n, width)."""
    return unit(vectors[:, :width]).astype(np.float16).astype(np.float32)


def code_candidates(
    passages: NDArray[np.float32], queries: NDArray[np.float32], count: int, seed: int
) -> list[NDArray[np.int64]]:
    """For each query the ``count`` passages that rank first by one bit a dimension, as an index would make it, in any order."""
    short = -passages.shape[1] % _MULTIPLE
    passages, queries = (np.pad(rows, ((0, 0), (0, short))) for rows in (passages, queries))
    centre = passages.mean(0)
    rotation = chosen_rotation(passages, centre, 1, seed)
    codes, factors = encode(passages, centre, rotation, 1)
    sketches = Sketches(rotation, codes, factors.view(np.uint16), 1)
    found = []
    for start in range(0, len(queries), _AT_ONCE):
        some = np.ascontiguousarray(queries[start : start + _AT_ONCE])
        found += sketches.candidates(some, min(count, len(passages)), np.empty(0, np.uint64), biases=(some @ centre)[:, None])
    return [numbers_of(keys).astype(np.int64) for keys in found]


def share_found(true: Sequence[NDArray[np.int64]], found: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
    """For each query, how much of ``true`` is among ``found``."""
    return np.array([np.isin(one, other).mean() for one, other in zip(true, found, strict=True)])


@dataclass(frozen=True)
class Sample:
    """Passages with a vector: ``vectors`` float32 (n, d), the numbers of their ``documents`` (n,), and the ids of some of those."""

    vectors: NDArray[np.float32]
    documents: NDArray[np.int64]
    names: dict[int, str]
    """Of the documents that answer a query."""

    @classmethod
    def drawn(cls, library: Library, name: str, dimension: int, qrels: Qrels, most: int, seed: int) -> Sample:
        """At most ``most`` passages of ``library``, and those that answer ``qrels``; their vectors, ``dimension`` wide, by ``name``."""
        snapshot = library._snapshot
        drawn = Passages.drawn(snapshot, most, seed)
        answers = {document for grades in qrels.values() for document in grades}
        documents = dict(zip(drawn.ids.tolist(), drawn.documents.tolist(), strict=True))
        names = {}
        for number, (document, first, count) in enumerate(snapshot.store.spans(snapshot.generation)):
            if document in answers:
                names[number] = document
                documents |= dict.fromkeys(range(first, first + count), number)
        ids = np.array(sorted(documents), np.int64)
        vectors = passage_vectors(library._encoders, snapshot, name, ids)[:, :dimension]  # stored with zeros after it
        known = vectors.any(1)
        numbers = np.array([documents[one] for one in ids.tolist()], np.int64)
        return cls(vectors[known], numbers[known], names)

    def best(self, vectors: NDArray[np.float32], queries: NDArray[np.float32], count: int) -> list[NDArray[np.int64]]:
        """For each query the ``count`` passages of the highest dot products, best first, by ``vectors`` of them."""
        found = []
        count = min(count, len(vectors))
        for start in range(0, len(queries), _AT_ONCE):
            scores = queries[start : start + _AT_ONCE] @ vectors.T
            places = np.argpartition(-scores, count - 1, axis=1)[:, :count]
            for row, some in zip(scores, np.sort(places, axis=1), strict=True):
                found.append(some[np.argsort(-row[some], kind="stable")])
        return found

    def gains(
        self, vectors: NDArray[np.float32], queries: NDArray[np.float32], names: Sequence[str], qrels: Qrels
    ) -> dict[str, float]:
        """`MEASURE` of each query, by its name, where documents rank by their best passage."""
        run = {}
        for start in range(0, len(queries), _AT_ONCE):
            scores = queries[start : start + _AT_ONCE] @ vectors.T
            some = best_documents(scores, self.documents, _RANKED)
            for query, (documents, values) in zip(names[start : start + _AT_ONCE], some, strict=True):
                called = [self.names.get(number, f"another document, {number}") for number in documents.tolist()]
                run[query] = list(zip(called, values.tolist(), strict=True))
        return dict(measure(run, {query: qrels[query] for query in names}, [MEASURE]).of(MEASURE))
