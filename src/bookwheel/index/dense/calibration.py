"""How far to look for a recall asked for: measured on the segment, stored with it.

Candidates are verified in the order of an upper bound of their score, and no more of them once the bounds fall below the k-th
best score found. The bound adds to the estimate a multiple, the slack, of the query's length and the row's factor, which the
estimate's error grows with (RaBitQ's bound, with a constant that is measured rather than derived). So what is measured is
the slack that this share of the true best k need, and the number of candidates that holds them all at that slack.

The queries are rows of the segment with noise of twice their length added. Nothing is known of the real queries, and rows
themselves would be too easy: their nearest neighbours are much nearer than a short question's. With this noise the number of
candidates comes out as large as that for questions on other subjects than the collection's, the worst case tried
(`docs/dense-index.md`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .exact import best_by_exact
from .keys import numbers_of, scores_of
from .sketch import Sketches

__all__ = [
    "RECALL",
    "TARGETS",
    "Need",
    "Reach",
    "ReachTable",
    "calibrate",
    "calibration_queries",
    "depths_of",
    "need_of",
    "reach_rows",
]

RECALL = 0.98
"""Share of the true best k to be found, unless another is asked for."""
TARGETS = (0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
"""The shares measured. Between two of them the higher is taken, above the last every row is looked at."""
DEPTHS = (10, 100, 1000)
"""The k measured. Fewer than 10 need no fewer candidates than 10: their number could not be measured well."""
MARGIN = 1.1
LISTS_MARGIN = 2.5
"""The same for lists: which of them a query needs depends more on what it is about.

Queries of a few words need twice the lists that rows with noise do (a million real passages, static vectors: with 1.25 times 0.96
of the true ten were found where 0.98 was asked for)."""
QUERIES = 96
NOISE = 2.0
DEEPEST = 48
"""Candidates looked at, for each of the k asked for, before giving up: then every row is one."""
_FAR = 50.0
"""The slack of a row that was not even among the candidates looked at."""
MOST = 2 * DEEPEST
"""Candidates for each of the k where more than `DEEPEST` were needed by some: their bounds end most searches long before."""
_NONE = np.empty(0, dtype=np.uint64)


Row = tuple[float, int, int, float, int]
"""Of a `ReachTable`: the share, k, candidates, slack, lists."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far to look: ``candidates`` to take at most, ``slack`` that bounds their scores, ``lists`` to take them from."""

    candidates: int
    slack: float
    lists: int = 0


class ReachTable:
    """The measured reach for some k and shares; raises `ValueError` or `TypeError` for what is none."""

    def __init__(self, rows: Any) -> None:
        self.rows: list[Row] = [(float(a), int(b), int(c), float(d), int(e)) for a, b, c, d, e in rows]
        for share, k, candidates, slack, lists in self.rows:
            if not (0 < share < 1 and k > 0 and candidates > 0 and 0 <= slack < 100 and lists >= 0):
                raise ValueError("a reach that cannot be")
        self._found: dict[tuple[int, float], Reach | None] = {}

    def reach(self, k: int, recall: float) -> Reach | None:
        """What to look at for ``k`` and a recall, by interpolation over the logarithm of k; None where only all will do."""
        if (k, recall) not in self._found:
            if len(self._found) > 1000:
                self._found.clear()
            self._found[k, recall] = self._interpolated(k, recall)
        return self._found[k, recall]

    def _interpolated(self, k: int, recall: float) -> Reach | None:
        share = min((row[0] for row in self.rows if row[0] >= recall), default=None)
        if share is None:
            return None
        some = [row for row in self.rows if row[0] == share]
        at, depths = np.log(max(k, 1)), np.log([row[1] for row in some])
        beyond = max(0.0, float(at - depths[-1]))
        candidates = np.exp(np.interp(at, depths, np.log([row[2] for row in some])) + beyond)
        lists = np.exp(np.interp(at, depths, np.log([max(row[4], 1) for row in some])) + beyond)
        slack = float(np.interp(at, depths, [row[3] for row in some]))
        return Reach(max(k, round(float(candidates))), slack, int(np.ceil(lists)))


@dataclass(frozen=True, slots=True)
class Need:
    """What one query needs for each of its true best k, best first: how many candidates, which slack, how many lists."""

    candidates: NDArray[np.float64]
    slack: NDArray[np.float64]
    lists: NDArray[np.float64]


def depths_of(rows: int) -> list[int]:
    """The k that are measured in a segment of so many rows."""
    return [k for k in DEPTHS if 4 * k <= rows]


def calibration_queries(
    vectors: NDArray[np.float16],
    seed: int,
    known: Callable[[NDArray[np.int64]], NDArray[np.bool_]],
    *,
    mixed: bool = False,
) -> NDArray[np.float32]:
    """Rows of ``vectors``, of those that are not all zero, with noise added: float32 (m, d), m at most `QUERIES`.

    ``mixed``: every other gets the difference of two further rows as its noise, which spreads as the rows do.
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


def need_of(
    ids: NDArray[np.integer],
    estimates: NDArray[np.float64],
    error: NDArray[np.float64],
    true: NDArray[np.int64],
    scores: NDArray[np.float32],
    lists: NDArray[np.float64] | None = None,
) -> Need:
    """What the best ``true`` rows with their ``scores`` need, given the ``ids``, estimates and errors of candidates."""
    order = np.argsort(ids)
    at = order[np.minimum(np.searchsorted(ids, true, sorter=order), len(ids) - 1)]
    here = ids[at] == true
    slack = np.where(here, (scores[-1] - estimates[at]) / error[at], _FAR)
    bounds = estimates + max(0.0, float(np.quantile(slack, RECALL))) * error
    place = np.empty(len(ids))
    place[np.argsort(-bounds, kind="stable")] = np.arange(1, len(ids) + 1)
    return Need(np.where(here, place[at], np.inf), slack, np.zeros(len(true)) if lists is None else lists)


def reach_rows(needs: Sequence[Sequence[Need]], depths: Sequence[int], rows: int) -> list[Row]:
    """The rows of a `ReachTable` for what queries need at each of ``depths``, in a segment of ``rows``."""
    table = []
    for share in TARGETS:
        # What may be missed is shared out among the limits, though much of it is missed by several.
        both = (1 + share) / 2
        least = 1
        for depth, some in zip(depths, needs, strict=True):
            candidates, slacks, lists = (
                np.concatenate([getattr(need, part) for need in some]) for part in ("candidates", "slack", "lists")
            )
            listed = lists.any()
            slack = max(0.0, float(np.quantile(slacks, both if listed else share)))
            most = min(float(np.quantile(candidates, both, method="higher")) * MARGIN, MOST * max(depths))
            # Where so many were not even among the candidates looked at, only all rows will do.
            least = rows if slack >= _FAR or most >= rows else max(depth, least, int(np.ceil(most)))
            wanted = int(np.ceil(LISTS_MARGIN * np.quantile(lists, both))) if listed else 0
            table.append((share, depth, least, round(slack, 4), wanted))
    return table


def calibrate(
    vectors: NDArray[np.float16],
    sketches: Sketches,
    centre: NDArray[np.float32],
    seed: int,
    ahead: Callable[[int, int], None] | None = None,
) -> list[Row]:
    """The rows of a `ReachTable` for a segment. ``ahead`` as in `best_by_exact`."""
    factors, depths = sketches.factors.reshape(-1), depths_of(len(vectors))
    queries = calibration_queries(vectors, seed, lambda rows: factors[rows] != 0)
    if not len(queries) or not depths:
        return []
    want = min(len(vectors), DEEPEST * depths[-1])
    needs: list[list[Need]] = [[] for _ in depths]
    exact = best_by_exact(vectors, sketches.factors, queries, depths[-1], ahead=ahead)
    for query, hits in zip(queries, exact, strict=True):
        bias = np.array([[query @ centre]], dtype=np.float32)
        (keys,) = sketches.candidates(query[None], want, _NONE, biases=bias)
        ids, estimates = numbers_of(keys), scores_of(keys).astype(np.float64)
        error = factors[ids].view(np.float16).astype(np.float64) * np.linalg.norm(query)
        for depth, some in zip(depths, needs, strict=True):
            some.append(need_of(ids, estimates, error, hits.ids[:depth], hits.scores[:depth]))
    return reach_rows(needs, depths, len(vectors))
