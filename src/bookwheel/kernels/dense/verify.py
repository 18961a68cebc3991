"""Exact scores of candidates: dot products with some rows of the float16 vectors."""

from __future__ import annotations

import numpy as np
from numba import njit, types

from ..signatures import f32, out_f32, out_u64, u16_2, u32, u64
from .rows import dot, prefetch
from .select import cut, key_of, score_of

__all__ = ["score_rows", "verify_rows"]

_AHEAD = 8
"""Rows that are loaded while one is scored."""


@njit(types.void(u16_2, u32, f32, out_f32), cache=True, nogil=True, boundscheck=False)
def score_rows(vectors, rows, query, scores):  # type: ignore[no-untyped-def]
    """Dot products of ``query`` with the given rows of ``vectors`` (bits of float16); 0 for a row out of range."""
    for i in range(len(rows)):
        if i + _AHEAD < len(rows):
            prefetch(vectors, np.int64(rows[i + _AHEAD]))
        row = np.int64(rows[i])
        scores[i] = dot(vectors, row, query) if row < len(vectors) else np.float32(0.0)


@njit(
    types.UniTuple(types.int64, 2)(
        u16_2, u32, u64, types.int64, types.int64, f32, types.int64, types.float32, types.int64, out_u64
    ),
    cache=True,
    nogil=True,
    boundscheck=False,
)
def verify_rows(vectors, numbers, bounds, first, last, query, want, floor, count, keys):  # type: ignore[no-untyped-def]
    """Score candidates ``first`` to ``last`` exactly, until no later one can be among the best ``want``.

    ``bounds`` are keys in descending order, whose scores are upper bounds on those of their rows. ``numbers`` are the rows of the
    keys' numbers (empty: the same). Scores below ``floor`` are dropped. ``keys`` (longer than ``want``) holds the ``count`` best
    so far and receives the others. Returns the position of the first candidate not verified, or ``last``, and the new count, at
    most ``want``.
    """
    least = np.uint64(0)
    if count >= want:
        cut(keys, count, want)
        count = want
        least = keys[want - 1]
    place = first
    while place < last:
        bound = score_of(bounds[place])
        if bound < floor or (count >= want and bound < score_of(least)):
            break
        if place + _AHEAD < last:
            ahead = np.int64(np.uint32(~bounds[place + _AHEAD]))
            if len(numbers):
                ahead = np.int64(numbers[ahead]) if ahead < len(numbers) else 0
            prefetch(vectors, ahead)
        row = np.int64(np.uint32(~bounds[place]))
        if len(numbers):
            row = np.int64(numbers[row]) if row < len(numbers) else len(vectors)
        place += 1
        if row >= len(vectors):
            continue
        score = dot(vectors, row, query)
        key = key_of(score, row)
        if key > least and score >= floor:
            keys[count] = key
            count += 1
            if count == len(keys) or count == want:
                cut(keys, count, want)
                count = want
                least = keys[want - 1]
    if count > want:
        cut(keys, count, want)
        count = want
    return place, count
