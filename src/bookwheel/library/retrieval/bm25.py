"""BM25, exact, over the inverted indexes of a snapshot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...hits import Hits
from ...rank.query import Query
from ..manifest import Manifest
from ..snapshot import Masks, Snapshot
from ..vectors.encoders import Encoders
from .query_terms import query_weights

__all__ = ["NAME", "Bm25Retriever", "bm25_weights", "names", "retriever"]

NAME = "bm25"


def names(manifest: Manifest) -> Mapping[str, str]:
    """Every library has it."""
    return {NAME: "sparse"}


def retriever(
    encoders: Encoders, snapshot: Snapshot, name: str, query: Query, masks: Masks, limit: float = 0.0
) -> Bm25Retriever:
    """BM25 by the query's own weighted terms, or by those of its text."""
    terms = query.sparse.get(NAME)
    if terms is not None:
        return Bm25Retriever(snapshot, terms, masks)
    return Bm25Retriever(snapshot, query_weights(snapshot, query.text), masks, weighed=True)


def bm25_weights(snapshot: Snapshot, terms: Sequence[str], counts: Sequence[float]) -> NDArray[np.float32]:
    """Weight of each query term: its count times the idf of Lucene's BM25, over the living passages: float32."""
    weights: NDArray[np.float32] = (np.asarray(counts) * snapshot.idf(terms)).astype(np.float32)
    return weights


class Bm25Retriever:
    """BM25 over the segments, exact, with the statistics of the whole snapshot.

    ``terms``: analysed words, with repeats, or terms with how much each counts; ``weighed``: with the idf in it.
    """

    floor = 0.0
    exact = True
    """The best 10 are the first 10 of the best 100."""

    def __init__(
        self, snapshot: Snapshot, terms: Sequence[str] | Mapping[str, float], masks: Masks, *, weighed: bool = False
    ) -> None:
        counted: Mapping[str, float] = terms if isinstance(terms, Mapping) else Counter(terms)
        self.snapshot = snapshot
        self.masks = masks
        self.terms = list(counted)
        self.counts = list(counted.values())
        self.bm25 = snapshot.bm25
        self.weighed = weighed

    @cached_property
    def weights(self) -> NDArray[np.float32]:
        """Weight of each term."""
        if self.weighed:
            return np.asarray(self.counts, np.float32)
        return bm25_weights(self.snapshot, self.terms, self.counts)

    def retrieve(self, depth: int) -> Hits:
        """The best ``depth`` passages."""
        if not self.terms:
            return Hits.empty()
        average = self.snapshot.average_length
        found = Hits.empty()
        for segment, mask in zip(self.snapshot.segments, self.masks, strict=True):
            threshold = float(found.scores[-1]) if len(found) == depth else 0.0
            hits = segment.sparse.search(
                self.terms, self.weights, depth, bm25=self.bm25, average_length=average, mask=mask, threshold=threshold
            )
            if len(hits):
                found = Hits.merged([found, Hits(segment.numbers(hits.ids), hits.scores)], depth)
        return found

    def score(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Exact scores of passages ``ids``; 0 where no term occurs."""
        scores = np.zeros(len(ids), np.float32)
        if self.terms:
            for segment in self.snapshot.segments:
                here, local = segment.locate(ids)
                if len(here):
                    scores[here] = segment.sparse.score(
                        self.terms, self.weights, local, bm25=self.bm25, average_length=self.snapshot.average_length
                    )
        return scores
