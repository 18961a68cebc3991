"""Float32 to float16 and back, in loops that the compiler vectorises: ten times as fast as numpy."""

from __future__ import annotations

import numpy as np
from numba import njit, types

from ..popcount import as_float, as_word
from ..signatures import f32_2, out_f32_2, out_f64, out_u16_2, u16_2
from .rows import half

__all__ = ["narrow", "widen"]

_MAGIC = np.uint32(126 << 23)
"""0.5: adding it to a number too small for a normal float16 leaves the rounded bits at the end of the mantissa."""


@njit(types.UniTuple(types.int64, 2)(f32_2, out_u16_2, out_f64), cache=True, nogil=True, boundscheck=False)
def narrow(vectors, halves, sums):  # type: ignore[no-untyped-def]
    """Round rows to float16 (to nearest, ties to even) and add the stored values to ``sums``, by column.

    Returns the number of rows that are not all zero, and -1; or, instead of -1, the first row with a number that float16
    cannot represent (65520 and more, infinity, NaN), where it stops.
    """
    magic = as_float(_MAGIC)
    known = 0
    rows, dimension = vectors.shape
    for row in range(rows):
        largest = np.uint32(0)
        for j in range(dimension):
            word = as_word(vectors[row, j])
            sign = (word & np.uint32(0x80000000)) >> np.uint32(16)
            word &= np.uint32(0x7FFFFFFF)
            small = as_word(as_float(word) + magic) - _MAGIC
            odd = (word >> np.uint32(13)) & np.uint32(1)
            normal = (word - np.uint32(112 << 23) + np.uint32(0xFFF) + odd) >> np.uint32(13)
            magnitude = small if word < np.uint32(113 << 23) else normal
            largest = max(largest, word)
            halves[row, j] = np.uint16(magnitude | sign)
        if largest >= np.uint32(0x477FF000):
            return known, row
        filled = np.uint16(0)
        for j in range(dimension):
            filled |= halves[row, j] & np.uint16(0x7FFF)
            sums[j] += np.float64(half(halves[row, j]))
        known += filled != 0
    return known, -1


@njit(types.void(u16_2, out_f32_2), cache=True, nogil=True, boundscheck=False)
def widen(halves, vectors):  # type: ignore[no-untyped-def]
    """Write rows of float16 (given by their bits) as float32."""
    rows, dimension = halves.shape
    for row in range(rows):
        for j in range(dimension):
            vectors[row, j] = half(halves[row, j])
