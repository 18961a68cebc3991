"""Reading whole postings lists, to merge segments and to recompute impacts."""

# numba takes the types from the signatures.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit, types

from ..popcount import popcount
from ..signatures import f64, i32, i64, i64_2, out_i64, out_u8, out_u32, u8, u16, u32, u64
from .build import impact
from .formula import norm
from .postings import BLOCK, LANES, decode, frequency, remainder
from .postings_exact import length_of
from .postings_open import open_lists

__all__ = ["append_lists", "new_impacts", "squeeze"]


@njit(
    types.void(
        i64_2, types.int64, types.int64, u64, u32, types.int64, types.int64, types.int64,
        u32, u16, u8, u8, u16, u8,
        out_i64, out_u32, out_u32,
    ),
    cache=True,
    nogil=True,
    boundscheck=False,
)  # fmt: skip
def append_lists(
    records, from_block, to_block, kept, kept_before, shift, bits, total,
    last, units, widths, shapes, packed, impacts,
    cursors, out_passages, out_values,
):  # fmt: skip
    """Write the selected postings of each term, from blocks ``from_block … to_block``, where its cursor points.

    ``kept`` is a bitmap of passages, ``total`` of them; a kept one is numbered by those kept before it (``kept_before`` counts
    them by word) plus ``shift``. Values are term frequencies, or the integer weights of an index of vectors (``bits`` ≥ 0).
    Nothing is written past the end of the arrays.
    """
    lists, blocks = open_lists(records, total, len(impacts), last, units, widths, shapes, packed)
    begins, ends, postings, sizes = lists
    last_of, offsets, stops, widths_of, shapes_of = blocks
    passages = np.empty(BLOCK, np.uint32)
    rows = BLOCK // LANES
    for t in range(len(records)):
        cursor = cursors[t]
        for block in range(begins[t] + from_block, min(ends[t], begins[t] + to_block)):
            done = (block - begins[t]) * BLOCK
            held = max(0, min(BLOCK, sizes[t] - done))
            before = last_of[block - 1] if block > begins[t] else np.uint32(0xFFFFFFFF)
            width, offset = np.int64(widths_of[block]), offsets[block]
            if not decode(packed, offset, width, held, before, last_of[block], passages, 0):
                continue
            lanes = held == BLOCK and width <= 16
            for i in range(held):
                place = (i % rows) * LANES + i // rows if lanes else i
                word = np.int64(passages[place] >> np.uint32(6))
                bit = np.uint64(passages[place] & np.uint32(63))
                if word < len(kept) and (kept[word] >> bit) & np.uint64(1) and cursor < len(out_passages):
                    below = popcount(kept[word] & ((np.uint64(1) << bit) - np.uint64(1)))
                    out_passages[cursor] = shift + np.int64(kept_before[word]) + np.int64(below)
                    if bits < 0:
                        value = frequency(packed, offset, stops[block], held, width, shapes_of[block], place)
                    else:
                        value = np.int64(impacts[postings[t] + done + place]) << bits
                        value -= remainder(packed, offset, held, width, bits, place)
                    out_values[cursor] = value
                    cursor += 1
        cursors[t] = cursor


@njit(types.int64(i64, i64, out_u32, out_u32), cache=True, nogil=True, boundscheck=False)
def squeeze(begins, ends, passages, frequencies):
    """Close the gaps between the ranges ``begins[t] … ends[t]`` of both arrays, in place; returns the number of items left."""
    used = 0
    for t in range(len(begins)):
        for i in range(begins[t], ends[t]):
            passages[used] = passages[i]
            frequencies[used] = frequencies[i]
            used += 1
    return used


@njit(
    types.void(
        i64_2, i32, types.int64, types.int64, u32, u16, u8, u8, u16, u16, u32, f64,
        out_u8, out_u8, out_u8, types.int64,
    ),
    cache=True,
    nogil=True,
    boundscheck=False,
)  # fmt: skip
def new_impacts(
    records, rows, total, postings, last, units, widths, shapes, packed, lengths, long_lengths, parameters,
    impacts, maxima, ranges, row_length,
):  # fmt: skip
    """Impacts, and their maxima by block of the directory and by range (see `build.encode_blocks`), of some terms."""
    lists, blocks = open_lists(records, total, postings, last, units, widths, shapes, packed)
    begins, ends, _, sizes = lists
    last_of, offsets, stops, widths_of, shapes_of = blocks
    passages = np.empty(BLOCK, np.uint32)
    at, block_at = 0, 0
    k1, b, average = parameters[0], parameters[1], parameters[2]
    for t in range(len(records)):
        row = rows[t]
        for block in range(begins[t], ends[t]):
            held = max(0, min(BLOCK, sizes[t] - (block - begins[t]) * BLOCK))
            before = last_of[block - 1] if block > begins[t] else np.uint32(0xFFFFFFFF)
            width, offset = np.int64(widths_of[block]), offsets[block]
            sound = decode(packed, offset, width, held, before, last_of[block], passages, 0)
            maximum = np.uint8(0)
            for place in range(min(held, len(impacts) - at)):
                quantised = np.uint8(255)
                passage = np.int64(passages[place])
                if sound and passage < len(lengths):
                    tf = np.float64(frequency(packed, offset, stops[block], held, width, shapes_of[block], place))
                    length = np.float64(length_of(lengths, long_lengths, np.uint32(passage)))
                    quantised = impact(tf, norm(length, k1, b, average))
                    if row >= 0:
                        cell = np.int64(row) * row_length + (passage >> 6)
                        ranges[cell] = max(ranges[cell], quantised)
                impacts[at + place] = quantised
                maximum = max(maximum, quantised)
            at += min(held, len(impacts) - at)
            if ends[t] - begins[t] > 1 and block_at < len(maxima):
                maxima[block_at] = maximum
                block_at += 1
