"""Measuring the search depth of a segment when it is written (see `depth`).

The queries are rows of the segment plus noise of twice their length. Nothing is known about the real queries, and the rows
themselves would be too easy: their nearest neighbours are much closer than those of a short question. With this noise the number
of candidates comes out as large as for questions on subjects that the collection does not cover, the worst case tried
(`docs/dense-index.md`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .depth import RECALL, DepthRow
from .exact import exact_search
from .keys import numbers_of, scores_of
from .sketch import Sketches

__all__ = ["TARGETS", "Need", "calibrate", "calibration_queries", "depth_rows", "find_rows", "measured_depths", "need_of"]

TARGETS = (0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
"""The recalls measured. A recall between two of them uses the higher one; above the last, every row is searched."""
DEPTHS = (10, 100, 1000)
"""The k measured. A k below 10 uses the candidates of 10: fewer could not be measured well."""
MARGIN = 1.1
"""Factor on the measured number of candidates."""
PROBES_MARGIN = 2.5
"""Factor on the measured number of IVF lists: which lists a query needs depends more on its subject.

Queries of a few words need twice the lists that rows with noise need (a million real passages, static vectors: a factor of 1.25
found 0.96 of the true ten where 0.98 was requested)."""
QUERIES = 96
NOISE = 2.0
DEEPEST = 48
"""Candidates considered for each of the k before giving up: every row is then a candidate."""
_FAR = 50.0
"""The slack of a row that was not among the candidates considered."""
MOST = 2 * DEEPEST
"""Candidates for each of the k where some queries needed more than `DEEPEST`: the bounds end most searches much earlier."""
TABLE = 1 << 20
"""Rows up to which places are looked up in a table of all."""
_NONE = np.empty(0, dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Need:
    """What one query needs to find each of its true best k, best first: candidates, slack, IVF lists."""

    candidates: NDArray[np.float64]
    slack: NDArray[np.float64]
    lists: NDArray[np.float64]


def measured_depths(rows: int) -> list[int]:
    """The k that are measured in a segment of ``rows``."""
    return [k for k in DEPTHS if 4 * k <= rows]


def calibration_queries(
    vectors: NDArray[np.float16],
    seed: int,
    known: Callable[[NDArray[np.int64]], NDArray[np.bool_]],
    *,
    mixed: bool = False,
) -> NDArray[np.float32]:
    """Rows of ``vectors`` that are not all zero, with noise added: float32 (m, d), m at most `QUERIES`.

    ``mixed``: every other row gets the difference of two further rows as its noise, which is distributed as the rows are.
    """
    generator = np.random.default_rng(seed)
    rows = np.sort(generator.choice(len(vectors), min(4 * QUERIES, len(vectors)), replace=False))
    rows = generator.permutation(rows[known(rows)])[:QUERIES]
    queries: NDArray[np.float32] = vectors[rows].astype(np.float32)
    noise = generator.standard_normal(queries.shape).astype(np.float32)
    times = np.full((len(queries), 1), NOISE, dtype=np.float32)
    if mixed:
        order = generator.permutation(len(queries))
        noise[::2] = (queries[order] - queries[np.roll(order, 1)])[::2]
        times[::2] = 2 * NOISE
    lengths = np.linalg.norm(queries, axis=1, keepdims=True)
    queries += noise * (times * lengths / np.maximum(np.linalg.norm(noise, axis=1, keepdims=True), np.float32(1e-9)))
    return queries


def find_rows(ids: NDArray[np.integer], true: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each of the rows ``true`` is among the ``ids`` of candidates, which all differ; -1 for one that is not."""
    last = int(max(ids.max(), true.max()))
    if last < TABLE:
        table = np.full(last + 1, -1, np.int64)
        table[ids] = np.arange(len(ids))
        found: NDArray[np.int64] = table[true]
        return found
    order = np.argsort(ids)
    at = order[np.minimum(np.searchsorted(ids, true, sorter=order), len(ids) - 1)]
    return np.where(ids[at] == true, at, -1)


def need_of(
    at: NDArray[np.int64],
    estimates: NDArray[np.float64],
    error: NDArray[np.float64],
    scores: NDArray[np.float32],
    lists: NDArray[np.float64] | None = None,
) -> Need:
    """What it takes to find the true best rows, which have these ``scores`` and are ``at`` these candidates (`find_rows`).

    ``estimates`` and ``error`` are those of all candidates.
    """
    here = at >= 0
    slack = np.where(here, (scores[-1] - estimates[at]) / error[at], _FAR)
    bounds = estimates + max(0.0, float(np.quantile(slack, RECALL))) * error
    # Only what is ranked above one of them is sorted, and by itself: many times faster than to sort the places of all.
    own = bounds[at]
    rising = np.sort(bounds[bounds >= own.min(where=here, initial=np.inf)])
    after = np.searchsorted(rising, own, side="right")
    place = (len(rising) - after + 1).astype(np.float64)
    for same in np.flatnonzero(
        here & (after - np.searchsorted(rising, own) > 1)
    ).tolist():  # of equals the first of the candidates
        place[same] += np.count_nonzero(bounds[: at[same]] == own[same])
    return Need(np.where(here, place, np.inf), slack, np.zeros(len(at)) if lists is None else lists)


def depth_rows(needs: Sequence[Sequence[Need]], depths: Sequence[int], rows: int) -> list[DepthRow]:
    """The rows of a `SearchDepthTable`, from what the queries need at each of ``depths``, for a segment of ``rows``."""
    table = []
    for share in TARGETS:
        # The permitted misses are divided among the limits, although several limits often miss the same rows.
        both = (1 + share) / 2
        least = 1
        for depth, some in zip(depths, needs, strict=True):
            candidates, slacks, lists = (
                np.concatenate([getattr(need, part) for need in some]) for part in ("candidates", "slack", "lists")
            )
            listed = lists.any()
            slack = max(0.0, float(np.quantile(slacks, both if listed else share)))
            most = min(float(np.quantile(candidates, both, method="higher")) * MARGIN, MOST * max(depths))
            # Where too many rows were not among the candidates considered, only a scan of all rows will do.
            least = rows if slack >= _FAR or most >= rows else max(depth, least, int(np.ceil(most)))
            wanted = int(np.ceil(PROBES_MARGIN * np.quantile(lists, both))) if listed else 0
            table.append((share, depth, least, round(slack, 4), wanted))
    return table


def calibrate(
    vectors: NDArray[np.float16],
    sketches: Sketches,
    centre: NDArray[np.float32],
    seed: int,
    ahead: Callable[[int, int], None] | None = None,
) -> list[DepthRow]:
    """The rows of the `SearchDepthTable` of a segment. ``ahead`` is as in `exact_search`."""
    factors, depths = sketches.factors.reshape(-1), measured_depths(len(vectors))
    queries = calibration_queries(vectors, seed, lambda rows: factors[rows] != 0)
    if not len(queries) or not depths:
        return []
    want = min(len(vectors), DEEPEST * depths[-1])
    needs: list[list[Need]] = [[] for _ in depths]
    exact = exact_search(vectors, sketches.factors, queries, depths[-1], ahead=ahead)
    for query, hits in zip(queries, exact, strict=True):
        bias = np.array([[query @ centre]], dtype=np.float32)
        (keys,) = sketches.candidates(query[None], want, _NONE, biases=bias)
        ids, estimates = numbers_of(keys), scores_of(keys).astype(np.float64)
        error = factors[ids].view(np.float16).astype(np.float64) * np.linalg.norm(query)
        at = find_rows(ids, hits.ids[: depths[-1]])
        for depth, some in zip(depths, needs, strict=True):
            some.append(need_of(at[:depth], estimates, error, hits.scores[:depth]))
    return depth_rows(needs, depths, len(vectors))
