"""Reading whole lists of a sparse index: to merge segments, and to compute impacts anew."""

# numba takes the types from the signatures.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit, types

from .popcount import popcount
from .postings import BLOCK, LANES, decode, frequency
from .signatures import f64, i32, i64, out_i64, out_u8, out_u32, u8, u16, u32, u64
from .sparse_build import impact

__all__ = ["append_lists", "new_impacts", "squeeze"]


@njit(
    types.void(
        i64, types.int64, types.int64, u64, u32, types.int64,
        u32, u32, u32, u32, u8, u8, u16,
        out_i64, out_u32, out_u32,
    ),
    cache=True,
    nogil=True,
    boundscheck=False,
)  # fmt: skip
def append_lists(
    terms, from_block, to_block, kept, kept_before, shift,
    first_blocks, starts, last, offsets, widths, shapes, packed,
    cursors, out_passages, out_frequencies,
):  # fmt: skip
    """Write the kept postings of each term (-1: none) in its blocks ``from_block … to_block`` where its cursor points.

    ``kept`` is a bitmap of passages; a kept one is numbered by those kept before it (``kept_before`` counts them by word)
    plus ``shift``. Nothing is written past the end of the arrays.
    """
    passages = np.empty(BLOCK, np.uint32)
    rows = BLOCK // LANES
    blocks = len(last)
    for t in range(len(terms)):
        if terms[t] < 0:
            continue
        begin = min(np.int64(first_blocks[terms[t]]), blocks)
        end = min(np.int64(first_blocks[terms[t] + 1]), blocks)
        size = np.int64(starts[terms[t] + 1]) - np.int64(starts[terms[t]])
        cursor = cursors[t]
        for block in range(begin + from_block, min(end, begin + to_block)):
            held = max(0, min(BLOCK, size - (block - begin) * BLOCK))
            before = last[block - 1] if block > begin else np.uint32(0xFFFFFFFF)
            width, offset = np.int64(widths[block]), np.int64(offsets[block])
            if not decode(packed, offset, width, held, before, last[block], passages, 0):
                continue
            lanes = held == BLOCK and width <= 16
            for i in range(held):
                place = (i % rows) * LANES + i // rows if lanes else i
                word = np.int64(passages[place] >> np.uint32(6))
                bit = np.uint64(passages[place] & np.uint32(63))
                if word < len(kept) and (kept[word] >> bit) & np.uint64(1) and cursor < len(out_passages):
                    below = popcount(kept[word] & ((np.uint64(1) << bit) - np.uint64(1)))
                    out_passages[cursor] = shift + np.int64(kept_before[word]) + np.int64(below)
                    out_frequencies[cursor] = frequency(
                        packed, offset, np.int64(offsets[block + 1]), held, width, shapes[block], place
                    )
                    cursor += 1
        cursors[t] = cursor


@njit(types.int64(i64, i64, out_u32, out_u32), cache=True, nogil=True, boundscheck=False)
def squeeze(begins, ends, passages, frequencies):
    """Close the gaps between the stretches ``begins[t] … ends[t]`` of both arrays, in place; returns what is left."""
    used = 0
    for t in range(len(begins)):
        for i in range(begins[t], ends[t]):
            passages[used] = passages[i]
            frequencies[used] = frequencies[i]
            used += 1
    return used


@njit(
    types.void(
        types.int64, types.int64, i32, u32, u32, u32, u32, u8, u8, u16, u32, f64,
        out_u8, out_u8, out_u8, types.int64,
    ),
    cache=True,
    nogil=True,
    boundscheck=False,
)  # fmt: skip
def new_impacts(
    low, high, rows, first_blocks, starts, last, offsets, widths, shapes, packed, lengths, norm,
    impacts, maxima, ranges, row_length,
):  # fmt: skip
    """Impacts, maxima by block and by range (see `sparse_build.encode_blocks`) of the terms ``low … high``."""
    passages = np.empty(BLOCK, np.uint32)
    blocks = len(last)
    at, block_at = 0, 0
    k1, b, average = norm[0], norm[1], norm[2]
    for term in range(low, high):
        begin = min(np.int64(first_blocks[term]), blocks)
        end = min(np.int64(first_blocks[term + 1]), blocks)
        size = np.int64(starts[term + 1]) - np.int64(starts[term])
        row = rows[term - low]
        for block in range(begin, end):
            held = max(0, min(BLOCK, size - (block - begin) * BLOCK))
            before = last[block - 1] if block > begin else np.uint32(0xFFFFFFFF)
            width, offset, after = np.int64(widths[block]), np.int64(offsets[block]), np.int64(offsets[block + 1])
            sound = decode(packed, offset, width, held, before, last[block], passages, 0)
            maximum = np.uint8(0)
            for place in range(min(held, len(impacts) - at)):
                quantised = np.uint8(255)
                passage = np.int64(passages[place])
                if sound and passage < len(lengths):
                    tf = np.float64(frequency(packed, offset, after, held, width, shapes[block], place))
                    quantised = impact(tf, k1 * (1.0 - b + b * (np.float64(lengths[passage]) / average)))
                    if row >= 0:
                        cell = np.int64(row) * row_length + (passage >> 6)
                        ranges[cell] = max(ranges[cell], quantised)
                impacts[at + place] = quantised
                maximum = max(maximum, quantised)
            at += min(held, len(impacts) - at)
            if block_at < len(maxima):
                maxima[block_at] = maximum
                block_at += 1
