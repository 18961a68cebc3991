"""Opening the postings lists of some terms: the directories of their blocks, as arrays.

On disk only lists of more than a block have a directory (last passage, units, width, shape and greatest impact of each
block); a shorter list's is its record (see `dictionary`). Here both become alike: ``lists`` is (begins, ends,
postings, sizes) by term: first block and the one after the last, first posting, number of postings; ``blocks`` is (last,
offsets, stops, widths, shapes) by block: last passage, first unit and the one after the last, width, shape.
"""

# numba takes the types from the signatures.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit

from .postings import BLOCK, decode

__all__ = ["greatest_impacts", "open_lists"]


@njit(nogil=True, boundscheck=False)
def open_lists(records, passages, postings, last, units, widths, shapes, packed):
    """(lists, blocks) of the terms of ``records``; an impossible list is left empty.

    ``passages`` and ``postings`` are how many the index has: no list is longer than the one, none ends after the other.
    """
    count = len(records)
    begins, ends = np.zeros(count, np.int64), np.zeros(count, np.int64)
    firsts, sizes = np.zeros(count, np.int64), np.zeros(count, np.int64)
    total = np.int64(0)
    for t in range(count):
        size, first = records[t, 1], records[t, 3]
        begins[t] = total
        held = (size + BLOCK - 1) // BLOCK
        sound = 0 < size <= passages and 0 <= records[t, 2] <= postings - size
        if held > 1:
            sound = sound and 0 <= first <= len(last) - held
        if sound:
            firsts[t], sizes[t] = records[t, 2], size
            total += held
        ends[t] = total
    out_last, out_widths, out_shapes = np.empty(total, np.uint32), np.empty(total, np.uint8), np.empty(total, np.uint8)
    offsets, stops = np.empty(total, np.int64), np.empty(total, np.int64)
    found = np.empty(BLOCK, np.uint32)
    for t in range(count):
        at, unit = begins[t], records[t, 4]
        if ends[t] - at == 1:
            width, shape = records[t, 6] & 255, (records[t, 6] >> 8) & 255
            size = sizes[t]
            passage = np.uint32(records[t, 7])
            if size > 1:
                if decode(packed, unit, width, size, np.uint32(0xFFFFFFFF), np.uint32(0), found, 0):
                    passage = found[size - 1]
                else:
                    passage = np.uint32(0xFFFFFFFF)
            if passage >= passages:
                ends[t] = at
            out_last[at], out_widths[at], out_shapes[at] = passage, width, shape
            offsets[at], stops[at] = unit, unit + records[t, 5]
        else:
            end, source = ends[t], records[t, 3]
            out_last[at:end] = last[source : source + end - at]
            out_widths[at:end] = widths[source : source + end - at]
            out_shapes[at:end] = shapes[source : source + end - at]
            for i in range(np.uint64(end - at)):
                offsets[np.uint64(at) + i] = unit
                unit += np.int64(units[np.uint64(source) + i])
                stops[np.uint64(at) + i] = unit
    return (begins, ends, firsts, sizes), (out_last, offsets, stops, out_widths, out_shapes)


@njit(nogil=True, boundscheck=False)
def greatest_impacts(records, lists, maxima, impacts):
    """The greatest impact of each open block: from ``maxima`` by block of the directory, or from the impacts themselves."""
    begins, ends, firsts, sizes = lists
    total = ends[len(ends) - 1] if len(ends) else 0
    out = np.zeros(max(total, begins[len(begins) - 1] + 1 if len(begins) else 0), np.uint8)
    for t in range(len(begins)):
        if ends[t] - begins[t] > 1:
            source = records[t, 3]
            out[begins[t] : ends[t]] = maxima[source : source + ends[t] - begins[t]]
        elif ends[t] > begins[t]:
            top = np.uint8(0)
            for posting in range(firsts[t], firsts[t] + sizes[t]):
                top = max(top, impacts[posting])
            out[begins[t]] = top
    return out
