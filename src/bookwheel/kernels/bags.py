"""Sums of the vectors of bags of words, and the way back: what training a static model computes for every batch."""

from __future__ import annotations

import numpy as np
from numba import njit, types

from .signatures import f32, f32_2, i32, i64, out_f32_2

__all__ = ["scatter_rows", "sum_rows"]


@njit(types.void(i64, i32, f32, f32_2, out_f32_2), cache=True, nogil=True, boundscheck=False)
def sum_rows(indptr, rows, counts, vectors, out):  # type: ignore[no-untyped-def]
    """``out[i]`` (bags, dimension) becomes the sum of ``counts[j] * vectors[rows[j]]`` over ``j`` in ``indptr[i]:indptr[i + 1]``.

    Rows outside ``vectors`` are skipped.
    """
    known, dimension = vectors.shape
    for i in range(len(out)):
        total = out[i]
        total[:] = 0
        for at in range(max(indptr[i], 0), min(indptr[i + 1], len(rows))):
            row = rows[at]
            if row < 0 or row >= known:
                continue
            vector, count = vectors[row], counts[at]
            for j in range(dimension):
                total[j] += count * vector[j]


@njit(types.void(i64, i32, f32, f32_2, out_f32_2), cache=True, nogil=True, boundscheck=False)
def scatter_rows(indptr, rows, counts, slopes, out):  # type: ignore[no-untyped-def]
    """Add ``counts[j] * slopes[i]`` to ``out[rows[j]]`` for every ``j`` in ``indptr[i]:indptr[i + 1]``: the transpose of `sum_rows`.

    ``slopes`` is (bags, dimension), ``out`` (rows, dimension); rows outside ``out`` are skipped.
    """
    known, dimension = out.shape
    for i in range(len(slopes)):
        slope = slopes[i]
        for at in range(max(indptr[i], 0), min(indptr[i + 1], len(rows))):
            row = rows[at]
            if row < 0 or row >= known:
                continue
            total, count = out[row], counts[at]
            for j in range(dimension):
                total[j] += np.float32(count * slope[j])
