"""The steps of a sparse search inside one window of passages (see `search`), inlined into its kernel.

``files`` is (last, offsets, widths, packed, impacts, maxima, ranges), the first three and the maxima by block as
`postings_open` lays them out; ``lists`` describes the query's terms: (begins, ends, postings, sizes, rows,
weights): first and last block, first posting, number of postings, start of the row in ``ranges`` or -1, and the integer
weight. Bounds are integers: weight times greatest impact.
"""

# numba takes the types from the signatures.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit

from ..bits import at_least64, trailing_zeros64, unpack128
from .postings import BLOCK, GUARD, LANES, decode, find, first_at_least

__all__ = [
    "FEW",
    "STRETCH",
    "WINDOW",
    "add_blocks",
    "add_short",
    "complete",
    "list_candidates",
    "mark",
    "stretch_bounds",
    "unroll",
    "window_bounds",
]

WINDOW = 16384
"""Most passages of a window: its accumulators take 64 KiB."""
STRETCH = 2048
"""Passages that are bounded together before the search begins; a window is made of such stretches."""
FEW = WINDOW // 8
"""Up to so many postings a window, they are gone through again instead of all accumulators."""
SHORT_BLOCKS = 64
"""Lists of up to so many blocks are unrolled before the search: such a block lies in several windows, and in many stretches."""
MOST_UNROLLED = 1 << 19
"""Postings unrolled at most: 5 bytes each."""


@njit(nogil=True, boundscheck=False)
def _read(files, lists, t, block, out, at):
    """Decode ``block`` of term t to ``out[at:]``; (number of postings, first posting, passage before), number 0 if damaged."""
    last, offsets, widths, packed = files[0], files[1], files[2], files[3]
    begins, sizes, postings = lists[0], lists[3], lists[2]
    done = (block - begins[t]) * BLOCK
    held = min(BLOCK, sizes[t] - done)
    before = last[block - 1] if block > begins[t] else np.uint32(0xFFFFFFFF)
    if not decode(packed, np.int64(offsets[block]), np.int64(widths[block]), held, before, last[block], out, at):
        held = 0
    return held, postings[t] + done, before


@njit(nogil=True, boundscheck=False)
def unroll(files, lists, passages):
    """Read the short lists in full, rising: (starts, stops, passages, impacts), the first two by term, -1 for a long list."""
    widths, impacts = files[2], files[4]
    begins, ends, sizes = lists[0], lists[1], lists[3]
    count = len(begins)
    starts, stops = np.full(count, -1, np.int64), np.full(count, -1, np.int64)
    total = np.int64(0)
    for t in range(count):
        if 0 < ends[t] - begins[t] <= SHORT_BLOCKS and total + sizes[t] <= MOST_UNROLLED:
            starts[t] = total
            total += sizes[t]
    out_passages, out_impacts = np.empty(total, np.uint32), np.empty(total, np.uint8)
    for t in range(count):
        if starts[t] < 0:
            continue
        at = np.uint64(starts[t])
        for block in range(begins[t], ends[t]):
            held, posting, _ = _read(files, lists, t, block, passages, 0)
            source = np.uint64(posting)
            if held == BLOCK and widths[block] <= 16:
                for lane in range(np.uint64(LANES)):
                    for row in range(np.uint64(BLOCK // LANES)):
                        place = row * np.uint64(LANES) + lane
                        out_passages[at] = passages[place]
                        out_impacts[at] = impacts[source + place]
                        at += np.uint64(1)
            else:
                for place in range(np.uint64(held)):
                    out_passages[at] = passages[place]
                    out_impacts[at] = impacts[source + place]
                    at += np.uint64(1)
        stops[t] = at
    return starts, stops, out_passages, out_impacts


@njit(nogil=True, boundscheck=False)
def stretch_bounds(files, lists, short, n, bounds):
    """Add up in ``bounds`` (int64, one a stretch) the greatest that each term can give there; ``short`` is from `unroll`.

    Returns the greatest impacts: uint8, a row of stretches for each term.
    """
    starts, stops, short_passages, short_impacts = short
    last, maxima, ranges = files[0], files[5], files[6]
    begins, ends, rows, weights = lists[0], lists[1], lists[4], lists[6]
    stretches = len(bounds)
    peaks = np.zeros((len(weights), stretches), np.uint8)
    per = np.uint64(STRETCH >> 6)
    row_length = (n + 63) >> 6
    for t in range(len(weights)):
        if ends[t] <= begins[t]:
            continue
        greatest = peaks[t]
        if rows[t] >= 0:
            for s in range(np.uint64(stretches)):
                start = np.uint64(rows[t]) + s * per
                stop = min(start + per, np.uint64(rows[t] + row_length))
                top = np.uint8(0)
                for r in range(start, stop):
                    top = max(top, ranges[r])
                greatest[s] = top
        elif starts[t] >= 0:
            for p in range(np.uint64(starts[t]), np.uint64(stops[t])):
                s = short_passages[p] // np.uint32(STRETCH)
                if s < stretches:
                    greatest[s] = max(greatest[s], short_impacts[p])
        else:
            first = 0
            for block in range(begins[t], ends[t]):
                final = min(np.int64(last[block]) // STRETCH, stretches - 1)
                for s in range(first, final + 1):
                    greatest[s] = max(greatest[s], maxima[block])
                first = max(final, 0)
        for s in range(stretches):
            bounds[s] += np.int64(greatest[s]) * np.int64(weights[t])
    return peaks


@njit(nogil=True, boundscheck=False)
def window_bounds(files, lists, short, peaks, low, high, at, until, bounds):
    """Each term's blocks (of a short list: postings) ``at … until`` in the window ``low … high``, and its bound there.

    ``peaks`` is what `stretch_bounds` returned; a window is made of whole stretches.
    """
    last = files[0]
    ends, weights = lists[1], lists[6]
    starts, stops, short_passages = short[0], short[1], short[2]
    first, end = np.uint64(low // STRETCH), np.uint64((high + STRETCH - 1) // STRETCH)
    for t in range(len(weights)):
        greatest = np.uint8(0)
        for s in range(first, end):
            greatest = max(greatest, peaks[t, s])
        bounds[t] = np.int64(greatest) * np.int64(weights[t])
        if starts[t] >= 0:
            at[t] = first_at_least(short_passages, at[t], stops[t], np.uint32(low))
            until[t] = first_at_least(short_passages, at[t], stops[t], np.uint32(high)) if greatest > 0 else at[t]
            continue
        at[t] = first_at_least(last, at[t], ends[t], np.uint32(low))
        until[t] = at[t]
        if at[t] < ends[t] and greatest > 0:
            until[t] = min(first_at_least(last, at[t], ends[t], np.uint32(high - 1)) + 1, ends[t])


@njit(nogil=True, boundscheck=False)
def add_short(short, weight, at, until, low, accumulators, few, touched, used):
    """Add the weighted impacts of the postings ``at … until`` of a short list; if ``few``, list them in ``touched[used:]``."""
    short_passages, short_impacts = short[2], short[3]
    for p in range(np.uint64(at), np.uint64(until)):
        cell = (short_passages[p] - np.uint32(low)) & np.uint32(WINDOW - 1)
        accumulators[cell] += weight * np.uint32(short_impacts[p])
    if few:
        for p in range(np.uint64(until - at)):
            touched[np.uint64(used) + p] = short_passages[np.uint64(at) + p]


@njit(nogil=True, boundscheck=False)
def add_blocks(files, lists, t, begin, end, others, low, high, accumulators, few, touched, used):
    """Add the weighted impacts of the blocks ``begin … end`` whose bound is at least ``others``; returns places used of ``touched``.

    If ``few``, the passages are listed in ``touched[used:]``; else they are written to its beginning, and forgotten.
    """
    last, offsets, widths, packed, impacts, tops = files[0], files[1], files[2], files[3], files[4], files[5]
    first, size, posting = lists[0][t], lists[3][t], lists[2][t]
    weight = lists[5][t]
    start, span = np.uint32(low), np.uint32(high - low)
    mask = np.uint32(WINDOW - 1)
    for block in range(begin, end):
        # Passages of a block that cannot reach the threshold with all other terms at their best are lost anyway.
        if np.int64(tops[block]) * np.int64(weight) < others:
            continue
        done = (block - first) * BLOCK
        before = last[block - 1] if block > first else np.uint32(0xFFFFFFFF)
        inside = np.int64(np.uint32(before + np.uint32(1))) >= low and np.int64(last[block]) < high
        source, at = np.uint64(posting + done), np.uint64(used)
        width, offset = np.int64(widths[block]), np.int64(offsets[block])
        if size - done >= BLOCK and width <= 16 and offset + 8 * width + GUARD <= len(packed):
            # The usual block; loops of a known length are compiled to twice as fast code.
            unpack128(packed, np.uint64(offset), np.uint64(width), before, touched, at)
            if inside:
                for p in range(np.uint64(BLOCK)):
                    # The mask only matters where the file is damaged: it keeps the write inside.
                    cell = (touched[at + p] - start) & mask
                    accumulators[cell] += weight * np.uint32(impacts[source + p])
            else:
                # Those outside add nothing to a cell inside: a branch would be mispredicted as often as not.
                for p in range(np.uint64(BLOCK)):
                    cell = touched[at + p] - start
                    value = weight * np.uint32(impacts[source + p])
                    accumulators[cell & mask] += value if cell < span else np.uint32(0)
            used += BLOCK if few else 0
            continue
        held = min(BLOCK, size - done)
        if not decode(packed, offset, width, held, before, last[block], touched, used):
            continue
        for p in range(np.uint64(held)):
            cell = touched[at + p] - start
            value = weight * np.uint32(impacts[source + p])
            accumulators[cell & mask] += value if cell < span else np.uint32(0)
        used += held if few else 0
    return used


@njit(nogil=True, boundscheck=False)
def mark(accumulators, range_bounds, low, high, needed, few, touched, used, candidate_bits):
    """Set the bits of the passages that can reach ``needed``: of those touched if ``few``, else of all accumulators."""
    if few:
        for i in range(np.uint64(used)):
            cell = np.uint32(touched[i] - np.uint32(low))
            if cell < np.uint32(high - low):
                r = cell >> np.uint32(6)
                if np.int64(accumulators[cell]) + np.int64(range_bounds[r]) >= needed:
                    candidate_bits[r] |= np.uint64(1) << np.uint64(cell & np.uint32(63))
        return
    for r in range(np.uint64((high - low + 63) >> 6)):
        limit = np.uint32(max(needed - np.int64(range_bounds[r]), 0))
        candidate_bits[r] = at_least64(accumulators, r * np.uint64(64), limit)


@njit(nogil=True, boundscheck=False)
def list_candidates(candidate_bits, words, allowed, low, high, accumulators, range_bounds, candidates):
    """Turn the bits into rising (passage, score so far, what the optional terms can add) triples; clears the bits."""
    used = np.uint64(0)
    filtered = len(allowed) > 0
    for r in range(np.uint64(words)):
        bits = candidate_bits[r]
        if bits:
            candidate_bits[r] = 0
            if filtered:
                bits &= allowed[np.uint64(low >> 6) + r]
            while bits:
                cell = r * np.uint64(64) + trailing_zeros64(bits)
                bits &= bits - np.uint64(1)
                if cell >= np.uint64(high - low):
                    break
                candidates[used] = np.uint64(low) + cell
                candidates[used + np.uint64(1)] = accumulators[cell]
                candidates[used + np.uint64(2)] = range_bounds[r]
                used += np.uint64(3)
    return np.int64(used) // 3


@njit(nogil=True, boundscheck=False)
def complete(files, lists, t, at, until, bound, needed, low, candidates, m, passages, cells):
    """Give the ``m`` candidates what the optional term t adds, and keep those that can still reach ``needed``.

    ``cells`` (uint8, one a passage of a window, zeros) takes the impacts of a block in which several candidates lie, and is
    left zeroed.
    """
    last, impacts, maxima, ranges = files[0], files[4], files[5], files[6]
    row, weight, promise = lists[4][t], np.int64(lists[5][t]), np.int64(lists[6][t])
    block, read, held, posting, spread = at, -1, 0, 0, False
    kept = 0
    for c in range(m):
        passage = candidates[3 * c]
        score, rest = np.int64(candidates[3 * c + 1]), np.int64(candidates[3 * c + 2])
        if score + rest < needed:
            continue
        possible = bound
        if row >= 0:
            possible = np.int64(ranges[row + (np.int64(passage) >> 6)]) * promise
        rest = max(rest - possible, 0)
        if possible > 0 and block < until:
            if last[block] < passage:
                block = first_at_least(last, block, until, passage)
            if block < until:
                if score + rest + np.int64(maxima[block]) * promise < needed:
                    continue
                if block != read:
                    if spread:
                        for p in range(np.uint64(held)):
                            cells[(passages[p] - np.uint32(low)) & np.uint32(WINDOW - 1)] = 0
                    read = block
                    held, posting, _ = _read(files, lists, t, block, passages, 0)
                    spread = c + 6 < m and candidates[3 * (c + 6)] <= last[block]
                    if spread:
                        for p in range(np.uint64(held)):
                            cell = np.uint32(passages[p] - np.uint32(low))
                            if cell < WINDOW:
                                cells[cell] = impacts[np.uint64(posting) + p]
                if spread:
                    score += weight * np.int64(cells[passage - np.uint32(low)])
                elif held > 0:
                    place = find(passages, passage)
                    if place >= 0 and posting + place < len(impacts):
                        score += weight * np.int64(impacts[posting + place])
        candidates[3 * kept] = passage
        candidates[3 * kept + 1] = np.uint32(score)
        candidates[3 * kept + 2] = np.uint32(rest)
        kept += 1
    if spread:
        for p in range(np.uint64(held)):
            cells[(passages[p] - np.uint32(low)) & np.uint32(WINDOW - 1)] = 0
    return kept
