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

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .dense_exact import best_by_exact
from .dense_keys import numbers_of, scores_of
from .dense_sketch import Sketches

__all__ = ["RECALL", "Reach", "ReachTable", "calibrate", "calibration_queries", "measured"]

RECALL = 0.98
"""Share of the true best k to be found, unless another is asked for."""
TARGETS = (0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
"""The shares measured. Between two of them the higher is taken, above the last every row is looked at."""
DEPTHS = (10, 100, 1000)
"""The k measured. Fewer than 10 need no fewer candidates than 10: their number could not be measured well."""
MARGIN = 1.1
QUERIES = 96
NOISE = 2.0
_DEEPEST = 48
"""Candidates looked at, for each of the k asked for, before giving up: then every row is one."""
_NONE = np.empty(0, dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far to look: ``candidates`` to take at most, ``slack`` that bounds their scores."""

    candidates: int
    slack: float


class ReachTable:
    """The measured reach for some k and shares: rows of (share, k, candidates, slack)."""

    def __init__(self, rows: Any) -> None:
        self.rows = [(float(share), int(k), int(candidates), float(slack)) for share, k, candidates, slack in rows]
        if not all(0 < share < 1 and k > 0 and count > 0 and 0 <= slack < 100 for share, k, count, slack in self.rows):
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
        return Reach(max(k, round(float(candidates))), float(np.interp(at, depths, [row[3] for row in some])))


def calibration_queries(
    vectors: NDArray[np.float16], factors: NDArray[np.uint16], seed: int, rows: NDArray[np.int64] | None = None
) -> NDArray[np.float32]:
    """Rows of ``vectors``, those with a factor, with noise added: float32 (m, d), m at most `QUERIES`."""
    generator = np.random.default_rng(seed)
    if rows is None:
        rows = generator.choice(len(vectors), min(4 * QUERIES, len(vectors)), replace=False)
    rows = rows[factors.reshape(-1)[rows] != 0][:QUERIES]
    queries: NDArray[np.float32] = vectors[rows].astype(np.float32)
    noise = generator.standard_normal(queries.shape).astype(np.float32)
    lengths = np.linalg.norm(queries, axis=1, keepdims=True)
    queries += noise * (NOISE * lengths / np.linalg.norm(noise, axis=1, keepdims=True))
    return queries


def measured(
    needed: list[list[tuple[NDArray[np.float64], NDArray[np.float64]]]], depths: list[int], rows: int
) -> list[tuple[float, int, int, float]]:
    """The rows of a `ReachTable` from the places and slacks of each query's true best k, for each of the k."""
    table = []
    for share in TARGETS:
        least = 1
        for depth, found in zip(depths, needed, strict=True):
            places = np.concatenate([place for place, _ in found])
            slacks = np.concatenate([slack for _, slack in found])
            # half of what may be missed is left to each of the two limits, though most of it is missed by both
            both = (1 + share) / 2
            candidates = max(depth, least, min(int(np.ceil(MARGIN * np.quantile(places, both))), rows))
            slack = max(0.0, float(np.quantile(slacks, share)))
            table.append((share, depth, candidates, round(slack, 4)))
            least = candidates
    return table


def calibrate(
    vectors: NDArray[np.float16],
    sketches: Sketches,
    centre: NDArray[np.float32],
    seed: int,
    ahead: Callable[[int, int], None] | None = None,
) -> list[tuple[float, int, int, float]]:
    """The rows of a `ReachTable` for a segment. ``ahead`` as in `best_by_exact`."""
    depths = [k for k in DEPTHS if 4 * k <= len(vectors)]
    queries = calibration_queries(vectors, sketches.factors, seed)
    if not len(queries) or not depths:
        return []
    want = min(len(vectors), _DEEPEST * depths[-1])
    factors = sketches.factors.reshape(-1)
    needed: list[list[tuple[NDArray[np.float64], NDArray[np.float64]]]] = [[] for _ in depths]
    exact = best_by_exact(vectors, sketches.factors, queries, depths[-1], ahead=ahead)
    for query, hits in zip(queries, exact, strict=True):
        bias = np.array([[query @ centre]], dtype=np.float32)
        (keys,) = sketches.candidates(query[None], want, _NONE, biases=bias)
        ids, estimates = numbers_of(keys), scores_of(keys).astype(np.float64)
        error = factors[ids].view(np.float16).astype(np.float64) * np.linalg.norm(query)
        order = np.argsort(ids)
        at = order[np.minimum(np.searchsorted(ids, hits.ids, sorter=order), len(ids) - 1)]
        here = np.where(ids[at] == hits.ids, at, -1)
        place = np.empty(len(keys))
        for depth, found in zip(depths, needed, strict=True):
            slack = np.where(here < 0, np.inf, (hits.scores[min(depth, len(hits)) - 1] - estimates[here]) / error[here])
            short = np.where(np.isinf(slack), 50.0, slack)[:depth]
            bounds = estimates + max(0.0, float(np.quantile(short, RECALL))) * error
            place[np.argsort(-bounds, kind="stable")] = np.arange(1, len(keys) + 1)
            found.append((np.where(here < 0, float(len(vectors)), place[here])[:depth], short))
    return measured(needed, depths, len(vectors))
