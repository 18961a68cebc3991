"""Exact scores from term frequencies and lengths: the second round of sparse search, and scores asked for by id."""

# numba takes the types from the signatures.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit

from .postings import BLOCK, decode, find, first_at_least, frequency

__all__ = ["add_scores"]


@njit(nogil=True, boundscheck=False)
def add_scores(
    ids, count, terms, weights, first_blocks, starts, last, offsets, widths, shapes, packed, lengths, k1, b, average, scores
):
    """Add to ``scores`` (float64) weight * tf / (tf + norm) over the terms, for the first ``count`` of the rising ``ids``."""
    passages = np.empty(BLOCK, np.uint32)
    norms = np.empty(count, np.float64)
    for i in range(count):
        norms[i] = k1 * (1.0 - b + b * (np.float64(lengths[ids[i]]) / average))
    blocks = len(last)
    for t in range(len(terms)):
        begin = min(np.int64(first_blocks[terms[t]]), blocks)
        end = min(np.int64(first_blocks[terms[t] + 1]), blocks)
        size = np.int64(starts[terms[t] + 1]) - np.int64(starts[terms[t]])
        block, decoded, held, sound = begin, -1, 0, False
        for i in range(count):
            passage = ids[i]
            if block != decoded or passage > last[block]:
                block = first_at_least(last, block, end, passage)
                if block >= end:
                    break
                decoded = block
                held = max(0, min(BLOCK, size - (block - begin) * BLOCK))
                before = last[block - 1] if block > begin else np.uint32(0xFFFFFFFF)
                sound = decode(
                    packed, np.int64(offsets[block]), np.int64(widths[block]), held, before, last[block], passages, 0
                )
            if sound:
                place = find(passages, passage)
                if place >= 0:
                    tf = np.float64(
                        frequency(
                            packed, np.int64(offsets[block]), np.int64(offsets[block + 1]), held,
                            widths[block], shapes[block], place,
                        )
                    )  # fmt: skip
                    scores[i] += weights[t] * (tf / (tf + norms[i]))
