"""Scanning sketches of 1, 2 or 4 bits per dimension: rotate a query, make its tables, estimate, keep the best.

A code bit stands for ±1, so a query ``r`` and four bits ``u`` have the product
``2 sum(|r_i| where u_i is the sign of r_i) - sum(|r_i|)``: a table of 16 numbers for each four dimensions, rounded to 0 … 31,
and a plane of code bits is as many look-ups. Planes weigh 1, 2, 4, …: codes are odd integers, ±1 … ±(2^planes - 1).

Layout of a sketch: groups of 64 vectors; of each group, for each code plane (least first) and each 8 dimensions, the bytes of
its 64 vectors side by side (vector ``v`` below 32 at place ``2 v``, the others at ``2 v - 63``), so that look-ups run over
vectors in the processor's lanes and a group is one word of the filter.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types

from ..bits import trailing_zeros64
from ..signatures import f32, f32_2, i64_2, out_f32_2, out_i64, out_u8_2, out_u64_2, u8_2, u8_3, u16_2, u64
from .rows import prefetch_bytes
from .select import cut, key_of, score_of
from .table import TOP, estimate_groups

__all__ = ["room", "scan_sketches", "tabulate"]

_BLOCK = 64
"""Groups that one query passes over before the next one does: they stay in the first or second cache."""
_SAMPLE = 64
"""One group in so many is scanned first, to find a score that not many more than those wanted will reach."""
_ASKED = 4
"""Groups asked for ahead of those that a filter leaves."""


def room(want: int) -> int:
    """The number of keys in the buffer of a query for the best ``want``."""
    return max(2 * want, want + 1024)


@njit(types.void(f32_2, f32_2, types.int64, types.float32, out_u8_2, out_f32_2), cache=True, nogil=True, boundscheck=False)
def tabulate(rotation, queries, bits, slack, tables, lines):  # type: ignore[no-untyped-def]
    """Rotate queries (m, d) and make their tables: ``tables`` (m, 32 columns), ``lines`` (m, 2).

    The estimate of a sketch is ``factor * (lines[0] * sum + lines[1])``, plus ``slack`` times the length of the query.
    """
    dimension = queries.shape[1]
    rotated = np.empty(dimension, np.float32)
    for row in range(len(queries)):
        rotated[:] = 0
        for i in range(dimension):
            value = queries[row, i]
            for j in range(dimension):
                rotated[j] += value * rotation[i, j]
        square, total, widest = np.float32(0.0), np.float32(0.0), np.float32(0.0)
        for start in range(0, dimension, 4):
            width = np.float32(0.0)
            for j in range(start, start + 4):
                square += rotated[j] * rotated[j]
                width += abs(rotated[j])
            total += width
            widest = max(widest, width)
        step = max(np.float32(2.0) * widest / np.float32(TOP), np.float32(1e-30))
        scale = np.float32(2.0) / step
        table = tables[row]
        table[:] = 0
        for start in range(0, dimension, 4):
            for code in range(16):
                value = np.float32(0.0)
                for i in range(4):
                    part = rotated[start + i]
                    if ((code >> i) & 1) == (part > 0):
                        value += abs(part)
                table[4 * start + code] = np.uint8(min(np.float32(TOP), np.floor(value * scale + np.float32(0.5))))
        lines[row, 0] = step
        lines[row, 1] = slack * np.sqrt(square) - total * np.float32((1 << bits) - 1)


@njit
def _scan(sketch, factors, bits, mask, table, line, bias, first, last, step, want, keys, count, threshold, scores):  # type: ignore[no-untyped-def]
    """Add the rows of groups ``first``, ``first + step``, … below ``last`` that score above ``threshold`` to ``keys``.

    Returns the number of keys and the threshold, which rises whenever the keys are cut to the best ``want``.
    """
    filtered = len(mask) > 0
    size = np.int64(sketch.shape[1]) * 64
    group = first
    asked = first
    waiting = np.int64(0)
    while group < last:
        if filtered:
            # Groups left out break the stream of reads that processors foresee: ask for the next few that are not.
            while waiting < _ASKED and asked < last:
                if mask[asked] != 0:
                    prefetch_bytes(sketch, asked * size, size)
                    waiting += 1
                asked += step
            waiting -= 2
            while group < last and mask[group] == 0:
                group += step
            if group >= last:
                break
        one = group
        group += step
        if filtered:
            while group < last and mask[group] == 0:
                group += step
        other = group if group < last else one
        group += step
        if step > 1 and group + step < last:
            prefetch_bytes(sketch, group * size, size)
            prefetch_bytes(sketch, (group + step) * size, size)
        found = estimate_groups(sketch, (one, other), bits, table, line[0], line[1], bias, factors, threshold, scores)
        for half in range(2 if other != one else 1):
            better = found[half]
            if filtered:
                better &= mask[other if half else one]
            while better:
                lane = 64 * half + np.int64(trailing_zeros64(better))
                better &= better - np.uint64(1)
                number = (other if half else one) * 64 + lane - 64 * half
                if scores[lane] > threshold and factors[number >> 6, number & 63] & np.uint16(0x7FFF):
                    keys[count] = key_of(scores[lane], number)
                    count += 1
                    if count == len(keys):
                        cut(keys, count, want)
                        count = want
                        threshold = score_of(keys[want - 1])
    return count, threshold


@njit(
    types.void(u8_3, u16_2, types.int64, u64, u8_2, f32_2, i64_2, f32_2, f32, types.int64, out_u64_2, out_i64),
    cache=True,
    nogil=True,
    boundscheck=False,
)
def scan_sketches(sketch, factors, bits, mask, tables, lines, runs, biases, floors, want, keys, counts):  # type: ignore[no-untyped-def]
    """The best ``want`` vectors by estimated dot product, for each of m queries.

    ``sketch`` (groups, bits * columns, 64), ``factors`` (groups, 64) bits of float16, 0 for rows never to be returned, ``mask``
    one word per group or empty, ``tables`` and ``lines`` from `tabulate`. ``runs`` (r, 2) are the groups to scan, first and
    last + 1, ``biases`` (m, r) the values to add to their estimates. Only estimates above ``floors`` (m,) are kept.
    Row ``i`` of ``keys`` (m, room(want)) receives ``counts[i]`` keys in no particular order.
    """
    scores = np.empty(128, np.float32)
    lowest = np.float32(-np.inf)
    thresholds = floors.copy()
    counts[:] = 0
    groups = 0
    for run in range(len(runs)):
        groups += max(min(runs[run, 1], len(sketch)) - max(runs[run, 0], 0), 0)
    sampled = len(runs) == 1 and groups >= 8 * _SAMPLE
    share = want // _SAMPLE
    share += 3 * np.int64(np.sqrt(share)) + 4
    for run in range(len(runs)):
        start, stop = max(runs[run, 0], 0), min(runs[run, 1], len(sketch))
        for row in range(len(tables) if sampled else 0):
            count, _ = _scan(
                sketch, factors, bits, mask, tables[row], lines[row], biases[row, run], start, stop, _SAMPLE, share,
                keys[row], 0, lowest, scores,
            )  # fmt: skip
            if count >= share:
                cut(keys[row], count, share)
                thresholds[row] = max(thresholds[row], score_of(keys[row, share - 1]))
        block = _BLOCK if len(tables) > 1 else max(stop - start, 1)
        for first in range(start, stop, block):
            for row in range(len(tables)):
                counts[row], thresholds[row] = _scan(
                    sketch, factors, bits, mask, tables[row], lines[row], biases[row, run], first, min(first + block, stop), 1,
                    want, keys[row], counts[row], thresholds[row], scores,
                )  # fmt: skip
        for row in range(len(tables) if sampled else 0):
            if counts[row] < want and thresholds[row] > floors[row]:
                # the sample was no fair one: without its threshold
                counts[row], _ = _scan(
                    sketch, factors, bits, mask, tables[row], lines[row], biases[row, run], start, stop, 1, want, keys[row],
                    0, floors[row], scores,
                )  # fmt: skip
    for row in range(len(tables)):
        if counts[row] > want:
            cut(keys[row], counts[row], want)
            counts[row] = want
