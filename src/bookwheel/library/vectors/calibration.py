"""What is fitted on the library itself while it is refined: lines between scores, and maps between vectors."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..settings import Representation
from ..snapshot import Snapshot
from .adapter import fit_adapter
from .order import likely_queries
from .stand_in import Line

if TYPE_CHECKING:
    from .encoders import Represented

__all__ = ["fit_adapter_of", "fit_line_of"]

QUERIES = 48
DEPTH = 100
PASSAGES = 8192
"""Passages that an adapter is fitted on, at most."""
FEWEST = 64
"""Fewer do not make an adapter."""


def fit_line_of(snapshot: Snapshot, represented: Represented, representation: Representation) -> Line | None:
    """The line from the scores of what stands in for ``representation`` to its own, over the candidates of likely queries."""
    base_scores: list[NDArray[np.float64]] = []
    own_scores: list[NDArray[np.float64]] = []
    if representation.kind == "tokens":
        return None
    for query in islice(likely_queries(snapshot, snapshot.manifest.settings.seed + 1), QUERIES):
        filled = represented.filled(snapshot, representation, query, snapshot.alive, limit=0.0)
        ids = filled.base.retrieve(DEPTH).ids
        scores, known = filled.stored(ids)
        if known.sum() >= 2:
            base_scores.append(filled.base.score(ids[known]).astype(np.float64))
            own_scores.append(scores[known].astype(np.float64))
    if not base_scores:
        return None
    # How high a query scores at all is its own affair: the slope is that within queries.
    x = np.concatenate([some - some.mean() for some in base_scores])
    y = np.concatenate([some - some.mean() for some in own_scores])
    slope = float(np.sqrt((y * y).sum() / max((x * x).sum(), 1e-12)))  # equal spread: see `standing`
    intercept = float(np.mean([b.mean() - slope * a.mean() for a, b in zip(base_scores, own_scores, strict=True)]))
    return slope, intercept, float(np.sqrt(np.mean((y - slope * x) ** 2)))


def fit_adapter_of(snapshot: Snapshot, represented: Represented, representation: Representation) -> str | None:
    """Fit the map to the vectors of what ``representation`` replaces, and write it; the name of its folder, or None."""
    old = representation.replaces
    if old is None or representation.kind != "dense":
        return None
    ids = [segment.ids[part.positions] for segment in snapshot.segments for part in segment.parts_of(representation.key)]
    both = np.concatenate([*ids, np.empty(0, np.int64)])
    if len(both) < FEWEST:
        return representation.adapter
    chosen = np.sort(np.random.default_rng(snapshot.manifest.settings.seed).permutation(both)[:PASSAGES])
    new_vectors = represented.vectors_of(snapshot, representation, chosen)
    old_vectors = represented.old_vectors(snapshot, old, chosen)
    known = new_vectors.any(axis=1) & old_vectors.any(axis=1)
    if known.sum() < FEWEST:
        return representation.adapter
    name = f"adapter-{representation.key}-g{snapshot.generation + 1:06d}"
    fit_adapter(new_vectors[known], old_vectors[known]).write(snapshot.library / name)
    return name
