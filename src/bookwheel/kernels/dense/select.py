"""The best of a stream of (score, id) pairs: 64-bit keys whose order is that of a ranking.

The upper half of a key is the score mapped to a uint32 of the same order, the lower half the complement of the id, so that the
greater key is the better score or, at equal scores, the smaller id. A buffer of keys that is cut to the best ``want`` by
quickselect whenever it is full needs no heap: with the cut's last score as a threshold, few of a long stream get that far.

The functions are not compiled by themselves: they become part of the kernels that call them.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ..popcount import as_float, as_word

__all__ = ["cut", "key_of", "score_of"]

_SIGN = np.uint32(0x80000000)
_ALL = np.uint32(0xFFFFFFFF)


@njit(inline="always")
def key_of(score, number):  # type: ignore[no-untyped-def]
    """The key of a float32 score and an id below 2**32."""
    word = as_word(score + np.float32(0.0))
    if word & _SIGN:
        word = ~word
    else:
        word = word | _SIGN
    return (np.uint64(word) << np.uint64(32)) | np.uint64(_ALL - np.uint32(number))


@njit(inline="always")
def score_of(key):  # type: ignore[no-untyped-def]
    """The float32 score of a key."""
    word = np.uint32(key >> np.uint64(32))
    if word & _SIGN:
        word = word ^ _SIGN
    else:
        word = ~word
    return as_float(word)


@njit
def cut(keys, count, want):  # type: ignore[no-untyped-def]
    """Bring the ``want`` greatest of the first ``count`` keys to the front (0 < want <= count), the least of them last."""
    low, high, target = 0, count - 1, want - 1
    while low < high:
        first, middle, last = keys[low], keys[(low + high) >> 1], keys[high]
        pivot = max(min(first, middle), min(max(first, middle), last))
        i, j = low, high
        while i <= j:
            while keys[i] > pivot:
                i += 1
            while keys[j] < pivot:
                j -= 1
            if i <= j:
                keys[i], keys[j] = keys[j], keys[i]
                i += 1
                j -= 1
        if target <= j:
            high = j
        elif target >= i:
            low = i
        else:
            return
