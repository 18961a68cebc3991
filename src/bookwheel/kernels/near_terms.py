"""Terms of a vocabulary within a few edits of a word, by one pass over the mapped dictionary, without an index.

The distance is optimal string alignment (Damerau 1964, each stretch edited once) over bytes: insertions, deletions,
substitutions and swaps of neighbours. About 30 ns per term; two filters decide most of them: length, and the letters that occur.
"""

# numba takes the types from the signatures.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit, types

from .signatures import out_i64, out_u8, u8, u32

__all__ = ["LONGEST", "near_terms"]

LONGEST = 64
"""Longest word, in bytes."""


@njit(nogil=True, boundscheck=False)
def _letters(text, start, length):
    """Which of 64 classes of bytes occur."""
    bits = np.uint64(0)
    for i in range(length):
        bits |= np.uint64(1) << np.uint64(text[start + i] & np.uint8(63))
    return bits


@njit(nogil=True, boundscheck=False)
def _count(bits):
    count = 0
    while bits:
        bits &= bits - np.uint64(1)
        count += 1
    return count


@njit(nogil=True, boundscheck=False)
def _distance(word, text, start, length, most, rows):
    """The distance, or ``most`` + 1 if it is larger; only the band that can stay within it is computed."""
    n = len(word)
    before, last, row = 0, 1, 2
    for j in range(length + 1):
        rows[last, j] = min(j, most + 1)
    for i in range(1, n + 1):
        low, high = max(1, i - most), min(length, i + most)
        rows[row, low - 1] = min(i, most + 1) if low == 1 else most + 1
        best = rows[row, low - 1]
        for j in range(low, high + 1):
            cost = 0 if word[i - 1] == text[start + j - 1] else 1
            value = rows[last, j - 1] + cost
            if rows[last, j] + 1 < value and j < i + most:
                value = rows[last, j] + 1
            if rows[row, j - 1] + 1 < value:
                value = rows[row, j - 1] + 1
            swapped = i > 1 and j > 1 and word[i - 1] == text[start + j - 2] and word[i - 2] == text[start + j - 1]
            if swapped and rows[before, j - 2] + 1 < value:
                value = rows[before, j - 2] + 1
            rows[row, j] = min(value, most + 1)
            best = min(best, rows[row, j])
        if best > most:
            return most + 1
        before, last, row = last, row, before
    return rows[last, length]


@njit(
    types.int64(u8, u32, u8, types.int64, out_i64, out_u8),
    cache=True,
    nogil=True,
    boundscheck=False,
)
def near_terms(text, offsets, word, most, numbers, distances):
    """Numbers and distances of the terms within ``most`` edits (1 to 3) of ``word``; returns how many there are.

    ``text`` and ``offsets`` are the sorted vocabulary. At most ``len(numbers)`` terms are written.
    """
    n = len(word)
    if n == 0 or n > LONGEST:
        return 0
    rows = np.empty((3, LONGEST + 8), np.int64)
    wanted = _letters(word, 0, n)
    found = 0
    for term in range(len(offsets) - 1):
        start = min(np.int64(offsets[term]), len(text))
        length = max(min(np.int64(offsets[term + 1]), len(text)) - start, 0)
        if length < n - most or length > n + most or length > LONGEST:
            continue
        letters = _letters(text, start, length)
        # An edit brings in or takes away one letter at most; a substitution does both.
        if _count(letters & ~wanted) > most or _count(wanted & ~letters) > most:
            continue
        distance = _distance(word, text, start, length, most, rows)
        if distance <= most:
            if found < len(numbers):
                numbers[found] = term
                distances[found] = distance
            found += 1
    return found
