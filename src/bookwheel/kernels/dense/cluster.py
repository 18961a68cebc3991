"""Sums of the members of clusters, and filter bits in the order of IVF lists."""

from __future__ import annotations

import numpy as np
from numba import njit, types

from ..signatures import f32_2, i64, i64_2, out_f64_2, out_i64, out_u64, u32, u64

__all__ = ["add_members", "gather_mask"]


@njit(types.void(f32_2, i64, out_f64_2, out_i64), cache=True, nogil=True, boundscheck=False)
def add_members(vectors, clusters, sums, counts):  # type: ignore[no-untyped-def]
    """Add each row of ``vectors`` (n, d) to the row of ``sums`` (k, d) that ``clusters`` (n,) names, and count it."""
    for row in range(len(vectors)):
        cluster = clusters[row]
        if cluster < 0 or cluster >= len(sums):
            continue
        counts[cluster] += 1
        for j in range(vectors.shape[1]):
            sums[cluster, j] += np.float64(vectors[row, j])


@njit(types.void(u64, u32, i64_2, out_u64), cache=True, nogil=True, boundscheck=False)
def gather_mask(mask, numbers, runs, words):  # type: ignore[no-untyped-def]
    """Write the bits of ``mask`` for the places of the groups in ``runs`` (r, 2) to ``words``, one word per group.

    ``numbers`` holds the row of each place, or a number beyond the mask for empty places.
    """
    rows = 64 * len(mask)
    for run in range(len(runs)):
        for group in range(max(runs[run, 0], 0), min(runs[run, 1], len(words))):
            word = np.uint64(0)
            for lane in range(64):
                row = np.int64(numbers[64 * group + lane])
                if row < rows:
                    word |= ((mask[row >> 6] >> np.uint64(row & 63)) & np.uint64(1)) << np.uint64(lane)
            words[group] = word
