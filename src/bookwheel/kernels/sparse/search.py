"""Exact top-k search of an inverted index: windowed MaxScore over 8-bit impacts, then exact scores of the remaining passages.

The search has two rounds: impacts are rounded up, so they bound every score from above; passages whose bound can still reach
the k best are collected, and only these are scored from term frequencies and lengths.

Passages are processed in windows whose accumulators fit the processor's cache. In each, terms whose bounds (their greatest
impacts in the window) together cannot reach the threshold are *optional* (Turtle & Flood 1995; Lucene's
``MaxScoreBulkScorer``), and the blocks of the other terms are added to the accumulators. The optional terms are not those with
the smallest bounds, but those that save most postings for their bounds. Passages that can still reach the threshold, given the
greatest impacts of the optional terms in their range of 64 passages (Mallia et al. 2017, block-max), become candidates. They
are looked up in the lists of the optional terms, best bound first, as long as they can reach it. So not every passage of the
window needs to have been accumulated: a long query may make a few more terms optional than the threshold alone allows.

Before that, stretches of 2048 passages are bounded; the best are searched first, only to find a threshold, and stretches
below it are never searched (block-max pruning in order of bounds, as in Mallia et al. 2024, at the size of a stretch).

A term with fewer postings in the window than looking up the candidates would cost is never optional: for a thousand results
these are most terms, and the search becomes plain accumulation, which is then the fastest.

Scores are integers here: weights are scaled and rounded up, so that sums are exact and bounds remain bounds.
"""

# numba takes the types from the signatures.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit, types

from ..bits import hold, unowned
from ..popcount import popcount
from ..signatures import f64, i64, i64_2, out_i64, out_u8, out_u32, out_u64, u8, u16, u32, u64
from .postings import BLOCK, first_at_least
from .postings_open import greatest_impacts, open_lists
from .scan import (
    FEW,
    STRETCH,
    WINDOW,
    add_blocks,
    add_short,
    complete,
    list_candidates,
    mark,
    stretch_bounds,
    unroll,
    window_bounds,
)
from .settle import best_stretches, grown, settle

__all__ = ["BINS", "search"]

BINS = 4096
"""Bins of the histogram of bounds that gives the threshold."""
SEEDS = 4
"""Stretches that are searched ahead for a threshold, and one more for each 64 results wanted."""
MOST_SEEDS = 20
UNSETTLED = 1024
"""Passages collected beyond so many (and 60 k) are scored exactly at once: that gives a threshold without the impacts' error."""
SETTLED = 64
"""With more results wanted than so many, what was found ahead is not scored exactly before the rest is searched."""
LONG = 16
"""From so many terms on, with few results wanted, optional terms may together reach up to `MOST_EASE` times the threshold, as
long as looking up what their ranges then let through costs little: that saves adding the postings of more terms."""
MOST_EASE = 1.25
LOOKUP = 12
"""What looking up a candidate costs, in postings added to the accumulators (measured)."""


@njit(nogil=True, boundscheck=False)
def _search(records, term_weights, k, parameters, bits, n, structure, allowed, scratch):
    """The keys of one query (see `search`)."""
    last, units, widths, shapes, packed, lengths, long_lengths, impacts, maxima, ranges, dense = structure
    accumulators, range_bounds, candidate_bits, candidates, touched, histogram, cells = scratch
    count = len(records)
    filtered = len(allowed) > 0
    row_length = (n + 63) >> 6
    lists, blocks = open_lists(records, n, len(impacts), last, units, widths, shapes, packed)
    begins, ends, postings, sizes = lists

    # A posting's value is at most its impact times this.
    factors = np.empty(count, np.float64)
    total = 0.0
    for t in range(count):
        factors[t] = term_weights[t] / 255.0 if bits < 0 else term_weights[t] * np.float64(1 << bits)
        total += factors[t] * 255.0
    if not total > 0.0 or k <= 0 or count == 0:
        return np.empty(0, np.uint64)
    # Integer weights such that the largest possible sum stays near 2^30: integer scores are scores times ``scale``.
    scale = 1073741824.0 / total
    order, bounds, weights = np.empty(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.uint32)
    # What a term could give that has not been looked at counts for so much: all of it, unless the search is approximate.
    promises = np.zeros(count, np.uint32)
    at, until, rows = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.int64)
    slack, largest = np.int64(0), np.int64(0)
    for t in range(count):
        weights[t] = np.uint32(np.ceil(factors[t] * scale))
        promises[t] = np.uint32(np.ceil(np.float64(weights[t]) * parameters[6]))
        order[t] = t
        rows[t] = -1
        place = first_at_least(dense, 0, len(dense), np.uint32(max(records[t, 0], 0)))
        if place < len(dense) and np.int64(dense[place]) == records[t, 0] and (place + 1) * row_length <= len(ranges):
            rows[t] = place * row_length
        # A bound exceeds the exact score by less than a step of the impact and what rounding the weight up adds.
        slack += 255 + (np.int64(weights[t]) if bits != 0 else 0)
        largest += np.int64(weights[t]) * 255
    rounding = (largest >> 20) + 1  # more than that of sums in float32
    slack += rounding
    shift = 0
    while (largest >> shift) >= BINS:
        shift += 1
    tops = greatest_impacts(records, lists, maxima, impacts)
    own_files = (blocks[0], blocks[1], blocks[3], packed, impacts, tops, ranges)
    own_query = (begins, ends, postings, sizes, rows, weights, promises)
    files, query = unowned(own_files), unowned(own_query)
    tops = files[5]
    open_terms = (term_weights, lists, blocks, packed, impacts, lengths, long_lengths)
    passages = np.empty(BLOCK, np.uint32)
    # The least and the greatest factor by which a score now may differ from one at the impacts' own parameters.
    ratio, high_scale = parameters[3] / parameters[4], scale / parameters[4]

    stretches = (n + STRETCH - 1) // STRETCH
    stretch_bound = np.zeros(stretches, np.int64)
    own_short = unroll(files, query, passages)
    short = unowned(own_short)
    peaks = stretch_bounds(files, query, short, n, stretch_bound)
    seeds = np.empty(MOST_SEEDS, np.int64)
    wanted = min(SEEDS + k // 64, MOST_SEEDS)
    seeding = best_stretches(stretch_bound, seeds, wanted) if n > 4 * wanted * STRETCH else 0
    seeds[:seeding].sort()  # what is collected between two settlements must rise
    seed = 0

    histogram[:] = 0
    edge, above = 0, 0  # ``above`` passages lie in the bins from ``edge`` on
    needed = max(np.int64(1), np.int64(parameters[5] * high_scale) - rounding)
    least = needed
    ids, reached, scores = np.empty(1024, np.uint32), np.empty(1024, np.uint32), np.empty(1024, np.float32)
    turn, found, scored, unsettled = 0, 0, 0, UNSETTLED + 60 * k
    stretch = 0
    expected = np.int64(0)  # candidates of a window like those before
    plan, origins = np.empty(count, np.int64), np.empty(count, np.int64)
    eased, ease = count >= LONG and k <= SETTLED, 1.0
    costs, prices = np.empty(count, np.int64), np.empty(count, np.float64)
    for t in range(count):
        origins[t] = short[0][t] if short[0][t] >= 0 else begins[t]
    at[:] = origins
    while True:
        if seed < seeding:
            low = seeds[seed] * STRETCH
            high = min(low + STRETCH, n)
            stretch_bound[seeds[seed]] = -1
            seed += 1
            at[:] = origins
        else:
            if seed == seeding and seeding > 0:
                seed += 1
                at[:] = origins
                if k <= SETTLED:
                    found, worst = settle(
                        ids, reached, scores, scored, turn, found, k, needed, open_terms, parameters, bits, high_scale, rounding
                    )
                    scored = found
                    least = max(least, np.int64(np.float64(worst) * high_scale) - rounding)
                    needed = max(needed, least)
                turn = found
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
        window_bounds(files, query, short, peaks, low, high, at, until, bounds)
        total_bound, adding, looking = np.int64(0), np.int64(0), np.int64(0)
        cheap = min(expected, live) * LOOKUP
        for t in range(count):
            costs[t] = (until[t] - at[t]) * (BLOCK if short[0][t] < 0 else 1)
            prices[t] = np.float64(bounds[t]) / np.float64(max(costs[t], 1))
            total_bound += bounds[t]
        if total_bound < needed:
            continue
        for i in range(1, count):  # an insertion sort: the order changes little from window to window
            t = order[i]
            j = i - 1
            while j >= 0 and prices[order[j]] > prices[t]:
                order[j + 1] = order[j]
                j -= 1
            order[j + 1] = t
        # Optional are those terms that save most postings for what they could have given.
        optional, reach, essential = 0, np.int64(0), np.int64(0)
        most_reach = np.int64(np.float64(needed) * ease)
        place = count
        for i in range(count):
            t = order[i]
            if short[0][t] < 0 and costs[t] > cheap and reach + bounds[t] < most_reach:
                reach += bounds[t]
                j = optional - 1
                while j >= 0 and bounds[plan[j]] > bounds[t]:
                    plan[j + 1] = plan[j]
                    j -= 1
                plan[j + 1] = t
                optional += 1
                adding += cheap
            else:
                place -= 1
                plan[place] = t
                essential += costs[t]
                adding += costs[t]
            looking += min(costs[t], live * LOOKUP)
        # With a filter, looking up its few passages may cost less than adding all postings.
        by_passage = filtered and looking * 5 < adding * 4
        if by_passage:
            optional, place, essential = 0, count, np.int64(0)
            reach = np.int64(0)
            for t in range(count):
                if short[0][t] < 0 and costs[t] > live * LOOKUP:
                    reach += bounds[t]
                    j = optional - 1
                    while j >= 0 and bounds[plan[j]] > bounds[t]:
                        plan[j + 1] = plan[j]
                        j -= 1
                    plan[j + 1] = t
                    optional += 1
                else:
                    place -= 1
                    plan[place] = t
                    essential += costs[t]
        essential_reach = np.int64(0)
        for i in range(optional, count):
            essential_reach += bounds[plan[i]]
        everywhere = np.int64(0)
        for i in range(optional):
            if rows[plan[i]] < 0:
                everywhere += bounds[plan[i]]
        for r in range(words):
            range_bounds[r] = np.uint32(everywhere)
        for i in range(optional):
            t = plan[i]
            if rows[t] >= 0 and bounds[t] > 0:
                start = np.uint64(rows[t] + first_word)
                for r in range(np.uint64(words)):
                    range_bounds[r] += promises[t] * np.uint32(ranges[start + r])
        few = essential <= FEW and (reach < needed or by_passage)
        used = 0
        for i in range(optional, count):
            t = plan[i]
            if short[0][t] >= 0:
                add_short(short, weights[t], at[t], until[t], low, accumulators, few, touched, used)
                used += until[t] - at[t] if few else 0
                continue
            others = needed - reach - (essential_reach - bounds[t])
            used = add_blocks(files, query, t, at[t], until[t], others, low, high, accumulators, few, touched, used)
        if by_passage:
            for r in range(words):
                candidate_bits[r] = allowed[first_word + r]
        else:
            mark(accumulators, range_bounds, low, high, needed, few, touched, used, candidate_bits)
        m = list_candidates(candidate_bits, words, allowed, low, high, accumulators, range_bounds, candidates)
        found_here, looked = m, np.int64(0)
        if few:
            for i in range(np.uint64(used)):
                accumulators[np.uint32(touched[i] - np.uint32(low)) & np.uint32(WINDOW - 1)] = 0
        else:
            accumulators[:] = 0
        for i in range(optional - 1, -1, -1):  # best bound first
            t = plan[i]
            looked += m
            if m > 0 and bounds[t] > 0:
                m = complete(files, query, t, at[t], until[t], bounds[t], needed, low, candidates, m, passages, cells)
        if not eased:
            expected = max(found_here, expected - (expected >> 2))
        else:
            if optional > 0:
                expected = max(looked // optional, expected - (expected >> 2))
            if looked * 50 < essential:
                ease = min(ease * 1.02, MOST_EASE)
            elif looked * 25 > essential:
                ease = max(ease / 1.08, 1.0)
        while found + m > len(ids):
            ids, reached, scores = grown(ids), grown(reached), grown(scores)
        for c in range(m):
            score = np.int64(candidates[3 * c + 1])
            ids[found] = candidates[3 * c]
            reached[found] = candidates[3 * c + 1]
            if score >= needed:
                found += 1
                place = min(score >> shift, BINS - 1)
                histogram[place] += 1
                above += place >= edge
        if above >= k:
            while above - np.int64(histogram[edge]) >= k:
                above -= np.int64(histogram[edge])
                edge += 1
            needed = max(least, np.int64(np.float64((np.int64(edge) << shift) - slack) * ratio))
        if found - scored > unsettled and seed >= seeding:
            found, worst = settle(
                ids, reached, scores, scored, turn, found, k, needed, open_terms, parameters, bits, high_scale, rounding
            )
            scored = turn = found
            least = max(least, np.int64(np.float64(worst) * high_scale) - rounding)
            needed = max(needed, least)
    found, worst = settle(
        ids, reached, scores, scored, turn, found, k, needed, open_terms, parameters, bits, high_scale, rounding
    )
    hold((own_files, own_query, own_short))
    keys = np.empty(found, np.uint64)
    as_bits = scores.view(np.uint32)
    for i in range(found):
        keys[i] = (np.uint64(np.uint32(0xFFFFFFFF) - as_bits[i]) << np.uint64(32)) | np.uint64(ids[i])
    return keys


@njit(
    types.Array(types.uint64, 1, "C")(
        i64_2, f64, i64, types.int64, f64, types.int64, types.int64,
        u32, u16, u8, u8, u16, u16, u32, u8, u8, u8, u32,
        u64,
        out_u32, out_u32, out_u64, out_u32, out_u32, out_u32, out_u8, out_i64,
    ),
    cache=True,
    nogil=True,
    boundscheck=False,
)  # fmt: skip
def search(
    records, term_weights, queries, k, parameters, bits, passages,
    last, units, widths, shapes, packed, lengths, long_lengths, impacts, maxima, ranges, dense,
    allowed,
    accumulators, range_bounds, candidate_bits, candidates, touched, histogram, cells, ends,
):  # fmt: skip
    """Keys of all passages that may be among the ``k`` best, scored exactly: (0xFFFFFFFF - float32 bits) << 32 | passage.

    Query q has the terms ``queries[q] … queries[q + 1]`` of ``records`` (see `dictionary`; each term once in a query),
    with weights > 0; its keys end at ``ends[q]``. Sorted, the keys are the ranking: falling score, then rising passage.

    ``parameters``: k1, b, average length, least and greatest factor by which a score now may differ from one at the impacts'
    own parameters, the score that a passage must reach, and the share that counts of what a term not summed up yet could
    give (1: exact; less: approximate).
    ``bits`` is -1 in a BM25 index and the bits left over by the impacts in an index of vectors. ``allowed`` is a bitmap of
    passages or empty. The seven arrays after it are scratch; all but the histogram are left as they must come: zeroed
    (accumulators, candidate_bits, cells) or anyhow.
    """
    owned = (last, units, widths, shapes, packed, lengths, long_lengths, impacts, maxima, ranges, dense)
    structure = unowned(owned)
    owned_scratch = (accumulators, range_bounds, candidate_bits, candidates, touched, histogram, cells)
    scratch = unowned(owned_scratch)
    out = np.empty(0, np.uint64)
    used = 0
    for q in range(len(queries) - 1):
        low, high = queries[q], queries[q + 1]
        keys = _search(records[low:high], term_weights[low:high], k, parameters, bits, passages, structure, allowed, scratch)
        if used == 0 and q == len(queries) - 2:
            out = keys
        else:
            if used + len(keys) > len(out):
                larger = np.empty(2 * (used + len(keys)), np.uint64)
                larger[:used] = out[:used]
                out = larger
            out[used : used + len(keys)] = keys
        used += len(keys)
        ends[q] = used
    hold((owned, owned_scratch))
    return out
