"""Search depth: how many candidates a dense search verifies for a requested recall, as measured on the segment.

Candidates are verified in the order of an upper bound on their score, and verification ends once the bounds fall below the k-th
best exact score. The bound is the estimate plus the *slack* times the query's length times the row's factor, with which the
estimate's error grows: RaBitQ's bound (Gao & Long, SIGMOD 2024) with a measured rather than a derived constant.
`calibration` measures slack and candidates when a segment is written; they are stored with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["RECALL", "DepthRow", "SearchDepth", "SearchDepthTable"]

RECALL = 0.98
"""The share of the true best k that a search finds, unless another recall is requested."""

DepthRow = tuple[float, int, int, float, int]
"""A row of a `SearchDepthTable`: recall, k, candidates, slack, probes."""


@dataclass(frozen=True, slots=True)
class SearchDepth:
    """How deep to search: at most ``candidates`` rows, ``slack`` in the bound on their scores, and the IVF lists to probe."""

    candidates: int
    slack: float
    probes: int = 0


class SearchDepthTable:
    """The measured search depths for some k and recalls. Raises `ValueError` or `TypeError` for rows that cannot be right."""

    def __init__(self, rows: Any) -> None:
        self.rows: list[DepthRow] = [(float(a), int(b), int(c), float(d), int(e)) for a, b, c, d, e in rows]
        for share, k, candidates, slack, probes in self.rows:
            if not (0 < share < 1 and k > 0 and candidates > 0 and 0 <= slack < 100 and probes >= 0):
                raise ValueError("a search depth out of range")
        self._found: dict[tuple[int, float], SearchDepth | None] = {}

    def search_depth(self, k: int, recall: float) -> SearchDepth | None:
        """The depth for ``k`` and a recall, interpolated over the logarithm of k; None where only a scan of all rows will do."""
        if (k, recall) not in self._found:
            if len(self._found) > 1000:
                self._found.clear()
            self._found[k, recall] = self._interpolated(k, recall)
        return self._found[k, recall]

    def _interpolated(self, k: int, recall: float) -> SearchDepth | None:
        share = min((row[0] for row in self.rows if row[0] >= recall), default=None)
        if share is None:
            return None
        some = [row for row in self.rows if row[0] == share]
        at, depths = np.log(max(k, 1)), np.log([row[1] for row in some])
        beyond = max(0.0, float(at - depths[-1]))
        candidates = np.exp(np.interp(at, depths, np.log([row[2] for row in some])) + beyond)
        probes = np.exp(np.interp(at, depths, np.log([max(row[4], 1) for row in some])) + beyond)
        slack = float(np.interp(at, depths, [row[3] for row in some]))
        return SearchDepth(max(k, round(float(candidates))), slack, int(np.ceil(probes)))
