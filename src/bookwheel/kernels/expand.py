"""Replacing each id of a stream by the ids it stands for."""

# numba takes the types from the signatures.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

from numba import njit, types

from .signatures import i32, i64, out_i32, out_i64

__all__ = ["expand"]


@njit(types.int64(i64, i32, i64, i32, out_i64, out_i32), cache=True, nogil=True, boundscheck=False)
def expand(indptr, ids, stands_indptr, stands_for, out_indptr, out_ids):
    """Replace id i by ``stands_for[stands_indptr[i]:stands_indptr[i + 1]]``, keeping the rows of ``indptr``.

    Returns the resulting number of ids; ``out_ids`` receives as many of them as it has room for.
    """
    used = 0
    out_indptr[0] = 0
    for row in range(len(indptr) - 1):
        for i in range(indptr[row], indptr[row + 1]):
            for j in range(stands_indptr[ids[i]], stands_indptr[ids[i] + 1]):
                if used < len(out_ids):
                    out_ids[used] = stands_for[j]
                used += 1
        out_indptr[row + 1] = used
    return used
