"""Compressing residuals of token vectors: each number becomes one of 2, 4 or 16 levels, with one factor per vector."""

from __future__ import annotations

import numpy as np
from numba import njit, types

from ..signatures import f32, f32_2, out_f32, out_u8_2

__all__ = ["pack"]


@njit(types.void(f32_2, f32, types.int64, out_u8_2, out_f32), cache=True, nogil=True, boundscheck=False)
def pack(residuals, levels, bits, codes, factors):  # type: ignore[no-untyped-def]
    """Codes of the rows of ``residuals`` (n, d): ``codes`` (n, d * bits / 8), and the factor that makes scores fit.

    ``levels`` are the 2 ** bits values, ascending, for numbers of unit variance. The factor is that of RaBitQ (Gao & Long 2024), with
    which the estimate of a dot product is unbiased; the vector of least squared error is too short, which favours other
    passages.
    """
    each = 8 // bits
    count = len(levels)
    dimension = residuals.shape[1]
    for row in range(len(residuals)):
        square = np.float32(0.0)
        for at in range(dimension):
            square += residuals[row, at] * residuals[row, at]
        scale = np.sqrt(square / dimension)
        inverse = np.float32(1.0) / scale if scale > 0 else np.float32(0.0)
        along = np.float32(0.0)
        for byte in range(dimension // each):
            code = 0
            for number in range(each):
                value = residuals[row, byte * each + number] * inverse
                level = 0
                for above in range(1, count):
                    level += value > np.float32(0.5) * (levels[above - 1] + levels[above])
                code |= level << (bits * number)
                along += levels[level] * residuals[row, byte * each + number]
            codes[row, byte] = code
        factors[row] = square / along if along > 0 else np.float32(0.0)
