"""Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["marginal_order"]


def marginal_order(
    relevance: NDArray[np.floating], similarities: NDArray[np.floating], balance: float, want: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The order in which to show ``want`` of n candidates, and what each was worth when it was chosen.

    Greedily the one with the largest ``balance`` * relevance - (1 - balance) * its similarity to the nearest one chosen before.
    ``relevance`` (n,) from 0 to 1, ``similarities`` (n, n). Equal values: the earlier candidate.
    """
    n = len(relevance)
    left = np.ones(n, np.bool_)
    nearest = np.full(n, -np.inf)
    order = np.empty(min(want, n), np.int64)
    worth = np.empty(len(order))
    for place in range(len(order)):
        value = balance * relevance - (1 - balance) * np.where(np.isfinite(nearest), nearest, 0.0)
        value = np.where(left, value, -np.inf)
        best = int(np.argmax(value))
        order[place], worth[place] = best, value[best]
        left[best] = False
        nearest = np.maximum(nearest, similarities[best])
    return order, worth
