"""The recall of a dense index against its own exact search."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bookwheel.index.dense import DenseIndex


def recall(index: DenseIndex, queries: NDArray[np.float32], k: int, **options: float | int) -> float:
    """Mean share of the exact best ``k`` that a search returns. Rows of equal scores are equally good."""
    shares = []
    for query, hits in zip(queries, index.search_many(queries, k, **options), strict=True):
        wanted = index.exact(query, k)
        if len(wanted):
            shares.append(float((hits.scores >= wanted.scores[-1]).sum()) / len(wanted))
    return float(np.mean(shares)) if shares else 1.0
