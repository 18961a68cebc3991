"""Exact scores of candidates: dot products with some rows of the float16 vectors."""

from __future__ import annotations

import numpy as np
from numba import njit, types

from .dense_rows import dot, prefetch
from .signatures import f32, out_f32, u16_2, u32

__all__ = ["score_rows"]

_AHEAD = 8
"""Rows that are loaded while one is scored."""


@njit(types.void(u16_2, u32, f32, out_f32), cache=True, nogil=True, boundscheck=False)
def score_rows(vectors, rows, query, scores):  # type: ignore[no-untyped-def]
    """Dot products of ``query`` with the given rows of ``vectors`` (bits of float16); 0 for a row that there is not."""
    for i in range(len(rows)):
        if i + _AHEAD < len(rows):
            prefetch(vectors, np.int64(rows[i + _AHEAD]))
        row = np.int64(rows[i])
        scores[i] = dot(vectors, row, query) if row < len(vectors) else np.float32(0.0)
