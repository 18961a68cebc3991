"""How far to go from the old vectors to the trained ones: chosen on held-out queries that the last comparison does not use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...analysis.words import WordTable
from ...encode.static.built_in import StaticEncoder, load, write
from ...evaluate.collection import Collection
from ...evaluate.measures import measure
from ...library.library import Library
from ...library.passage_texts import passage_texts
from ..by_document import best_documents
from ..safety import MEASURE

__all__ = ["DenseRuns", "written"]

DEPTH = 10
AT_ONCE = 2048


class DenseRuns:
    """Ranks the passages of a library for the queries of a collection by any static model, exactly."""

    def __init__(self, library: Library, collection: Collection) -> None:
        self.library, self.collection = library, collection
        spans = list(library._snapshot.store.spans(library._snapshot.generation))
        self._names = [name for name, _, _ in spans]
        first = np.array([start for _, start, _ in spans], np.int64)
        counts = np.array([count for _, _, count in spans], np.int64)
        self._documents = np.repeat(np.arange(len(spans)), counts)
        ends = np.cumsum(counts)
        self.ids = np.repeat(first - (ends - counts), counts) + np.arange(int(counts.sum()))

    def vectors(self, encoder: StaticEncoder, out: Path) -> NDArray[np.float16]:
        """The vectors of all passages in the library's order, float16 (passages, dimension), in a file ``out``."""
        store = self.library._snapshot.store
        array = np.lib.format.open_memmap(out, "w+", np.float16, (len(self.ids), encoder.dimension))
        table = WordTable()
        for start in range(0, len(self.ids), AT_ONCE):
            texts = passage_texts(store, self.ids[start : start + AT_ONCE].tolist())
            array[start : start + AT_ONCE] = encoder.encode_words(*table.ids(texts), table)
            if len(table) > TABLE:
                table = WordTable()
        array.flush()
        return array

    def score(self, encoder: StaticEncoder, out: Path) -> float:
        """The mean of `MEASURE` over the queries."""
        queries = list(self.collection.judged)
        asked = encoder.encode([self.collection.queries[query] for query in queries])
        vectors = self.vectors(encoder, out)
        best: list[dict[int, float]] = [{} for _ in queries]
        for start in range(0, len(self.ids), AT_ONCE):
            scores = asked @ vectors[start : start + AT_ONCE].astype(np.float32).T
            found = best_documents(scores, self._documents[start : start + AT_ONCE], 2 * DEPTH)
            for row, ((documents, values), kept) in enumerate(zip(found, best, strict=True)):
                for document, score in zip(documents.tolist(), values.tolist(), strict=True):
                    kept[document] = max(kept.get(document, -2.0), score)
                if len(kept) > 8 * DEPTH:
                    best[row] = dict(sorted(kept.items(), key=lambda pair: (-pair[1], pair[0]))[: 2 * DEPTH])
        run = {
            query: [
                (self._names[document], score) for document, score in sorted(kept.items(), key=lambda pair: (-pair[1], pair[0]))
            ]
            for query, kept in zip(queries, best, strict=True)
        }
        return measure(run, self.collection.qrels, [MEASURE]).means[MEASURE]


TABLE = 200_000
"""Words that are numbered before a new table is begun."""


def written(folder: Path, vectors: NDArray[np.float32], pieces: list[str], name: str, **about: object) -> StaticEncoder:
    """A model folder with ``vectors`` (pieces, dimension), opened."""
    write(folder, vectors, pieces, name=name, revision="1", **about)
    return load(folder)
