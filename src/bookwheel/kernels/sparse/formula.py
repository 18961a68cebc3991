"""BM25's norm and saturation, compiled from `kernels.bm25`."""

# numba takes the types from the arguments.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

from numba import njit

from .. import bm25

__all__ = ["norm", "saturation"]

norm = njit(nogil=True, boundscheck=False)(bm25.norm)
saturation = njit(nogil=True, boundscheck=False)(bm25.saturation)
