"""Exact scores from the postings: the second round of a sparse search, and the scores of given passages.

A posting's exact value is, in a BM25 index, its saturated term frequency (`kernels.bm25`); in an index of vectors, an integer
weight: the impact times 2^r minus the r bits that the block has in place of term frequencies.
"""

# numba takes the types from the signatures.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit

from .formula import norm, saturation
from .postings import BLOCK, decode, find, first_at_least, frequency, remainder

__all__ = ["SHORT", "add_scores", "length_of"]

SHORT = 65535
"""Lengths from this on are kept apart, as pairs of passage and length in the rising array ``long_lengths``."""


@njit(nogil=True, boundscheck=False)
def length_of(lengths, long_lengths, passage):
    """Number of terms of a passage."""
    length = np.int64(lengths[passage])
    if length == SHORT:
        low, high = 0, len(long_lengths) >> 1
        while low < high:
            middle = (low + high) >> 1
            if long_lengths[2 * middle] < passage:
                low = middle + 1
            else:
                high = middle
        if 2 * low + 1 < len(long_lengths) and long_lengths[2 * low] == passage:
            length = np.int64(long_lengths[2 * low + 1])
    return length


@njit(nogil=True, boundscheck=False)
def add_scores(ids, count, weights, lists, blocks, packed, impacts, lengths, long_lengths, parameters, bits, scores):
    """Add to ``scores`` (float64) weight * value over the open lists, for the first ``count`` of the ascending ``ids``.

    ``bits`` is -1 in a BM25 index (whose ``parameters`` begin with k1, b and average length), else the r of above.
    """
    begins, ends, postings, sizes = lists
    last, offsets, stops, widths, shapes = blocks
    passages = np.empty(BLOCK, np.uint32)
    norms = np.empty(count if bits < 0 else 0, np.float64)
    k1, b, average = parameters[0], parameters[1], parameters[2]
    for i in range(len(norms)):
        norms[i] = norm(np.float64(length_of(lengths, long_lengths, ids[i])), k1, b, average)
    for t in range(len(weights)):
        block, decoded, held, sound = begins[t], np.int64(-1), np.int64(0), False
        for i in range(count):
            passage = ids[i]
            if block != decoded or passage > last[block]:
                block = first_at_least(last, block, ends[t], passage)
                if block >= ends[t]:
                    break
                decoded = block
                done = (block - begins[t]) * BLOCK
                held = max(0, min(BLOCK, sizes[t] - done))
                before = last[block - 1] if block > begins[t] else np.uint32(0xFFFFFFFF)
                sound = decode(packed, offsets[block], np.int64(widths[block]), held, before, last[block], passages, 0)
            if sound:
                place = find(passages, passage)
                if place >= 0:
                    if bits < 0:
                        tf = np.float64(
                            frequency(packed, offsets[block], stops[block], held, widths[block], shapes[block], place)
                        )
                        scores[i] += weights[t] * saturation(tf, norms[i])
                    else:
                        impact = np.int64(impacts[postings[t] + (block - begins[t]) * BLOCK + place])
                        less = remainder(packed, offsets[block], held, np.int64(widths[block]), bits, place)
                        scores[i] += weights[t] * np.float64((impact << bits) - less)
