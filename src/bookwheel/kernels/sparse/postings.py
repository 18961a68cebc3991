"""How a block of up to 128 postings is packed, and how it is read.

A block lies at ``offset`` in an array of uint16 units:

1. its passages as gaps minus 1, ``width`` bits each: a full block of ``width`` ≤ 16 in lanes (`bits.unpack128`), any other as
   one bit stream in order; a block of one posting stores none, since the directory has each block's last passage;
2. its term frequencies minus 1 as a bit stream, whose width is in the low 5 bits of ``shape``; all ones is an escape
   (an index of vectors stores here the bits of the weights that impacts lack: a fixed number of bits each, no escapes);
3. for each escape, in order of place, as many units as the high 2 bits of ``shape`` say: the place in the block (low 8
   bits) and the term frequency minus 1 (in the high 8 bits of that unit, or in the one or two units that follow).

The *place* of a posting is where `decode` puts it; term frequencies and impacts are in that order. Every reader checks what it
takes from the file against the bounds of the arrays, so that damaged bytes give wrong numbers but no access elsewhere.
"""

# numba takes the types from the signatures.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit

from ..bits import BLOCK, LANES, find128, unpack128

__all__ = ["BLOCK", "GUARD", "LANES", "decode", "find", "first_at_least", "frequency", "remainder", "units_of_gaps"]

GUARD = 16
"""Units of zeros after the last block, so that a reader may fetch a little more than it uses."""


@njit(nogil=True, boundscheck=False)
def units_of_gaps(count: int, width: int) -> int:
    """The number of uint16 units that part 1 of a block takes."""
    if count == 1:
        return 0
    return (count * width + 15) >> 4


@njit(nogil=True, boundscheck=False)
def decode(packed, offset, width, count, base, last, out, at):
    """Write a block's passages to ``out[at:at + 128]``, the places after ``count`` as 0xFFFFFFFF; False where damaged.

    ``base`` is the last passage of the term's block before (uint32, 0xFFFFFFFF at the first), ``last`` this block's.
    """
    if width > 32 or offset + ((count * width + 15) >> 4) + GUARD > len(packed):
        return False
    if count == BLOCK and width <= 16:
        unpack128(packed, np.uint64(offset), np.uint64(width), base, out, np.uint64(at))
        return True
    for i in range(count, BLOCK):
        out[at + i] = np.uint32(0xFFFFFFFF)
    if count == 1:
        out[at] = last
        return True
    mask = (np.uint64(1) << np.uint64(width)) - np.uint64(1)
    passage = base
    bit = np.uint64(0)
    start = np.uint64(offset)
    for i in range(count):
        unit = start + (bit >> np.uint64(4))
        word = (
            np.uint64(packed[unit])
            | (np.uint64(packed[unit + np.uint64(1)]) << np.uint64(16))
            | (np.uint64(packed[unit + np.uint64(2)]) << np.uint64(32))
        )
        passage = np.uint32(passage + np.uint32((word >> (bit & np.uint64(15))) & mask) + np.uint32(1))
        out[at + i] = passage
        bit += np.uint64(width)
    return True


@njit(nogil=True, boundscheck=False)
def find(passages, passage):
    """Place of ``passage`` in a decoded block (uint32, 128), or -1."""
    return find128(passages, np.uint64(0), passage)


@njit(nogil=True, boundscheck=False)
def frequency(packed, offset, end, count, width, shape, place):
    """Term frequency of the posting at ``place`` of the block at ``offset`` to ``end``; 1 where damaged."""
    bits = np.int64(shape & np.uint8(31))
    start = offset + units_of_gaps(count, np.int64(width))
    escapes = start + ((count * bits + 15) >> 4)
    if escapes + GUARD > len(packed) or end > len(packed) or bits > 16:
        return np.int64(1)
    bit = place * bits
    unit = start + (bit >> 4)
    mask = (np.uint64(1) << np.uint64(bits)) - np.uint64(1)
    word = np.uint64(packed[unit]) | (np.uint64(packed[unit + 1]) << np.uint64(16))
    value = (word >> np.uint64(bit & 15)) & mask
    if value != mask:
        return np.int64(value) + 1
    step = np.int64(shape >> np.uint8(6))
    while step > 0 and escapes + step <= end:
        found = np.int64(packed[escapes] & np.uint16(0xFF))
        if found == place:
            if step == 1:
                return np.int64(packed[escapes] >> np.uint16(8)) + 1
            high = np.int64(packed[escapes + 2]) << 16 if step == 3 else np.int64(0)
            return np.int64(packed[escapes + 1]) + high + 1
        if found > place:
            break
        escapes += step
    return np.int64(1) + np.int64(mask)


@njit(nogil=True, boundscheck=False)
def remainder(packed, offset, count, width, bits, place):
    """The ``bits`` ≤ 16 kept for the posting at ``place`` of an index of vectors; 0 where damaged."""
    bit = place * bits
    unit = offset + units_of_gaps(count, width) + (bit >> 4)
    if bits == 0 or unit + GUARD > len(packed):
        return np.int64(0)
    word = np.uint64(packed[unit]) | (np.uint64(packed[unit + 1]) << np.uint64(16))
    return np.int64((word >> np.uint64(bit & 15)) & ((np.uint64(1) << np.uint64(bits)) - np.uint64(1)))


@njit(nogil=True, boundscheck=False)
def first_at_least(numbers, begin, end, wanted):
    """First position in ``begin … end`` of the ascending ``numbers`` that is ≥ ``wanted``, or ``end``: a galloping search."""
    step = 1
    low = begin
    high = begin
    while high < end and numbers[high] < wanted:
        low = high + 1
        high += step
        step <<= 1
    if high > end:
        high = end
    while low < high:
        middle = (low + high) >> 1
        if numbers[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low
