"""From bounds to exact scores: which passages are the best, and the selections that this takes."""

# numba takes the types from the signatures.
# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
from __future__ import annotations

import numpy as np
from numba import njit

from .postings_exact import add_scores

__all__ = ["best_stretches", "grown", "settle"]


@njit(nogil=True, boundscheck=False)
def grown(array):
    """``array`` with twice the room."""
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
def best_stretches(bounds, order, most):
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


@njit(nogil=True, boundscheck=False)
def _score_those(ids, reached, scores, begin, end, low, high, terms, parameters, bits):
    """Set the exact scores of the passages in ``begin … end`` whose bound lies in ``low … high`` (half open)."""
    if end <= begin:
        return
    weights, lists, blocks, packed, impacts, lengths, long_lengths = terms
    chosen, places = np.empty(end - begin, np.uint32), np.empty(end - begin, np.int64)
    used = 0
    for i in range(begin, end):
        if low <= np.int64(reached[i]) < high:
            chosen[used], places[used] = ids[i], i
            used += 1
    exact = np.zeros(used, np.float64)
    if used > 0:
        add_scores(chosen, used, weights, lists, blocks, packed, impacts, lengths, long_lengths, parameters, bits, exact)
    for i in range(used):
        scores[places[i]] = np.float32(exact[i])


@njit(nogil=True, boundscheck=False)
def settle(ids, reached, scores, scored, turn, found, k, needed, terms, parameters, bits, scale, rounding):
    """Score the passages ``scored … found`` and drop all that are not among the ``k`` best; (number left, k-th best score).

    ``reached`` are their bounds: a score times ``scale``, less ``rounding``, does not exceed them. ``terms`` is what is open
    of the query: (weights, lists, blocks, packed, impacts, lengths, long lengths). Those with the k best bounds are scored
    first: what they really reach rules out most of the others. Passages must rise from ``scored`` to ``turn`` and from there on.
    """
    used = scored
    begin = scored
    for i in range(scored, found):
        if i == turn:
            begin = used
        if np.int64(reached[i]) >= needed:
            ids[used], reached[used], scores[used] = ids[i], reached[i], np.float32(-1.0)
            used += 1
    everything = np.int64(1) << 40
    first = needed
    if used - scored > k:
        first = max(needed, np.int64(_kth_greatest(reached[scored:used].copy(), k)))
    _score_those(ids, reached, scores, scored, begin, first, everything, terms, parameters, bits)
    _score_those(ids, reached, scores, begin, used, first, everything, terms, parameters, bits)
    if first > needed:
        worst = _kth_greatest(scores[:used].copy(), k)
        needed = max(needed, np.int64(np.float64(worst) * scale) - rounding)
        _score_those(ids, reached, scores, scored, begin, needed, first, terms, parameters, bits)
        _score_those(ids, reached, scores, begin, used, needed, first, terms, parameters, bits)
    worst = np.float32(0.0)
    if used > k:
        worst = _kth_greatest(scores[:used].copy(), k)
    left = 0
    for i in range(used):
        if scores[i] >= worst:
            ids[left], scores[left] = ids[i], scores[i]
            left += 1
    return left, worst
