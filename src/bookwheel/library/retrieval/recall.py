"""How exact dense search is, measured on the library itself."""

from __future__ import annotations

import random

import numpy as np

from ..._errors import LibraryEmpty
from ...encode.protocols import DenseEncoder
from ...hits import Hits
from ..snapshot import Snapshot
from .dense import DenseRetriever

__all__ = ["dense_recall"]

HEAD = 1000
WORDS = 12
"""The first words of a passage that make a query."""


def dense_recall(snapshot: Snapshot, encoder: DenseEncoder, k: int, sample: int) -> float:
    """Share of the true nearest ``k`` passages, by brute force over the float vectors, that dense search finds.

    The queries are the first words of ``sample`` passages drawn with the library's seed. Raises `LibraryEmpty`.
    """
    alive = np.concatenate([segment.ids for segment in snapshot.segments] or [np.empty(0, np.int64)])
    chosen = random.Random(snapshot.manifest.settings.seed).sample(alive.tolist(), min(sample, len(alive)))
    rows = snapshot.store.texts(chosen, HEAD)
    texts = [" ".join(text.split()[:WORDS]) for _, text in rows.values()]
    vectors = [vector for vector in encoder.encode(texts) if vector.any()]
    if not vectors:
        raise LibraryEmpty(f"the library {snapshot.library} is empty; add documents with: bookwheel index PATH")
    found = total = 0
    for vector in vectors:
        hits = DenseRetriever(snapshot, vector, snapshot.alive).retrieve(k)
        parts = []
        for segment, mask in zip(snapshot.segments, snapshot.alive, strict=True):
            if segment.dense is not None:
                exact = segment.dense.exact(vector, k, mask)
                parts.append(Hits(segment.ids[exact.ids], exact.scores))
        truth = Hits.merged(parts, k)
        found += len(np.intersect1d(hits.ids, truth.ids))
        total += len(truth)
    return found / max(total, 1)
