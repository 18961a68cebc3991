"""The vectors made while indexing: sketches first, then exact scores of the candidates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..._errors import RecipeError
from ...encode.protocols import encode_queries
from ...hits import Hits
from ...rank.query import Query
from ..manifest import Manifest
from ..snapshot import Masks, Snapshot
from ..vectors.encoders import BUILT_IN, Encoders

__all__ = ["DenseRetriever", "names", "retriever"]


def names(manifest: Manifest) -> Mapping[str, str]:
    """Of a library that was made with an encoder."""
    return {} if manifest.settings.encoder is None else {BUILT_IN: "dense"}


def retriever(
    encoders: Encoders, snapshot: Snapshot, name: str, query: Query, masks: Masks, limit: float = 0.0
) -> DenseRetriever:
    """By the query's own vector, or by its encoded text. Raises `ModelError`, `RecipeError` without an encoder."""
    if (vector := query.vectors.get(name)) is None:
        encoder = encoders.built_in(snapshot.manifest)
        if encoder is None:
            raise RecipeError(f"the library {snapshot.library} was made without an encoder, so it has no {name!r}")
        vector = encode_queries(encoder, [query.text])[0]
    return DenseRetriever(snapshot, vector, masks)


class DenseRetriever:
    """Dot products with a query vector, sketches first, float16 vectors for the candidates."""

    floor = -1.0

    def __init__(self, snapshot: Snapshot, vector: NDArray[np.float32], masks: Masks) -> None:
        self.snapshot = snapshot
        self.vector = vector
        self.masks = masks

    def retrieve(self, depth: int) -> Hits:
        """The best ``depth`` passages; none for a query without known words."""
        if not np.count_nonzero(self.vector):
            return Hits.empty()
        found = Hits.empty()
        # The largest first: what it has found spares the others most of their candidates.
        listed = sorted(zip(self.snapshot.segments, self.masks, strict=True), key=lambda pair: -len(pair[0].ids))
        for segment, mask in listed:
            if segment.dense is not None:
                threshold = float(found.scores[-1]) if len(found) == depth else None
                hits = segment.dense.search(self.vector, depth, mask=mask, threshold=threshold)
                found = Hits.merged([found, Hits(segment.numbers(hits.ids), hits.scores)], depth)
        return found

    def score(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Exact dot products of passages ``ids``."""
        scores = np.zeros(len(ids), np.float32)
        for segment in self.snapshot.segments:
            here, local = segment.locate(ids)
            if len(here) and segment.dense is not None:
                scores[here] = segment.dense.score(self.vector, local)
        return scores
