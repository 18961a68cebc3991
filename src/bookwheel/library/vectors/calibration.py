"""What embedding fits on the library itself: lines between scores, and maps between vectors."""

from __future__ import annotations

from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ..retrieval.embedded import of
from ..settings import Representation
from ..snapshot import Snapshot
from .adapter import fit_adapter
from .encoders import Encoders
from .kinds import kind_of
from .order import likely_queries
from .score_imputation import Line
from .stored import vectors_by_key

__all__ = ["fit_adapter_of", "fit_line_of"]

QUERIES = 48
DEPTH = 100
PASSAGES = 8192
"""Passages that an adapter is fitted on, at most."""
FEWEST = 64
"""Fewer do not make an adapter."""


def fit_line_of(snapshot: Snapshot, encoders: Encoders, representation: Representation) -> Line | None:
    """The line from the fallback's scores to those of ``representation``, over the candidates of likely queries.

    None where nothing can be fitted yet, or the kind does not search.
    """
    if not kind_of(representation.kind).first_stage:
        return None
    base_scores: list[NDArray[np.float64]] = []
    own_scores: list[NDArray[np.float64]] = []
    for query in islice(likely_queries(snapshot, snapshot.manifest.settings.seed + 1), QUERIES):
        retriever = of(encoders, snapshot, representation, query, snapshot.alive)
        ids = retriever.fallback.retrieve(DEPTH).ids
        scores, known = retriever.stored(ids)
        if known.sum() >= 2:
            base_scores.append(retriever.fallback.score(ids[known]).astype(np.float64))
            own_scores.append(scores[known].astype(np.float64))
    if not base_scores:
        return None
    # The level of scores differs from query to query: the slope is that within queries.
    x = np.concatenate([some - some.mean() for some in base_scores])
    y = np.concatenate([some - some.mean() for some in own_scores])
    slope = float(np.sqrt((y * y).sum() / max((x * x).sum(), 1e-12)))  # equal spread: see `score_imputation`
    intercept = float(np.mean([b.mean() - slope * a.mean() for a, b in zip(base_scores, own_scores, strict=True)]))
    return slope, intercept, float(np.sqrt(np.mean((y - slope * x) ** 2)))


def fit_adapter_of(snapshot: Snapshot, encoders: Encoders, representation: Representation) -> str | None:
    """Fit the map to the vectors of what ``representation`` replaces, and write it; the name of its folder, or None."""
    old = representation.replaces
    if old is None or not kind_of(representation.kind).cosine:
        return None
    ids = [segment.ids[part.positions] for segment in snapshot.segments for part in segment.parts_of(representation.key)]
    both = np.concatenate([*ids, np.empty(0, np.int64)])
    if len(both) < FEWEST:
        return representation.adapter
    chosen = np.sort(np.random.default_rng(snapshot.manifest.settings.seed).permutation(both)[:PASSAGES])
    new_vectors = vectors_by_key(encoders, snapshot, representation.key, chosen)
    old_vectors = vectors_by_key(encoders, snapshot, old, chosen)
    known = new_vectors.any(axis=1) & old_vectors.any(axis=1)
    if known.sum() < FEWEST:
        return representation.adapter
    name = f"adapter-{representation.key}-g{snapshot.generation + 1:06d}"
    fit_adapter(new_vectors[known], old_vectors[known]).write(snapshot.library / name)
    return name
