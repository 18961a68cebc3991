"""Building a sparse index: counting terms, sorting by term, packing blocks (layout: `postings`)."""

# numba takes the types from the signatures.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit, types

from ..signatures import f64, i32, i64, out_i32, out_i64, out_u8, out_u16, out_u32, u8, u32
from .formula import norm, saturation
from .postings import BLOCK, LANES

__all__ = ["TF_ESCAPE", "count_terms", "distribute", "encode_blocks", "impact"]

TF_ESCAPE = 255
"""A term frequency of this or more is kept in the list of large ones."""
RANGE_BITS = 6
"""Passages of one range, whose greatest impact is kept for frequent terms: 64, one word of a filter."""


@njit(
    types.UniTuple(types.int64, 2)(i64, i32, out_i32, out_i32, out_i32, out_u32, out_i64, out_u32),
    cache=True,
    nogil=True,
    boundscheck=False,
)
def count_terms(indptr, terms, slots, out_terms, out_frequencies, lengths, out_indptr, large):
    """Turn each passage's terms into its distinct terms with their frequencies.

    ``slots`` (int32, one a term) may hold anything. ``large`` takes the frequencies ≥ `TF_ESCAPE` in order.
    Returns the numbers of postings and of large frequencies.
    """
    used = 0
    many = 0
    out_indptr[0] = 0
    for passage in range(len(indptr) - 1):
        start = used
        for i in range(indptr[passage], indptr[passage + 1]):
            term = terms[i]
            slot = slots[term]
            if slot >= start and slot < used and out_terms[slot] == term:
                out_frequencies[slot] += 1
            else:
                slots[term] = used
                out_terms[used] = term
                out_frequencies[used] = 1
                used += 1
        lengths[passage] = indptr[passage + 1] - indptr[passage]
        out_indptr[passage + 1] = used
        for slot in range(start, used):
            if out_frequencies[slot] >= TF_ESCAPE:
                large[many] = out_frequencies[slot]
                many += 1
    return used, many


@njit(
    types.void(i64, i32, u8, u32, i64, types.int64, types.int64, i32, out_i64, out_u32, out_u32),
    cache=True,
    nogil=True,
    boundscheck=False,
)
def distribute(indptr, terms, frequencies, large, first, low, high, ranks, cursors, passages, out_frequencies):
    """Put the postings whose term's rank lies in ``low … high`` where ``cursors[rank - low]`` points (a counting sort).

    ``first[0]`` is the first passage's number.
    """
    many = 0
    for passage in range(len(indptr) - 1):
        for i in range(indptr[passage], indptr[passage + 1]):
            frequency = np.uint32(frequencies[i])
            if frequency == TF_ESCAPE:
                frequency = large[many]
                many += 1
            rank = ranks[terms[i]] - low
            if rank >= 0 and rank < high - low:
                place = cursors[rank]
                cursors[rank] = place + 1
                passages[place] = first[0] + passage
                out_frequencies[place] = frequency


@njit(nogil=True, boundscheck=False)
def _bits(value):
    width = 0
    while value:
        width += 1
        value >>= 1
    return width


@njit(nogil=True, boundscheck=False)
def impact(frequency, length_norm):
    """The saturated term frequency in steps of 1/255, rounded up: 1 … 255."""
    quantised = np.int64(np.ceil(255.0 * saturation(frequency, length_norm)))
    return np.uint8(min(max(quantised, 1), 255))


@njit(nogil=True, boundscheck=False)
def _append_bits(packed, start, values, count, width, mask):
    """Write ``count`` values (those above ``mask`` as ``mask``) as one bit stream; returns the unit after it."""
    held = np.uint64(0)
    bits = 0
    at = start
    for i in range(count):
        held |= np.uint64(min(values[i], mask)) << np.uint64(bits)
        bits += width
        while bits >= 16:
            packed[at] = held & np.uint64(0xFFFF)
            at += 1
            held >>= np.uint64(16)
            bits -= 16
    if bits > 0:
        packed[at] = held & np.uint64(0xFFFF)
        at += 1
    return at


@njit(nogil=True, boundscheck=False)
def _append_lanes(packed, start, gaps, width):
    rows = BLOCK // LANES
    for lane in range(LANES):
        held = np.uint64(0)
        bits = 0
        at = start + lane
        for row in range(rows):
            held |= np.uint64(gaps[lane * rows + row]) << np.uint64(bits)
            bits += width
            while bits >= 16:
                packed[at] = held & np.uint64(0xFFFF)
                at += LANES
                held >>= np.uint64(16)
                bits -= 16
    return start + LANES * width


@njit(nogil=True, boundscheck=False)
def _append_frequencies(packed, at, values, count, counts, largest):
    """Write term frequencies less 1 in the shape that takes least; (unit after them, shape).

    ``counts[w]`` of them lie in 2^w - 1 … 2^(w+1) - 2.
    """
    step = 1 if largest < 256 else 2 if largest < 65536 else 3
    # With w bits those from 2^w - 1 on escape.
    escaping = count - counts[0]
    best, best_cost = 0, 16 * step * escaping
    for bits in range(1, 17):
        cost = count * bits + 16 * step * escaping
        if cost < best_cost:
            best, best_cost = bits, cost
        escaping -= counts[bits]
    mask = np.uint32((1 << best) - 1)
    if best > 0:
        at = _append_bits(packed, at, values, count, best, mask)
    for place in range(count):
        # With no bits at all, every value is an escape, but those of 0 go without saying.
        if values[place] >= mask and (best > 0 or values[place] > 0):
            packed[at] = np.uint32(place) | (values[place] << np.uint32(8) if step == 1 else np.uint32(0))
            if step > 1:
                packed[at + 1] = values[place] & np.uint32(0xFFFF)
            if step > 2:
                packed[at + 2] = values[place] >> np.uint32(16)
            at += step
    return at, best | (step << 6)


@njit(
    types.int64(
        u32, u32, i64, i32, types.uint32, u32, f64, types.int64,
        out_u16, out_u16, out_u32, out_u8, out_u8, out_u8, out_u8, out_u8, types.int64,
    ),
    cache=True,
    nogil=True,
    boundscheck=False,
)  # fmt: skip
def encode_blocks(
    passages, values, bounds, rows, base, lengths, parameters, bits,
    packed, units, last, widths, shapes, impacts, maxima, ranges, row_length,
):  # fmt: skip
    """Pack the postings of the terms ``bounds[i] … bounds[i + 1]`` into blocks.

    ``values`` are term frequencies where ``bits`` is -1 (``parameters`` is then (k1, b, average length)); else integer weights from
    1 to 255 · 2^bits, whose lowest ``bits`` the impacts do not hold. ``base`` is the passage before the first posting where
    its term began earlier, else 0xFFFFFFFF. ``rows[i]`` ≥ 0 is the row of ``ranges`` that takes term i's greatest impact by
    64 passages. ``units`` gets what each block takes. Returns the sum; ``packed`` needs 5 a posting and 3 a block.
    """
    gaps = np.empty(BLOCK, np.uint32)
    held = np.empty(BLOCK, np.uint32)
    counts = np.zeros(33, np.int64)
    rows_of_lane = BLOCK // LANES
    k1, b, average = parameters[0], parameters[1], parameters[2]
    at = 0
    block = 0
    for term in range(len(bounds) - 1):
        before = base if term == 0 else np.uint32(0xFFFFFFFF)
        begin = bounds[term]
        while begin < bounds[term + 1]:
            count = min(BLOCK, bounds[term + 1] - begin)
            start = at
            greatest = np.uint32(0)
            for i in range(count):
                gap = np.uint32(passages[begin + i] - before - np.uint32(1))
                before = passages[begin + i]
                gaps[i] = gap
                greatest |= gap
            width = _bits(greatest) if count > 1 else 0
            lanes = count == BLOCK and width <= 16
            if lanes:
                at = _append_lanes(packed, at, gaps, width)
            elif count > 1:
                at = _append_bits(packed, at, gaps, count, width, np.uint32(0xFFFFFFFF))
            counts[:] = 0
            largest = np.uint32(0)
            maximum = np.uint8(0)
            for place in range(count):
                i = (place % LANES) * rows_of_lane + place // LANES if lanes else place
                value = values[begin + i]
                passage = passages[begin + i]
                if bits < 0:
                    held[place] = value - np.uint32(1)
                    largest = max(largest, held[place])
                    counts[_bits(held[place] + np.uint64(1)) - 1] += 1
                    quantised = impact(np.float64(value), norm(np.float64(lengths[passage]), k1, b, average))
                else:
                    quantised = np.uint8((np.int64(value) + (1 << bits) - 1) >> bits)
                    held[place] = (np.int64(quantised) << bits) - np.int64(value)
                impacts[begin + place] = quantised
                maximum = max(maximum, quantised)
                if rows[term] >= 0:
                    cell = rows[term] * row_length + (passage >> np.uint32(RANGE_BITS))
                    ranges[cell] = max(ranges[cell], quantised)
            if bits < 0:
                at, shapes[block] = _append_frequencies(packed, at, held, count, counts, largest)
            else:
                if bits > 0:
                    at = _append_bits(packed, at, held, count, bits, np.uint32(0xFFFFFFFF))
                shapes[block] = bits
            widths[block] = width
            last[block] = before
            maxima[block] = maximum
            units[block] = at - start
            block += 1
            begin += count
    return at
