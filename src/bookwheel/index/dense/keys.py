"""Reading the 64-bit keys that the kernels rank by (`kernels.dense.select`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["numbers_of", "scores_of"]

_SIGN = np.uint32(0x80000000)


def numbers_of(keys: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """The row numbers of keys."""
    return (~keys).astype(np.uint32)


def scores_of(keys: NDArray[np.uint64]) -> NDArray[np.float32]:
    """The scores of keys."""
    words = (keys >> np.uint64(32)).astype(np.uint32)
    return np.where(words & _SIGN, words ^ _SIGN, ~words).view(np.float32)
