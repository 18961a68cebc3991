"""Writing the dictionary of a sparse index (layout: `dictionary`)."""

# numba takes the types from the signatures.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit, types

from ..bits import BLOCK
from ..signatures import i64, i64_2, out_u8, out_u32, u8
from .dictionary import GROUP

__all__ = ["encode_terms"]


@njit(nogil=True, boundscheck=False)
def _put(out, at, value):
    while value > 127:
        out[at] = np.uint8(value & 127) | np.uint8(128)
        at += 1
        value >>= 7
    out[at] = value
    return at + 1


@njit(
    types.int64(types.int64, types.int64, i64, u8, i64, i64_2, out_u8, out_u32),
    cache=True,
    nogil=True,
    boundscheck=False,
)
def encode_terms(first, at_text, starts, names, offsets, records, out, groups):
    """Append the entries of terms ``first, first + 1, …`` to a text of ``at_text`` bytes so far; returns the bytes written.

    Term i is ``names[offsets[i + 1]:offsets[i + 2]]``; ``names[offsets[0]:offsets[1]]`` is the term
    before the first of them. ``records`` are as `dictionary` describes them; of their starts only those of the
    first term are looked at, which are ``starts``: first posting, block and unit. ``groups`` receives a row for each group that
    begins here. ``out`` needs 30 bytes per term plus the names.
    """
    at, row = 0, 0
    posting, block, unit = starts[0], starts[1], starts[2]
    for i in range(len(records)):
        begin, size = offsets[i + 1], offsets[i + 2] - offsets[i + 1]
        shared = np.int64(0)
        if (first + i) % GROUP == 0:
            groups[4 * row] = at_text + at
            groups[4 * row + 1] = posting
            groups[4 * row + 2] = block
            groups[4 * row + 3] = unit
            row += 1
        else:
            most = min(size, begin - offsets[i])
            while shared < most and names[offsets[i] + shared] == names[begin + shared]:
                shared += 1
        further = size - shared
        out[at] = (min(shared, 15) << 4) | min(further, 15)
        at += 1
        if shared >= 15:
            at = _put(out, at, shared - 15)
        if further >= 15:
            at = _put(out, at, further - 15)
        for j in range(further):
            out[at + j] = names[begin + shared + j]
        at += further
        count, units, width, shape = records[i, 1], records[i, 5], records[i, 6] & 255, records[i, 6] >> 8
        if count > BLOCK:
            at = _put(out, at, 2 * count)
            at = _put(out, at, units)
            block += (count + BLOCK - 1) // BLOCK
        else:
            at = _put(out, at, 2 * count + (1 if units > 0 else 0))
            if units > 0:
                at = _put(out, at, units)
                out[at] = shape
                at += 1
            if count == 1:
                at = _put(out, at, records[i, 7])
            else:
                out[at] = width
                at += 1
        posting += count
        unit += units
    return at
