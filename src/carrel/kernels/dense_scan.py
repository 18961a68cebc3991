"""Scanning 1-bit (or 2, 4) sketches with a 4-bit query: rotate, quantise, estimate, keep the best, in one call.

A code bit and a query bit stand for ±1, so the dot product of a plane of code bits with a plane of query bits is
``d - 2 popcount(code ^ query)``. Planes weigh 1, 2, 4, …: codes and query are odd integers, ±1 … ±(2^planes - 1).

Layout of a sketch: groups of 64 vectors; of each group, for each code plane (least first) and each 32-bit word of the
dimensions, the words of its 64 vectors side by side, so that counting runs over vectors in the processor's lanes and a group is
one word of the filter.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types

from .dense_rows import half
from .dense_select import cut, key_of, score_of
from .popcount import popcount
from .signatures import f32_2, out_i64, out_u32, out_u64_2, u16_2, u32_3, u64

__all__ = ["GROUP", "PLANES", "room", "scan_sketches"]

GROUP = 64
"""Vectors of a group."""
PLANES = 4
"""Bits a dimension of the query."""
_STEP = np.float32(0.3352)
"""Width of a quantisation step in standard deviations: the best for 16 even steps over a normal distribution (Max 1960)."""
_BLOCK = 64
"""Groups that one query passes over before the next one does: they stay in the first or second cache."""
_SAMPLE = 32
"""One group in so many is scanned first, to find a score that not many more than those wanted will reach."""


def room(want: int) -> int:
    """Keys that the buffer of one query must hold where the best ``want`` are asked for."""
    return max(2 * want, want + 1024)


@njit
def _quantise(rotation, queries, row, words, planes):  # type: ignore[no-untyped-def]
    """Rotate one query and write its bit planes: ``planes[4 (row words + w) + p]``, 32 dimensions a word."""
    dimension = queries.shape[1]
    rotated = np.zeros(dimension, np.float32)
    for i in range(dimension):
        value = queries[row, i]
        for j in range(dimension):
            rotated[j] += value * rotation[i, j]
    square = np.float32(0.0)
    for j in range(dimension):
        square += rotated[j] * rotated[j]
    scale = np.float32(1.0) / max(_STEP * np.sqrt(square / np.float32(dimension)), np.float32(1e-30))
    base = PLANES * words * row
    for i in range(PLANES * words):
        planes[base + i] = np.uint32(0)
    for j in range(dimension):
        value = np.floor(rotated[j] * scale)
        level = np.uint32(0)
        if value >= np.float32(7.0):
            level = np.uint32(15)
        elif value > np.float32(-8.0):
            level = np.uint32(np.int32(value) + 8)
        place = base + PLANES * (j >> 5)
        bit = np.uint32(j & 31)
        for plane in range(PLANES):
            planes[place + plane] |= ((level >> np.uint32(plane)) & np.uint32(1)) << bit


@njit
def _scan(sketch, factors, bits, mask, planes, base, total, first, last, step, want, keys, count, threshold, work):  # type: ignore[no-untyped-def]
    """Add the rows of groups ``first``, ``first + step``, … below ``last`` that score above ``threshold`` to ``keys``.

    Returns the number of keys and the threshold, which rises whenever the keys are cut to the best ``want``.
    """
    lanes, scores, better = work
    eights = better.view(np.uint64)
    words = sketch.shape[1] // bits
    filtered = len(mask) > 0
    for group in range(first, last, step):
        allowed = mask[group] if filtered else np.uint64(0xFFFFFFFFFFFFFFFF)
        if allowed == 0:
            continue
        for lane in range(64):
            lanes[lane] = 0
        for plane in range(bits - 1, -1, -1):
            if plane < bits - 1:
                for lane in range(64):
                    lanes[lane] <<= 1
            for word in range(0, words, 2):
                at = plane * words + word
                place = base + PLANES * word
                a0, a1, a2, a3 = planes[place], planes[place + 1], planes[place + 2], planes[place + 3]
                b0, b1, b2, b3 = planes[place + 4], planes[place + 5], planes[place + 6], planes[place + 7]
                for lane in range(64):
                    x = sketch[group, at, lane]
                    y = sketch[group, at + 1, lane]
                    lanes[lane] += np.int32(
                        (popcount(x ^ a0) + popcount(y ^ b0))
                        + ((popcount(x ^ a1) + popcount(y ^ b1)) << np.uint32(1))
                        + ((popcount(x ^ a2) + popcount(y ^ b2)) << np.uint32(2))
                        + ((popcount(x ^ a3) + popcount(y ^ b3)) << np.uint32(3))
                    )
        for lane in range(64):
            score = half(factors[group, lane]) * np.float32(total - 2 * lanes[lane])
            scores[lane] = score
            better[lane] = score > threshold
        for eight in range(8):
            if eights[eight] == 0:
                continue
            for lane in range(8 * eight, 8 * eight + 8):
                if (
                    scores[lane] > threshold
                    and (allowed >> np.uint64(lane)) & np.uint64(1)
                    and factors[group, lane] & np.uint16(0x7FFF)
                ):
                    keys[count] = key_of(scores[lane], 64 * group + lane)
                    count += 1
                    if count == len(keys):
                        cut(keys, count, want)
                        count = want
                        threshold = score_of(keys[want - 1])
    return count, threshold


@njit(
    types.void(f32_2, f32_2, u32_3, u16_2, types.int64, u64, types.int64, out_u32, out_u64_2, out_i64),
    cache=True,
    nogil=True,
    boundscheck=False,
)
def scan_sketches(rotation, queries, sketch, factors, bits, mask, want, planes, keys, counts):  # type: ignore[no-untyped-def]
    """The best ``want`` vectors by estimated dot product, for each query.

    ``rotation`` (d, d), ``queries`` (m, d), ``sketch`` (groups, bits * words, 64), ``factors`` (groups, 64) bits of float16, 0
    for rows never to be returned, ``mask`` a word a group or empty, ``planes`` scratch of 4 m words. Row ``r`` of ``keys``
    (m, room(want)) takes ``counts[r]`` keys in no order; they rank, their scores are proportional to the estimates.
    """
    groups = len(sketch)
    words = sketch.shape[1] // bits
    total = np.int32(queries.shape[1]) * np.int32(15) * np.int32((1 << bits) - 1)
    work = (np.empty(64, np.int32), np.empty(64, np.float32), np.empty(64, np.uint8))
    lowest = np.float32(-np.inf)
    thresholds = np.full(len(queries), lowest)
    share = want // _SAMPLE
    share += 3 * np.int64(np.sqrt(share)) + 4
    for row in range(len(queries)):
        base = PLANES * words * row
        _quantise(rotation, queries, row, words, planes)
        counts[row] = 0
        if groups >= 64 * _SAMPLE // 4:
            count, _ = _scan(
                sketch, factors, bits, mask, planes, base, total, 0, groups, _SAMPLE, share, keys[row], 0, lowest, work
            )
            if count >= share:
                cut(keys[row], count, share)
                thresholds[row] = score_of(keys[row, share - 1])
    block = _BLOCK if len(queries) > 1 else groups
    for first in range(0, groups, max(block, 1)):
        last = min(first + block, groups)
        for row in range(len(queries)):
            counts[row], thresholds[row] = _scan(
                sketch,
                factors,
                bits,
                mask,
                planes,
                PLANES * words * row,
                total,
                first,
                last,
                1,
                want,
                keys[row],
                counts[row],
                thresholds[row],
                work,
            )
    for row in range(len(queries)):
        if counts[row] < want and thresholds[row] > lowest:
            # the sample was no fair one: without its threshold
            counts[row], _ = _scan(
                sketch,
                factors,
                bits,
                mask,
                planes,
                PLANES * words * row,
                total,
                0,
                groups,
                1,
                want,
                keys[row],
                0,
                lowest,
                work,
            )
        if counts[row] > want:
            cut(keys[row], counts[row], want)
            counts[row] = want
