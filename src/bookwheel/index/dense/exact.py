"""Exact search: the dot products of all float16 vectors, for any number of queries at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...hits import Hits
from .keys import numbers_of, scores_of

__all__ = ["exact_search"]

_AHEAD = 1 << 24
"""Bytes of vectors read ahead of their use."""
_PIECE = 1 << 18
"""Bytes of vectors that all queries scan before the next piece: they stay in the second-level cache."""
_NONE = np.empty(0, dtype=np.uint64)


def exact_search(
    vectors: NDArray[np.float16],
    factors: NDArray[np.uint16],
    queries: NDArray[np.float32],
    k: int,
    mask: NDArray[np.uint64] = _NONE,
    ahead: Callable[[int, int], None] | None = None,
) -> list[Hits]:
    """The best ``k`` rows of ``vectors`` (n, d) for each of the queries (m, d), from all dot products.

    Rows with a factor of 0 are skipped (``factors`` is (groups, 64), or empty to skip none), and so are rows whose bit in
    ``mask`` is 0 (empty: none). ``ahead(first, rows)`` is called before rows are read.
    """
    from ...kernels.dense.exact import best_rows

    n, d = vectors.shape
    k = min(k, n)
    if k < 1:
        return [Hits.empty() for _ in queries]
    halves, flat = vectors.view(np.uint16), factors.reshape(-1)
    keys = np.empty((len(queries), max(2 * k, k + 1024)), dtype=np.uint64)
    counts = [0] * len(queries)
    far, near = max(1, _AHEAD // (2 * d)), max(1, (_PIECE if len(queries) > 1 else _AHEAD) // (2 * d))
    for start in range(0, n, far):
        stop = min(start + far, n)
        if ahead is not None:
            ahead(start, stop - start)
        for first in range(start, stop, near):
            rows = halves[first : min(first + near, stop)]
            for i, query in enumerate(queries):
                counts[i] = best_rows(rows, first, flat, mask, query, k, counts[i], keys[i])
    hits = []
    for count, held in zip(counts, keys, strict=True):
        best = np.sort(held[:count])[::-1][:k]
        hits.append(Hits.ranked(numbers_of(best), scores_of(best)))
    return hits
