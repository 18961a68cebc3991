"""Means of a query's vector and passages' vectors, at unit length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["unit", "weighted_mean"]


def unit(vector: NDArray[np.floating]) -> NDArray[np.float32]:
    """``vector`` (d,) at unit length, float32; zeros stay zeros."""
    wide = np.asarray(vector, np.float64)
    length = float(np.linalg.norm(wide))
    return (wide / length if length > 0 else wide).astype(np.float32)


def weighted_mean(query: NDArray[np.float32], passages: NDArray[np.float32], alpha: float, beta: float) -> NDArray[np.float32]:
    """``alpha`` times the query's vector (d,) plus ``beta`` times the mean of the passages' (n, d),
    at unit length.

    This is Rocchio's formula without negative examples, as in Li, Mourad, Zhuang, Koopman and
    Zuccon, "Pseudo Relevance Feedback with Deep Language Models and Dense Retrievers: Successes and
    Pitfalls" (ACM TOIS 2023).
    """
    return unit(alpha * query.astype(np.float64) + beta * passages.mean(axis=0, dtype=np.float64))
