"""Exact top-k search of a sparse index: windowed MaxScore over 8-bit impacts, then exact scores of what is left.

The two rounds of the design: impacts, rounded up, bound every score from above; passages whose bound can still reach the k
best are collected, and only these are scored from term frequencies and lengths.

Passages are gone through in windows whose accumulators fit the processor's cache. In each, terms are ordered by their bound
(the greatest impact there); the longest prefix that cannot reach the threshold by itself is *optional* (Turtle & Flood 1995;
Lucene's ``MaxScoreBulkScorer``), the others' blocks are added to the accumulators. Passages that can still reach the
threshold, given the greatest impacts of the optional terms in their range of 64 passages (Mallia et al. 2017, block-max),
become candidates, and are looked up in the optional terms' lists, best bound first, as long as they can reach it.

Before that, stretches of 2048 passages are bounded; the few best are searched ahead, only to learn a threshold, and those
below it are never looked at (block-max pruning in order of bounds, as in Mallia et al. 2024, at the size of a stretch).

Scores are integers here: weights are scaled and rounded up, so that sums are exact and bounds remain bounds.
"""

# numba takes the types from the signatures.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit, types

from .popcount import popcount
from .postings import BLOCK, first_at_least
from .postings_exact import add_scores
from .signatures import f64, i64, out_i64, out_u8, out_u32, out_u64, u8, u16, u32, u64
from .sparse_scan import FEW, STRETCH, WINDOW, add_block, complete, list_candidates, mark, stretch_bounds, window_bounds

__all__ = ["BINS", "lookup", "search"]

BINS = 4096
"""Bins of the histogram of bounds that gives the threshold."""
SEEDS = 4
"""Stretches that are searched ahead for a threshold."""
UNSETTLED = 1024
"""Passages collected beyond so many (and 6 k) are scored exactly at once: that gives a threshold without the impacts' error."""


@njit(types.void(u8, u32, u8, i64, out_i64), cache=True, nogil=True, boundscheck=False)
def lookup(text, offsets, wanted, wanted_offsets, out):
    """Number of each wanted term in the sorted vocabulary, or -1: binary searches. Terms are UTF-8 in one array each."""
    terms = len(offsets) - 1
    for w in range(len(wanted_offsets) - 1):
        begin, size = wanted_offsets[w], wanted_offsets[w + 1] - wanted_offsets[w]
        low, high = 0, terms
        found = -1
        while low < high:
            middle = (low + high) >> 1
            start = min(np.int64(offsets[middle]), len(text))
            length = max(min(np.int64(offsets[middle + 1]), len(text)) - start, 0)
            order = 0
            for i in range(min(size, length)):
                a, b = wanted[begin + i], text[start + i]
                if a != b:
                    order = -1 if a < b else 1
                    break
            if order == 0:
                order = size - length
            if order == 0:
                found = middle
                break
            if order < 0:
                high = middle
            else:
                low = middle + 1
        out[w] = found


@njit(nogil=True, boundscheck=False)
def _grown(array):
    larger = np.empty(2 * len(array), array.dtype)
    larger[: len(array)] = array
    return larger


@njit(nogil=True, boundscheck=False)
def _kth_greatest(values, k):
    """The k-th greatest of ``values``, which get another order (Hoare's selection)."""
    low, high, wanted = 0, len(values) - 1, k - 1
    while low < high:
        pivot = values[(low + high) >> 1]
        i, j = low, high
        while i <= j:
            while values[i] > pivot:
                i += 1
            while values[j] < pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if wanted <= j:
            high = j
        elif wanted >= i:
            low = i
        else:
            break
    return values[wanted]


@njit(nogil=True, boundscheck=False)
def _settle(ids, reached, scores, scored, found, k, needed, terms, weights, structure, parameters):
    """Score the passages ``scored … found`` and drop all that are not among the ``k`` best; (number left, score needed)."""
    first_blocks, starts, last, offsets, widths, shapes, packed, lengths = structure
    used = scored
    for i in range(scored, found):
        if np.int64(reached[i]) >= needed:
            ids[used] = ids[i]
            used += 1
    exact = np.zeros(used - scored, np.float64)
    add_scores(
        ids[scored:], used - scored, terms, weights, first_blocks, starts, last, offsets, widths, shapes, packed, lengths,
        parameters[0], parameters[1], parameters[2], exact,
    )  # fmt: skip
    for i in range(scored, used):
        scores[i] = np.float32(exact[i - scored])
    if used <= k:
        return used, np.float32(0.0)
    worst = _kth_greatest(scores[:used].copy(), k)
    left = 0
    for i in range(used):
        if scores[i] >= worst:
            ids[left] = ids[i]
            scores[left] = scores[i]
            left += 1
    return left, worst


@njit(nogil=True, boundscheck=False)
def _seeds(bounds, order, most):
    """Put the stretches of the greatest bounds into ``order``, best first; returns how many (at most ``most``)."""
    used = 0
    for s in range(len(bounds)):
        if used < most or bounds[s] > bounds[order[used - 1]]:
            i = min(used, most - 1)
            while i > 0 and bounds[order[i - 1]] < bounds[s]:
                order[i] = order[i - 1]
                i -= 1
            order[i] = s
            used = min(used + 1, most)
    return used


@njit(
    types.Array(types.uint64, 1, "C")(
        i64, f64, types.int64, f64,
        u32, u32, u32, u32, u8, u8, u16, u32,
        u8, u8, u8, u32,
        u64,
        out_u32, out_u32, out_u64, out_u32, out_u32, out_u32, out_u8,
    ),
    cache=True,
    nogil=True,
    boundscheck=False,
)  # fmt: skip
def search(
    terms, term_weights, k, parameters,
    first_blocks, starts, last, offsets, widths, shapes, packed, lengths,
    impacts, maxima, ranges, dense,
    allowed,
    accumulators, range_bounds, candidate_bits, candidates, touched, histogram, cells,
):  # fmt: skip
    """Keys of all passages that may be among the ``k`` best, scored exactly: (0xFFFFFFFF - float32 bits) << 32 | passage.

    Sorted, the keys are the ranking: falling score, then rising passage. ``terms`` are numbers of the vocabulary, each
    once; their weights are > 0. ``parameters``: k1, b, average length, least and greatest factor by which a score now may
    differ from one at the impacts' own parameters, and the score that a passage must reach. ``allowed`` is a bitmap of
    passages or empty. The last seven arrays are scratch; all but the histogram are left as they must come: zeroed
    (accumulators, candidate_bits, cells) or anyhow.
    """
    n = len(lengths)
    blocks = len(last)
    count = len(terms)
    ratio, floor = parameters[3] / parameters[4], parameters[5] / parameters[4]
    filtered = len(allowed) > 0
    row_length = (n + 63) >> 6
    total = 0.0
    for t in range(count):
        total += term_weights[t]
    if total <= 0.0 or k <= 0:
        return np.empty(0, np.uint64)

    begins, ends, at, until = (
        np.empty(count, np.int64),
        np.empty(count, np.int64),
        np.empty(count, np.int64),
        np.empty(count, np.int64),
    )
    postings, sizes, rows = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.int64)
    order, bounds, weights = np.empty(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.uint32)
    # Integer weights such that the largest possible sum stays near 2^30.
    scale = 1073741824.0 / (255.0 * total)
    slack, largest = np.int64(0), np.int64(0)
    for t in range(count):
        begins[t] = min(np.int64(first_blocks[terms[t]]), blocks)
        ends[t] = min(np.int64(first_blocks[terms[t] + 1]), blocks)
        postings[t] = np.int64(starts[terms[t]])
        sizes[t] = np.int64(starts[terms[t] + 1]) - postings[t]
        held = ends[t] - begins[t]
        if held <= 0 or sizes[t] <= (held - 1) * BLOCK or sizes[t] > held * BLOCK or postings[t] + sizes[t] > len(impacts):
            ends[t] = begins[t]
        weights[t] = np.uint32(np.ceil(term_weights[t] * scale))
        order[t] = t
        place = first_at_least(dense, 0, len(dense), np.uint32(terms[t]))
        rows[t] = -1
        if place < len(dense) and np.int64(dense[place]) == terms[t] and (place + 1) * row_length <= len(ranges):
            rows[t] = place * row_length
        # A bound exceeds the exact score by less than a step of the impact and what rounding the weight up adds.
        slack += np.int64(weights[t]) + 255
        largest += np.int64(weights[t]) * 255
    rounding = (largest >> 20) + 1  # more than that of sums in float32
    slack += rounding
    shift = 0
    while (largest >> shift) >= BINS:
        shift += 1
    files = (last, offsets, widths, packed, impacts, maxima, ranges)
    lists = (begins, ends, postings, sizes, rows, weights)
    passages = np.empty(BLOCK, np.uint32)

    stretches = (n + STRETCH - 1) // STRETCH
    stretch_bound = np.zeros(stretches, np.int64)
    stretch_bounds(files, lists, n, stretch_bound, passages)
    seeds = np.empty(SEEDS, np.int64)
    # The best stretches are searched first, only to learn a threshold.
    seeding = _seeds(stretch_bound, seeds, SEEDS) if n > 4 * SEEDS * STRETCH else 0
    seed = 0

    histogram[:] = 0
    edge, above = 0, 0  # ``above`` passages lie in the bins from ``edge`` on
    needed = max(np.int64(1), np.int64(floor * 255.0 * scale) - rounding)
    least = needed
    ids, reached, scores = np.empty(1024, np.uint32), np.empty(1024, np.uint32), np.empty(1024, np.float32)
    found, scored, unsettled = 0, 0, UNSETTLED + 6 * k
    structure = (first_blocks, starts, last, offsets, widths, shapes, packed, lengths)
    stretch = 0
    at[:] = begins
    while True:
        if seed < seeding:
            low = seeds[seed] * STRETCH
            high = min(low + STRETCH, n)
            seed += 1
            at[:] = begins
        else:
            if seed == seeding and seeding > 0:
                seed += 1
                least = needed
                histogram[:] = 0
                edge, above, found = 0, 0, 0
                at[:] = begins
            while stretch < stretches and stretch_bound[stretch] < needed:
                stretch += 1
            if stretch == stretches:
                break
            low = stretch * STRETCH
            while stretch < stretches and stretch_bound[stretch] >= needed and (stretch + 1) * STRETCH - low <= WINDOW:
                stretch += 1
            high = min(stretch * STRETCH, n)
        words = (high - low + 63) >> 6
        first_word = low >> 6
        live = high - low
        if filtered:
            live = 0
            for r in range(words):
                live += np.int64(popcount(allowed[first_word + r]))
            if live == 0:
                continue
        window_bounds(files, lists, low, high, at, until, bounds)
        for i in range(1, count):  # an insertion sort: the order changes little from window to window
            t = order[i]
            j = i - 1
            while j >= 0 and bounds[order[j]] > bounds[t]:
                order[j + 1] = order[j]
                j -= 1
            order[j + 1] = t
        optional, reach = 0, np.int64(0)
        while optional < count and reach + bounds[order[optional]] < needed:
            reach += bounds[order[optional]]
            optional += 1
        if optional == count:
            continue
        essential, essential_reach = np.int64(0), np.int64(0)
        for i in range(optional, count):
            essential += (until[order[i]] - at[order[i]]) * BLOCK
            essential_reach += bounds[order[i]]
        by_passage = filtered and live * 8 < essential
        if by_passage:
            optional = count
        everywhere = np.int64(0)
        for i in range(optional):
            if rows[order[i]] < 0:
                everywhere += bounds[order[i]]
        for r in range(words):
            range_bounds[r] = np.uint32(everywhere)
        for i in range(optional):
            t = order[i]
            if rows[t] >= 0 and bounds[t] > 0:
                start = np.uint64(rows[t] + first_word)
                for r in range(np.uint64(words)):
                    range_bounds[r] += weights[t] * np.uint32(ranges[start + r])
        few = essential <= FEW
        used = 0
        if by_passage:
            for r in range(words):
                candidate_bits[r] = allowed[first_word + r]
        else:
            for i in range(optional, count):
                t = order[i]
                others = needed - reach - (essential_reach - bounds[t])
                for block in range(at[t], until[t]):
                    # Passages of a block that cannot reach the threshold with all other terms at their best are lost anyway.
                    if np.int64(maxima[block]) * np.int64(weights[t]) >= others:
                        if few:
                            used += add_block(files, lists, t, block, low, high, accumulators, touched, used)
                        else:
                            add_block(files, lists, t, block, low, high, accumulators, passages, 0)
            mark(accumulators, range_bounds, low, high, needed, few, touched, used, candidate_bits)
        m = list_candidates(candidate_bits, words, allowed, low, high, accumulators, range_bounds, candidates)
        if few:
            for i in range(np.uint64(used)):
                accumulators[np.uint32(touched[i] - np.uint32(low)) & np.uint32(WINDOW - 1)] = 0
        elif not by_passage:
            accumulators[:] = 0
        for i in range(optional - 1, -1, -1):  # best bound first
            t = order[i]
            if m > 0 and bounds[t] > 0:
                m = complete(files, lists, t, at[t], until[t], bounds[t], needed, low, candidates, m, passages, cells)
        for c in range(m):
            score = np.int64(candidates[3 * c + 1])
            if score >= needed:
                if found == len(ids):
                    ids, reached, scores = _grown(ids), _grown(reached), _grown(scores)
                ids[found] = candidates[3 * c]
                reached[found] = candidates[3 * c + 1]
                found += 1
                place = min(score >> shift, BINS - 1)
                histogram[place] += 1
                if place >= edge:
                    above += 1
                    while above - np.int64(histogram[edge]) >= k:
                        above -= np.int64(histogram[edge])
                        edge += 1
                    if above >= k:
                        needed = max(least, np.int64(np.float64((np.int64(edge) << shift) - slack) * ratio))

        if found - scored > unsettled and (seeding == 0 or seed > seeding):
            found, worst = _settle(ids, reached, scores, scored, found, k, needed, terms, term_weights, structure, parameters)
            scored = found
            least = max(least, np.int64(worst / parameters[4] * 255.0 * scale) - rounding)
            needed = max(needed, least)
    found, worst = _settle(ids, reached, scores, scored, found, k, needed, terms, term_weights, structure, parameters)
    keys = np.empty(found, np.uint64)
    bits = scores.view(np.uint32)
    for i in range(found):
        keys[i] = (np.uint64(np.uint32(0xFFFFFFFF) - bits[i]) << np.uint64(32)) | np.uint64(ids[i])
    return keys
