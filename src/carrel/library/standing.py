"""What a passage without a neural vector scores: a line over the score of what stands in for it.

A query's candidates fall in two: those that a representation holds, and those it does not hold yet. Leaving the second out
would punish them, giving them the mean would favour the poor ones. They get what passages with the same first-stage score get
on average: least squares over the candidates that have both scores, drawn towards the line of the whole library, which is what
remains where there are few such candidates. Drawing towards a known line is ridge regression (Hoerl & Kennard 1970).
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
    spread = float(((x - mean_x) ** 2).sum())
    together = float(((x - mean_x) * (y - mean_y)).sum())
    if prior is None:
        slope = together / spread if spread > 1e-12 else 0.0
    else:
        weight = TRUST * max(spread / len(x), 1e-6)
        slope = (together + weight * prior[0]) / (spread + weight)
        towards = len(x) / (len(x) + 1.0)
        mean_y = towards * mean_y + (1 - towards) * (prior[0] * mean_x + prior[1])
    remains = float(np.sqrt(np.mean((y - mean_y - slope * (x - mean_x)) ** 2)))
    return slope, float(mean_y - slope * mean_x), remains


def on_line(line: Line, base: NDArray[np.floating]) -> NDArray[np.float32]:
    """The scores that ``line`` gives for ``base`` (n,)."""
    return (line[0] * np.asarray(base, np.float64) + line[1]).astype(np.float32)
