"""The passages of a term as bits: what required and excluded words are made of."""

# numba takes the types from the signatures.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit, types

from .postings import BLOCK, decode
from .signatures import out_u64, u8, u16, u32

__all__ = ["term_bits"]


@njit(types.void(types.int64, u32, u32, u32, u32, u8, u16, out_u64), cache=True, nogil=True, boundscheck=False)
def term_bits(term, first_blocks, starts, last, offsets, widths, packed, bits):
    """Set the bit of every passage that has ``term`` (its number): bit i % 64 of word i // 64."""
    passages = np.empty(BLOCK, np.uint32)
    blocks = len(last)
    begin = min(np.int64(first_blocks[term]), blocks)
    end = min(np.int64(first_blocks[term + 1]), blocks)
    size = np.int64(starts[term + 1]) - np.int64(starts[term])
    limit = np.int64(len(bits)) * 64
    for block in range(begin, end):
        held = max(0, min(BLOCK, size - (block - begin) * BLOCK))
        before = last[block - 1] if block > begin else np.uint32(0xFFFFFFFF)
        if not decode(packed, np.int64(offsets[block]), np.int64(widths[block]), held, before, last[block], passages, 0):
            continue
        for i in range(held):
            passage = np.int64(passages[i])
            if passage < limit:
                bits[passage >> 6] |= np.uint64(1) << np.uint64(passage & 63)
