"""Inverting sparse vectors: counting, scattering into a run sorted by term, gathering terms from the runs."""

# numba takes the types from the signatures.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit, types

from ..signatures import f32, i32, i64, out_f32, out_i64, out_u32, u32

__all__ = ["gather", "scatter", "take"]


@njit(types.boolean(i64, i32, f32, out_i64, out_i64, out_f32), cache=True, nogil=True, boundscheck=False)
def take(indptr, terms, weights, seen, counts, greatest):
    """Count each term's passages and find its greatest weight; False (and nothing counted) where a row repeats a term.

    ``seen`` (one a term) comes filled with -1.
    """
    for row in range(len(indptr) - 1):
        for i in range(indptr[row], indptr[row + 1]):
            if seen[terms[i]] == row:
                return False
            seen[terms[i]] = row
    for i in range(len(terms)):
        counts[terms[i]] += 1
        greatest[terms[i]] = max(greatest[terms[i]], weights[i])
    return True


@njit(types.void(types.int64, i64, i32, f32, out_i64, out_u32, out_f32), cache=True, nogil=True, boundscheck=False)
def scatter(first, indptr, terms, weights, cursors, out_passages, out_weights):
    """Put each posting where its term's cursor points (a counting sort); row 0 is the passage ``first``."""
    for row in range(len(indptr) - 1):
        for i in range(indptr[row], indptr[row + 1]):
            place = cursors[terms[i]]
            cursors[terms[i]] = place + 1
            out_passages[place] = first + row
            out_weights[place] = weights[i]


@njit(types.void(i64, i64, u32, f32, f32, types.int64, out_i64, out_u32, out_u32), cache=True, nogil=True, boundscheck=False)
def gather(terms, starts, passages, weights, steps, most, cursors, out_passages, out_codes):
    """Append a run's postings of each of ``terms`` where its cursor points, weights as multiples of its step: 1 … ``most``."""
    for t in range(len(terms)):
        if terms[t] + 1 >= len(starts):
            continue
        cursor = cursors[t]
        step = np.float64(steps[t])
        for i in range(starts[terms[t]], starts[terms[t] + 1]):
            out_passages[cursor] = passages[i]
            code = np.int64(np.rint(min(np.float64(weights[i]) / step, np.float64(most))))
            out_codes[cursor] = max(code, 1)
            cursor += 1
        cursors[t] = cursor
