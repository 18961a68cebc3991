"""MinHash signatures of texts, and finding one that has much in common with another: for `bookwheel.documents.duplicates`
and `bookwheel.index.signatures`.

A signature is 128 values of 16 bits, of which the first ``BANDS`` times four are also bands: four values side by side are one
number of 64 bits. A filter is blocks of 512 bits; a band of a text sets `PROBES` bits of one block.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types

from .signatures import i64, out_i64, out_u32, out_u64, u8, u16, u32, u64, u64_2

__all__ = ["BANDS", "HASHES", "PROBES", "add_recent", "fill_filter", "find_alike", "find_in_run", "minhash"]

HASHES = 128
BANDS = 16
"""Bands that are looked up: two texts of which 0.8 of all shingles are common have one in common but for 2 pairs in 10,000."""
PROBES = 8
WORDS = 8
"""Words of 64 bits in a block of a filter: a line of a processor's cache."""
SCANNED = 4096
"""Texts of one run with one band in common that are looked at: there may be any number of texts that are all alike."""

_u16_2 = types.Array(types.uint16, 2, "C", readonly=True)
_out_u16 = types.Array(types.uint16, 1, "C")
_out_u16_2 = types.Array(types.uint16, 2, "C")
_u32_2 = types.Array(types.uint32, 2, "C", readonly=True)


@njit(inline="always")
def _mixed(value):  # type: ignore[no-untyped-def]
    """A permutation of 64 bits that leaves none like another (the finaliser of SplitMix64, Steele et al. 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit(inline="always")
def _band(one, band):  # type: ignore[no-untyped-def]
    """Four values side by side."""
    at = 4 * band
    low = np.uint64(one[at]) | np.uint64(one[at + 1]) << np.uint64(16)
    return low | np.uint64(one[at + 2]) << np.uint64(32) | np.uint64(one[at + 3]) << np.uint64(48)


@njit(inline="always")
def _key(band, value):  # type: ignore[no-untyped-def]
    """What a band of a signature is looked up by."""
    return _mixed(value + np.uint64(band + 1) * np.uint64(0x9E3779B97F4A7C15))


@njit(types.int64(u8, types.int64), cache=True, nogil=True, boundscheck=False)
def _sign(data, at):  # type: ignore[no-untyped-def]
    """Bytes of the sign of UTF-8 at ``at`` that is part of no word; 0 where there is none. Not all signs: those in use."""
    byte = data[at]
    if byte < 0xC2 or byte > 0xE3 or at + 1 >= data.size:
        return 0
    second = data[at + 1]
    if byte == 0xC2:  # U+0080 to U+00BF but ª, µ and º
        return 0 if second == 0xAA or second == 0xB5 or second == 0xBA else 2
    if byte == 0xC3:
        return 2 if second == 0x97 or second == 0xB7 else 0
    if byte == 0xE2:  # U+2000 to U+2BFF: punctuation, arrows, boxes, symbols; but letters of U+2100 to U+213F
        return 3 if second <= 0xAF and second != 0x84 else 0
    return 3 if byte == 0xE3 and second == 0x80 else 0  # U+3000 to U+303F


@njit(types.boolean(u8, types.int64), cache=True, nogil=True, boundscheck=False)
def _apostrophe(data, at):  # type: ignore[no-untyped-def]
    """Whether U+2019, as which an apostrophe is often written, is at ``at``."""
    return data[at] == 0xE2 and at + 2 < data.size and data[at + 1] == 0x80 and data[at + 2] == 0x99


@njit(types.int64(u8, u8, types.boolean, _u32_2, out_u64, out_u32, _out_u16), cache=True, nogil=True, boundscheck=False)
def minhash(data, classes, last, functions, state, least, out):  # type: ignore[no-untyped-def]
    """Take the words of ``data`` into the minima ``least`` (`HASHES`); with ``last``, write the signature to ``out``.

    ``data``: bytes of UTF-8; ``classes``: what each byte counts as, a space (32) where it is no part of a word. An apostrophe is
    one between two other parts, and a character of a script without spaces is a word of its own. ``functions``: an odd number
    and another of each hash function. ``state``: words so far, and the hashes of the last two, so that a text may come in
    pieces. Returns the number of words so far. A shingle is three words in a row, or all words of a text that has fewer.
    """
    size = data.size
    multipliers, offsets = functions[0], functions[1]
    if state[0] == 0:
        least[:] = 0xFFFFFFFF
    words = np.int64(state[0])
    before, previous = state[1], state[2]
    at = 0
    while at < size:
        byte = classes[data[at]]
        if byte == 32 or byte == 39:
            at += 1
            continue
        skipped = _sign(data, at)
        if skipped > 0:
            at += skipped
            continue
        digest = np.uint64(14695981039346656037)
        alone = 0
        if byte >= 0xE0 and at + 2 < size:
            second = data[at + 1]
            if 0xE3 <= byte <= 0xE9 or (byte == 0xE0 and 0xB8 <= second <= 0xBB):
                alone = 3
            elif byte == 0xF0 and second >= 0xA0 and at + 3 < size:
                alone = 4
        if alone:
            for k in range(alone):
                digest = (digest ^ np.uint64(data[at + k])) * np.uint64(1099511628211)
            at += alone
        else:
            while at < size:
                byte = classes[data[at]]
                length = 1
                if byte >= 0xC2:
                    if 0xE3 <= byte <= 0xE9:
                        break
                    if _apostrophe(data, at):
                        byte, length = np.uint8(39), 3
                    elif _sign(data, at) > 0:
                        break
                if byte == 32:
                    break
                if byte == 39:
                    after = at + length
                    if after >= size or classes[data[after]] == 32 or classes[data[after]] == 39 or _sign(data, after) > 0:
                        break
                digest = (digest ^ np.uint64(byte)) * np.uint64(1099511628211)
                at += length
        words += 1
        if words >= 3:
            shingle = np.uint32(_mixed((before * np.uint64(5) + previous) * np.uint64(3) + digest))
            for k in range(HASHES):
                value = np.uint32((shingle ^ offsets[k]) * multipliers[k])
                least[k] = min(least[k], value)
        before, previous = previous, digest
    state[0], state[1], state[2] = np.uint64(words), before, previous
    if last:
        if 0 < words < 3:
            whole = (before * np.uint64(5) + previous) if words == 2 else previous
            shingle = np.uint32(_mixed(whole * np.uint64(7)))
            for k in range(HASHES):
                least[k] = np.uint32((shingle ^ offsets[k]) * multipliers[k])
        for k in range(HASHES):
            # The upper bits of a minimum are mostly zeros: all bits have their say in the sixteen that are kept.
            out[k] = np.uint16(np.uint32(least[k] * np.uint32(0x9E3779B1)) >> np.uint32(16))
    return words


@njit(inline="always")
def _agreeing(one, many, row):  # type: ignore[no-untyped-def]
    """In how many places two signatures agree."""
    count = 0
    for k in range(HASHES):
        count += one[k] == many[row, k]
    return count


@njit(
    types.UniTuple(types.int64, 2)(u16, _u16_2, u32, u64, i64, types.int64, out_i64, out_i64),
    cache=True,
    nogil=True,
    boundscheck=False,
)
def find_alike(one, recent, table, filters, starts, enough, rows, hits):  # type: ignore[no-untyped-def]
    """Rows of ``recent`` that agree with the signature ``one`` in ``enough`` places, and the filters that have a band of it.

    ``table``: of ``recent``, as `add_recent` fills it. ``filters``: the blocks of all filters, that of run ``r`` from block
    ``starts[r]`` to ``starts[r + 1]``. Writes rows, some more than once, and in ``hits`` the number ``r * BANDS + band``;
    returns how many of both.
    """
    found = held = 0
    mask = np.uint64(table.size - 1)
    for band in range(BANDS):
        value = _band(one, band)
        key = _key(band, value)
        slot = key & mask
        scanned = 0
        while table[slot] != 0 and scanned < SCANNED:
            row = np.int64(table[slot]) - 1
            new = found < rows.size and (found == 0 or rows[found - 1] != row)
            if new and _band(recent[row], band) == value and _agreeing(one, recent, row) >= enough:
                rows[found] = row
                found += 1
            slot = (slot + np.uint64(1)) & mask
            scanned += 1
        for run in range(starts.size - 1):
            blocks = np.uint64(starts[run + 1] - starts[run])
            if blocks == 0:
                continue
            first = (np.uint64(starts[run]) + ((key >> np.uint64(32)) * blocks >> np.uint64(32))) * np.uint64(WORDS)
            at = np.uint32(key)
            step = np.uint32(key >> np.uint64(17)) | np.uint32(1)
            there = True
            for _ in range(PROBES):
                bit = at >> np.uint32(23)
                if not (filters[first + (bit >> np.uint32(6))] >> np.uint64(bit & np.uint32(63))) & np.uint64(1):
                    there = False
                    break
                at = np.uint32(at + step)
            if there and held < hits.size:
                hits[held] = run * BANDS + band
                held += 1
    return found, held


@njit(types.void(u16, types.int64, _out_u16_2, out_u32), cache=True, nogil=True, boundscheck=False)
def add_recent(one, row, recent, table):  # type: ignore[no-untyped-def]
    """Make the signature ``one`` the row ``row`` of ``recent``, found through ``table`` (a power of two of slots)."""
    for k in range(HASHES):
        recent[row, k] = one[k]
    mask = np.uint64(table.size - 1)
    for band in range(BANDS):
        slot = _key(band, _band(one, band)) & mask
        while table[slot] != 0:
            slot = (slot + np.uint64(1)) & mask
        table[slot] = np.uint32(row + 1)


@njit(types.void(u64_2, out_u64), cache=True, nogil=True, boundscheck=False)
def fill_filter(bands, words):  # type: ignore[no-untyped-def]
    """Set the bits of every text's ``bands`` in the filter ``words``, some blocks of `WORDS`.

    A Bloom filter whose probes of one key share a line of the cache (Putze, Sanders and Singler 2007).
    """
    blocks = np.uint64(words.size // WORDS)
    for row in range(bands.shape[0]):
        for band in range(BANDS):
            key = _key(band, bands[row, band])
            first = ((key >> np.uint64(32)) * blocks >> np.uint64(32)) * np.uint64(WORDS)
            at = np.uint32(key)
            step = np.uint32(key >> np.uint64(17)) | np.uint32(1)
            for _ in range(PROBES):
                bit = at >> np.uint32(23)
                words[first + (bit >> np.uint32(6))] |= np.uint64(1) << np.uint64(bit & np.uint32(63))
                at = np.uint32(at + step)


@njit(
    types.int64(u16, types.uint64, types.int64, _u16_2, u64_2, u32, types.int64, out_i64),
    cache=True,
    nogil=True,
    boundscheck=False,
)
def find_in_run(one, value, band, signatures, bands, order, enough, rows):  # type: ignore[no-untyped-def]
    """Rows of ``signatures`` whose band ``band`` is ``value`` and which agree with ``one`` in ``enough`` places; how many.

    ``order``: the rows in the order of that band.
    """
    low, high = 0, order.size
    size = np.uint32(bands.shape[0])
    while low < high:
        middle = (low + high) // 2
        row = order[middle]
        if row < size and bands[row, band] < value:
            low = middle + 1
        else:
            high = middle
    found = 0
    last = min(order.size, low + SCANNED)
    while low < last and found < rows.size:
        row = order[low]
        if row >= size or bands[row, band] != value:
            break
        if _agreeing(one, signatures, row) >= enough:
            rows[found] = row
            found += 1
        low += 1
    return found
