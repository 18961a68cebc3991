"""Exact search: the best rows of the float16 vectors by dot product."""

from __future__ import annotations

import numpy as np
from numba import njit, types

from ..signatures import f32, out_u64, u16, u16_2, u64
from .rows import dot
from .select import cut, key_of, score_of

__all__ = ["best_rows"]


@njit(
    types.int64(u16_2, types.int64, u16, u64, f32, types.int64, types.int64, out_u64), cache=True, nogil=True, boundscheck=False
)
def best_rows(vectors, first, factors, mask, query, want, count, keys):  # type: ignore[no-untyped-def]
    """Add the rows of a piece of ``vectors`` that starts at id ``first`` to the best ``want`` of ``keys``.

    ``factors`` is empty, or 0 at ids never to be returned; ``mask`` is empty, or has one bit per id. Returns the number of keys
    held, less than ``len(keys)`` (> ``want``): pass it as ``count`` with the next piece.
    """
    filtered = len(mask) > 0
    threshold = np.float32(-np.inf)
    if count >= want:
        cut(keys, count, want)
        count = want
        threshold = score_of(keys[want - 1])
    for row in range(len(vectors)):
        number = first + row
        if filtered and not (mask[number >> 6] >> np.uint64(number & 63)) & np.uint64(1):
            continue
        if len(factors) and not factors[number] & np.uint16(0x7FFF):
            continue
        score = dot(vectors, row, query)
        if score > threshold:
            keys[count] = key_of(score, number)
            count += 1
            if count == len(keys):
                cut(keys, count, want)
                count = want
                threshold = score_of(keys[want - 1])
    return count
