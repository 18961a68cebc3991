"""The dictionary of a sparse index: terms in the order of their bytes, front-coded in groups, each with where its list lies.

A term's entry is one byte (4 bits each: bytes shared with the term before, further bytes; 15 means that a number follows, to
be added), the further bytes, and then

- for a list of up to 128 postings, which is one block: twice the number of postings, plus 1 where it takes any units; then,
  if so, their number and a byte of *shape*; then for one posting its passage, for more a byte of *width*;
- for a longer one: twice the number of postings, and the number of units.

Numbers are in groups of 7 bits, low ones first, the high bit set on all but the last. A group of `GROUP` terms starts with
a term written in full; ``groups`` (uint32, four numbers a group) tells where: in the text, among the postings, in the
directory of blocks, and among the units of packed postings.

A term's *record* is `RECORD` int64 numbers: its number, number of postings (0 where there is no such term), first posting,
first block of the directory (for a long list) or -1, first unit, number of units, width + 256 shape, and the passage of a
list of one.
"""

# numba takes the types from the signatures.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit, types

from ..bits import BLOCK
from ..signatures import i64, out_i64, out_i64_2, out_u8, u8, u32

__all__ = ["GROUP", "RECORD", "lookup", "read_terms"]

GROUP = 16
"""Terms that are front-coded together."""
RECORD = 8


@njit(nogil=True, boundscheck=False)
def _number(text, at, stop):
    """The number at ``at``, and the place after it."""
    value, shift = np.int64(0), 0
    while at < stop and shift < 56:
        byte = np.int64(text[at])
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    return value, at


@njit(nogil=True, boundscheck=False)
def _spelling(text, at, stop):
    """(bytes shared, further bytes, place of those) of the entry at ``at``."""
    if at >= stop:
        return np.int64(0), np.int64(0), stop
    shared, further = np.int64(text[at] >> np.uint8(4)), np.int64(text[at] & np.uint8(15))
    at += 1
    if shared == 15:
        more, at = _number(text, at, stop)
        shared += more
    if further == 15:
        more, at = _number(text, at, stop)
        further += more
    return shared, min(further, stop - at), at


@njit(nogil=True, boundscheck=False)
def _list(text, at, stop, record):
    """Fill in the record of the entry whose spelling ends at ``at`` (its list starts as the record says); the place after it."""
    count, at = _number(text, at, stop)
    record[7] = record[6] = record[5] = 0
    if count > 2 * BLOCK + 1:
        record[5], at = _number(text, at, stop)
    else:
        shape = 1 << 6
        if count & 1:
            record[5], at = _number(text, at, stop)
            if at < stop:
                shape = np.int64(text[at])
                at += 1
        if count >> 1 == 1:
            record[7], at = _number(text, at, stop)
            record[6] = shape << 8
        elif at < stop:
            record[6] = np.int64(text[at]) | (shape << 8)
            at += 1
    record[1] = count >> 1
    return at


@njit(nogil=True, boundscheck=False)
def _start(groups, group, text, record):
    """Set the record to the start of the lists of ``group``, and return the group's stretch of the text."""
    at = min(np.int64(groups[4 * group]), len(text))
    stop = min(np.int64(groups[4 * group + 4]), len(text)) if 4 * group + 4 < len(groups) else len(text)
    record[2], record[3], record[4] = groups[4 * group + 1], groups[4 * group + 2], groups[4 * group + 3]
    return at, stop


@njit(nogil=True, boundscheck=False)
def _next(record):
    """Move the record's start past its list."""
    record[2] += record[1]
    if record[1] > BLOCK:
        record[3] += (record[1] + BLOCK - 1) // BLOCK
    record[4] += record[5]


@njit(nogil=True, boundscheck=False)
def _finish(record, number, out):
    for i in range(RECORD):
        out[i] = record[i]
    out[0] = number
    if record[1] <= BLOCK:
        out[3] = -1


@njit(types.void(u8, u32, types.int64, u8, i64, out_i64_2), cache=True, nogil=True, boundscheck=False)
def lookup(text, groups, terms, wanted, wanted_offsets, records):
    """The record of each wanted term (UTF-8, all in one array); number -1 and no postings where there is none."""
    record = np.zeros(RECORD, np.int64)
    for w in range(len(wanted_offsets) - 1):
        begin, size = wanted_offsets[w], wanted_offsets[w + 1] - wanted_offsets[w]
        records[w, :] = 0
        records[w, 0] = -1
        # The last group whose first term is not above the wanted one.
        low, high = np.int64(0), (terms + GROUP - 1) // GROUP
        while high - low > 1:
            middle = (low + high) >> 1
            at, stop = _start(groups, middle, text, record)
            _, further, at = _spelling(text, at, stop)
            order = size - further
            for i in range(min(size, further)):
                if wanted[begin + i] != text[at + i]:
                    order = np.int64(wanted[begin + i]) - np.int64(text[at + i])
                    break
            if order < 0:
                high = middle
            else:
                low = middle
        if high == 0:
            continue
        at, stop = _start(groups, low, text, record)
        equal = np.int64(0)  # bytes that the wanted term has in common with the one before
        for number in range(low * GROUP, min((low + 1) * GROUP, terms)):
            shared, further, at = _spelling(text, at, stop)
            if shared < equal:
                break
            order = np.int64(1)
            if shared == equal:
                i = np.int64(0)
                while i < further and equal < size and wanted[begin + equal] == text[at + i]:
                    i += 1
                    equal += 1
                if i < further and equal < size:
                    order = np.int64(wanted[begin + equal]) - np.int64(text[at + i])
                else:
                    order = (size - equal) - (further - i)
            at = _list(text, at + further, stop, record)
            if order == 0:
                _finish(record, number, records[w])
            if order <= 0:
                break
            _next(record)


@njit(
    types.int64(u8, u32, types.int64, types.int64, types.int64, out_i64_2, out_u8, out_i64),
    cache=True,
    nogil=True,
    boundscheck=False,
)
def read_terms(text, groups, terms, low, high, records, names, offsets):
    """Records and spellings of the terms of the groups ``low … high``; term i's is ``names[offsets[i]:offsets[i + 1]]``.

    Returns the bytes that the spellings take; if that is more than ``names`` has, those beyond it are not written, and the
    caller comes again with more room.
    """
    record = np.zeros(RECORD, np.int64)
    used, row = np.int64(0), 0
    offsets[0] = 0
    for group in range(low, high):
        at, stop = _start(groups, group, text, record)
        before = used  # where the term before begins
        for number in range(group * GROUP, min((group + 1) * GROUP, terms)):
            shared, further, at = _spelling(text, at, stop)
            shared = min(shared, used - before)
            if used + shared + further <= len(names):
                for i in range(shared):
                    names[used + i] = names[before + i]
                for i in range(further):
                    names[used + shared + i] = text[at + i]
            before = used
            used += shared + further
            at = _list(text, at + further, stop, record)
            _finish(record, number, records[row])
            _next(record)
            row += 1
            offsets[row] = used
    return used
