"""How many candidates a segment needs: measured on the segment, stored with it.

The queries are rows of the segment with noise of twice their length added. Nothing is known of the real queries, and rows
themselves would be too easy: their nearest neighbours are much nearer than a short question's. With this noise the number of
candidates comes out as large as that for questions on other subjects than the collection's, the worst case tried
(`docs/dense-index.md`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .dense_exact import best_by_exact
from .dense_keys import numbers_of
from .dense_sketch import Sketches

__all__ = ["RECALL", "calibrate", "candidates_for"]

RECALL = 0.98
"""Share of the true best k to be among the candidates."""
MARGIN = 1.1
DEPTHS = (10, 100, 1000)
"""The k measured. Fewer than 10 need no fewer candidates than 10: their number could not be measured well."""
QUERIES = 64
NOISE = 2.0
_DEEPEST = 48
"""Candidates looked at, for each of the k asked for, before giving up: then every row is one."""
_NONE = np.empty(0, dtype=np.uint64)


def calibrate(
    vectors: NDArray[np.float16], sketches: Sketches, seed: int, ahead: Callable[[int, int], None] | None = None
) -> list[tuple[int, int]]:
    """Pairs (k, candidates for a mean recall of `RECALL` at k), rising in both. ``ahead`` as in `best_by_exact`."""
    flat = sketches.factors.reshape(-1)[: len(vectors)]
    generator = np.random.default_rng(seed)
    rows = generator.choice(len(vectors), min(4 * QUERIES, len(vectors)), replace=False)
    rows = rows[flat[rows] != 0][:QUERIES]
    depths = [k for k in DEPTHS if 4 * k <= len(vectors)]
    if not len(rows) or not depths:
        return []
    queries = vectors[rows].astype(np.float32)
    noise = generator.standard_normal(queries.shape).astype(np.float32)
    lengths = np.linalg.norm(queries, axis=1, keepdims=True)
    queries += noise * (NOISE * lengths / np.linalg.norm(noise, axis=1, keepdims=True))
    want = min(len(vectors), _DEEPEST * depths[-1])
    places = []
    exact = best_by_exact(vectors, sketches.factors, queries, depths[-1], ahead=ahead)
    for query, hits in zip(queries, exact, strict=True):
        (keys,) = sketches.candidates(query[None], want, _NONE)
        place = np.full(len(vectors), len(vectors), dtype=np.int64)
        place[numbers_of(np.sort(keys)[::-1])] = np.arange(1, len(keys) + 1)
        places.append(place[hits.ids])
    table: list[tuple[int, int]] = []
    for k in depths:
        needed = float(np.quantile(np.concatenate([place[:k] for place in places]), RECALL)) * MARGIN
        least = table[-1][1] if table else 1
        table.append((k, max(k, least, min(int(np.ceil(needed)), len(vectors)))))
    return table


def candidates_for(table: list[tuple[int, int]], k: int) -> int:
    """Candidates for ``k`` by interpolating the logarithms of a table's entries; beyond its last entry they grow as ``k``."""
    depths, needed = np.log([depth for depth, _ in table]), np.log([count for _, count in table])
    at = np.log(max(k, 1))
    beyond = max(0.0, float(at - depths[-1]))
    return max(k, round(float(np.exp(np.interp(at, depths, needed) + beyond))))
