"""What a passage without a neural vector scores: a line over the score of what stands in for it.

A query's candidates fall in two: those that a representation holds, and those it does not hold yet. Leaving the second out
would punish them. So would giving them what passages with the same first-stage score get on average (least squares): the better
of the first would stand above the best of the second, which all lie near their mean, and half-filled vectors would rank worse
than none. The second get the same spread as the first: the line through the means whose slope is the ratio of the standard
deviations (the reduced major axis), over passages that the first stage chose, whether they have a vector or not. Where there are
few of them it is drawn towards the line of the whole library. Measured in ``docs/refinement.md``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Line", "fit_line", "on_line"]

Line = tuple[float, float, float]
"""Slope, intercept, and standard deviation of what remains."""
TRUST = 10.0
"""How many candidates the library's line counts for."""


def fit_line(base: NDArray[np.floating], own: NDArray[np.floating], prior: Line | None = None) -> Line | None:
    """The line from ``base`` to ``own`` scores, both (n,); None where nothing is known at all.

    The candidates must have been chosen by ``base``: of those that ``own`` chose, the best ones by either are seldom the best by both.
    With a ``prior`` the slope is drawn towards it by `TRUST` candidates' worth of the spread of ``base``; the intercept is what
    makes the line pass through the candidates' mean, since how high a query scores at all differs from query to query.
    """
    x, y = np.asarray(base, np.float64), np.asarray(own, np.float64)
    if len(x) < 2:
        if prior is None or not len(x):
            return prior
        # One candidate says half of how high this query scores.
        return prior[0], prior[1] + float(y[0] - on_line(prior, x)[0]) / 2, prior[2]
    mean_x, mean_y = x.mean(), y.mean()
    spread_x, spread_y = float(((x - mean_x) ** 2).sum()), float(((y - mean_y) ** 2).sum())
    if prior is None:
        slope = float(np.sqrt(spread_y / spread_x)) if spread_x > 1e-12 else 0.0
    else:
        weight = TRUST * max(spread_x / len(x), 1e-6)
        slope = float(np.sqrt((spread_y + weight * prior[0] ** 2) / (spread_x + weight)))
        towards = len(x) / (len(x) + 1.0)
        mean_y = towards * mean_y + (1 - towards) * (prior[0] * mean_x + prior[1])
    remains = float(np.sqrt(np.mean((y - mean_y - slope * (x - mean_x)) ** 2)))
    return slope, float(mean_y - slope * mean_x), remains


def on_line(line: Line, base: NDArray[np.floating]) -> NDArray[np.float32]:
    """The scores that ``line`` gives for ``base`` (n,)."""
    return (line[0] * np.asarray(base, np.float64) + line[1]).astype(np.float32)
