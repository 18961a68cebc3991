"""Cutting texts into words and numbering them: a hash table over bytes, for `bookwheel.analysis.words`.

The table: ``slots`` (a power of two; 0 is empty, else the upper half of a word's hash and its number plus 1), ``hashes`` (one a
word), and the words themselves in ``arena``, each with a line feed after it, beginning at ``offsets[number]``.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types

from .signatures import out_i32, out_i64, out_u8, out_u64, u8, u64

__all__ = ["APOSTROPHE", "END", "WORD", "number_words", "place_words"]

WORD, APOSTROPHE, END = 1, 2, 3
"""Classes of bytes: part of a word, part of one only between two parts, the end of a text. 0 is anything else."""

WORDS, USED, COUNT, TEXTS = 0, 1, 2, 3
"""What ``state`` counts: words in the table, bytes of the arena, entries of ``ids``, entries of ``ends``."""


@njit(
    types.int64(u8, u8, types.int64, out_u64, out_u64, out_u8, out_i64, out_i32, out_i64, out_i64),
    cache=True,
    nogil=True,
    boundscheck=False,
)
def number_words(data, classes, start, slots, hashes, arena, offsets, ids, ends, state):  # type: ignore[no-untyped-def]
    """Number the words of ``data`` from ``start`` on; returns where it stopped, which is its end unless room ran out.

    ``ids`` takes the numbers, ``ends`` the value of ``state[COUNT]`` at the end of each text. It stops before a word for which
    there is no room in the table (half of ``slots``), in ``arena``, ``offsets`` or ``ids``, or before a text's end that
    ``ends`` cannot take: the caller makes room, and calls again. Hash: FNV-1a, 64 bits.
    """
    size = data.size
    words = state[WORDS]
    used = state[USED]
    count = state[COUNT]
    texts = state[TEXTS]
    mask = np.uint64(slots.size - 1)
    limit = min(slots.size // 2, hashes.size, offsets.size - 1)
    at = start
    while at < size:
        kind = classes[data[at]]
        if kind != WORD:
            if kind == END:
                if texts >= ends.size:
                    break
                ends[texts] = count
                texts += 1
            at += 1
            continue
        if words >= limit or count >= ids.size:
            break
        begin = at
        digest = np.uint64(14695981039346656037)
        while at < size:
            byte = data[at]
            kind = classes[byte]
            if kind != WORD and (kind != APOSTROPHE or at + 1 >= size or classes[data[at + 1]] != WORD):
                break
            digest = (digest ^ np.uint64(byte)) * np.uint64(1099511628211)
            at += 1
        length = at - begin
        if used + length + 1 > arena.size:
            at = begin
            break
        digest ^= digest >> np.uint64(32)
        tag = digest >> np.uint64(32)
        slot = digest & mask
        while True:
            value = slots[slot]
            if value == 0:
                number = words
                slots[slot] = (tag << np.uint64(32)) | np.uint64(number + 1)
                hashes[number] = digest
                for k in range(length):
                    arena[used + k] = data[begin + k]
                arena[used + length] = 10
                used += length + 1
                words += 1
                offsets[words] = used
                break
            if value >> np.uint64(32) == tag:
                number = np.int64(value & np.uint64(0xFFFFFFFF)) - 1
                offset = offsets[number]
                if offsets[number + 1] - offset - 1 == length:
                    same = True
                    for k in range(length):
                        if arena[offset + k] != data[begin + k]:
                            same = False
                            break
                    if same:
                        break
            slot = (slot + np.uint64(1)) & mask
        ids[count] = number
        count += 1
    state[WORDS] = words
    state[USED] = used
    state[COUNT] = count
    state[TEXTS] = texts
    return at


@njit(types.void(u64, types.int64, out_u64), cache=True, nogil=True, boundscheck=False)
def place_words(hashes, words, slots):  # type: ignore[no-untyped-def]
    """Fill the empty ``slots`` of a larger table from the words' hashes."""
    mask = np.uint64(slots.size - 1)
    for number in range(words):
        digest = hashes[number]
        slot = digest & mask
        while slots[slot] != 0:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = (digest >> np.uint64(32) << np.uint64(32)) | np.uint64(number + 1)
