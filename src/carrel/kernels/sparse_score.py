"""Exact scores of given passages, and counts of passages among given ones, from a sparse index."""

# numba takes the types from the signatures.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit, types

from .postings import BLOCK, decode, find, first_at_least
from .postings_exact import add_scores
from .signatures import f64, i64, out_f64, out_i64, u8, u16, u32

__all__ = ["count_among", "score"]


@njit(types.void(u32, i64, f64, f64, u32, u32, u32, u32, u8, u8, u16, u32, out_f64), cache=True, nogil=True, boundscheck=False)
def score(ids, terms, weights, parameters, first_blocks, starts, last, offsets, widths, shapes, packed, lengths, scores):
    """Add the exact scores of the rising passages ``ids`` to ``scores``; ``parameters`` are k1, b and average length."""
    add_scores(
        ids, len(ids), terms, weights, first_blocks, starts, last, offsets, widths, shapes, packed, lengths,
        parameters[0], parameters[1], parameters[2], scores,
    )  # fmt: skip


@njit(types.void(u32, i64, u32, u32, u32, u32, u8, u16, out_i64), cache=True, nogil=True, boundscheck=False)
def count_among(ids, terms, first_blocks, starts, last, offsets, widths, packed, counts):
    """How many of the rising passages ``ids`` have each term."""
    passages = np.empty(BLOCK, np.uint32)
    blocks = len(last)
    for t in range(len(terms)):
        counts[t] = 0
        begin = min(np.int64(first_blocks[terms[t]]), blocks)
        end = min(np.int64(first_blocks[terms[t] + 1]), blocks)
        size = np.int64(starts[terms[t] + 1]) - np.int64(starts[terms[t]])
        block, read, sound = begin, -1, False
        for i in range(len(ids)):
            if block != read or ids[i] > last[block]:
                block = first_at_least(last, block, end, ids[i])
                if block >= end:
                    break
                read = block
                held = max(0, min(BLOCK, size - (block - begin) * BLOCK))
                before = last[block - 1] if block > begin else np.uint32(0xFFFFFFFF)
                sound = decode(
                    packed, np.int64(offsets[block]), np.int64(widths[block]), held, before, last[block], passages, 0
                )
            if sound and find(passages, ids[i]) >= 0:
                counts[t] += 1
