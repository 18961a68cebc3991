"""Feedback on vectors.

Source: Li, Mourad, Zhuang, Koopman and Zuccon, "Pseudo Relevance Feedback with Deep Language Models and Dense Retrievers:
Successes and Pitfalls" (ACM TOIS 2023): the average, and Rocchio's formula without negatives.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["average", "unit", "weighted_mean"]


def unit(vector: NDArray[np.floating]) -> NDArray[np.float32]:
    """``vector`` (d,) at unit length; zeros stay zeros."""
    wide = np.asarray(vector, np.float64)
    length = float(np.linalg.norm(wide))
    return (wide / length if length > 0 else wide).astype(np.float32)


def average(query: NDArray[np.float32], passages: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of the query's vector (d,) and the passages' (n, d), at unit length."""
    return unit(np.vstack([query[np.newaxis], passages]).mean(axis=0))


def weighted_mean(query: NDArray[np.float32], passages: NDArray[np.float32], alpha: float, beta: float) -> NDArray[np.float32]:
    """``alpha`` times the query's vector (d,) plus ``beta`` times the mean of the passages' (n, d), at unit length."""
    return unit(alpha * query.astype(np.float64) + beta * passages.mean(axis=0, dtype=np.float64))
