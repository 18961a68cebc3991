"""Exact scores of given passages, and counts of passages among given ones, from a sparse index."""

# numba takes the types from the signatures.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit, types

from ..signatures import f64, i64_2, out_f64, out_i64, out_u64, u8, u16, u32
from .postings import BLOCK, decode, find, first_at_least, remainder
from .postings_exact import add_scores
from .postings_open import open_lists

__all__ = ["count_among", "mark_passages", "score", "weights_of"]


@njit(
    types.void(u32, i64_2, f64, f64, types.int64, types.int64, u32, u16, u8, u8, u16, u16, u32, u8, out_f64),
    cache=True,
    nogil=True,
    boundscheck=False,
)
def score(
    ids, records, weights, parameters, bits, passages,
    last, units, widths, shapes, packed, lengths, long_lengths, impacts, scores,
):  # fmt: skip
    """Add the exact scores of the ascending passages ``ids`` to ``scores``; the other arguments are those of `search.search`."""
    lists, blocks = open_lists(records, passages, len(impacts), last, units, widths, shapes, packed)
    add_scores(ids, len(ids), weights, lists, blocks, packed, impacts, lengths, long_lengths, parameters, bits, scores)


@njit(
    types.void(u32, i64_2, types.int64, types.int64, u32, u16, u8, u8, u16, out_i64), cache=True, nogil=True, boundscheck=False
)
def count_among(ids, records, passages, postings, last, units, widths, shapes, packed, counts):
    """How many of the ascending passages ``ids`` have each of the terms of ``records``."""
    lists, blocks = open_lists(records, passages, postings, last, units, widths, shapes, packed)
    begins, ends, _, sizes = lists
    last_of, offsets, _, widths_of, _ = blocks
    found = np.empty(BLOCK, np.uint32)
    for t in range(len(records)):
        counts[t] = 0
        block, read, sound = begins[t], np.int64(-1), False
        for i in range(len(ids)):
            if block != read or ids[i] > last_of[block]:
                block = first_at_least(last_of, block, ends[t], ids[i])
                if block >= ends[t]:
                    break
                read = block
                held = max(0, min(BLOCK, sizes[t] - (block - begins[t]) * BLOCK))
                before = last_of[block - 1] if block > begins[t] else np.uint32(0xFFFFFFFF)
                sound = decode(packed, offsets[block], np.int64(widths_of[block]), held, before, last_of[block], found, 0)
            if sound and find(found, ids[i]) >= 0:
                counts[t] += 1


@njit(
    types.void(u32, i64_2, types.int64, types.int64, u32, u16, u8, u8, u16, u8, out_i64),
    cache=True,
    nogil=True,
    boundscheck=False,
)
def weights_of(ids, records, bits, passages, last, units, widths, shapes, packed, impacts, codes):
    """The integer weight of each term in passage ``ids[0]`` of an index of vectors; 0 where it lacks the term."""
    found = np.empty(BLOCK, np.uint32)
    for t in range(len(records)):
        lists, blocks = open_lists(records[t : t + 1], passages, len(impacts), last, units, widths, shapes, packed)
        begins, ends, postings, sizes = lists
        last_of, offsets, _, widths_of, _ = blocks
        codes[t] = 0
        block = first_at_least(last_of, begins[0], ends[0], ids[0])
        if block >= ends[0]:
            continue
        held = max(0, min(BLOCK, sizes[0] - block * BLOCK))
        before = last_of[block - 1] if block > 0 else np.uint32(0xFFFFFFFF)
        width = np.int64(widths_of[block])
        if decode(packed, offsets[block], width, held, before, last_of[block], found, 0):
            place = find(found, ids[0])
            if place >= 0:
                impact = np.int64(impacts[postings[0] + block * BLOCK + place])
                codes[t] = (impact << bits) - remainder(packed, offsets[block], held, width, bits, place)


@njit(types.void(i64_2, types.int64, types.int64, u32, u16, u8, u8, u16, out_u64), cache=True, nogil=True, boundscheck=False)
def mark_passages(records, passages, postings, last, units, widths, shapes, packed, bits):
    """Set the bit of every passage that contains one of the terms of ``records``: bit i % 64 of word i // 64."""
    lists, blocks = open_lists(records, passages, postings, last, units, widths, shapes, packed)
    begins, ends, _, sizes = lists
    last_of, offsets, _, widths_of, _ = blocks
    found = np.empty(BLOCK, np.uint32)
    limit = min(np.int64(len(bits)) * 64, passages)
    for t in range(len(records)):
        for block in range(begins[t], ends[t]):
            held = max(0, min(BLOCK, sizes[t] - (block - begins[t]) * BLOCK))
            before = last_of[block - 1] if block > begins[t] else np.uint32(0xFFFFFFFF)
            if not decode(packed, offsets[block], np.int64(widths_of[block]), held, before, last_of[block], found, 0):
                continue
            for i in range(held):
                passage = np.int64(found[i])
                if passage < limit:
                    bits[passage >> 6] |= np.uint64(1) << np.uint64(passage & 63)
