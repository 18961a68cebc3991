"""Score imputation: the score of a passage that is not embedded yet, from the score of the fallback retriever.

A query's candidates fall in two groups: those that are embedded, and those that are not yet. Leaving
the second out would punish them. So would least squares, which gives them the mean score of passages
with the same fallback score: every one of them would lie near the mean, below the best of the first
group, and partly embedded passages would rank worse than none. So the second group gets the same
spread as the first: the line through the means whose slope is the ratio of the standard deviations
(the reduced major axis), over passages that the first stage chose, embedded or not. Where there are
few of them, the line is drawn towards that of the whole library. Measured in ``docs/embedding.md``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Line", "fit_line", "imputed"]

Line = tuple[float, float, float]
"""Slope, intercept, and standard deviation of what remains."""
TRUST = 10.0
"""The number of candidates that the library's line counts for."""


def fit_line(base: NDArray[np.floating], own: NDArray[np.floating], prior: Line | None = None) -> Line | None:
    """The line from ``base`` to ``own`` scores, both (n,); None where nothing is known at all.

    The candidates must have been chosen by ``base``, or the line is biased towards those that ``own``
    scores high. With a ``prior`` the slope is drawn towards it by `TRUST` candidates' worth of the
    spread of ``base``; the intercept makes the line pass through the candidates' mean, since the level
    of scores differs from query to query.
    """
    x, y = np.asarray(base, np.float64), np.asarray(own, np.float64)
    if len(x) < 2:
        if prior is None or not len(x):
            return prior
        # One candidate says half of how high this query scores.
        return prior[0], prior[1] + float(y[0] - imputed(prior, x)[0]) / 2, prior[2]
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


def imputed(line: Line, base: NDArray[np.floating]) -> NDArray[np.float32]:
    """The scores that ``line`` gives for the fallback's scores ``base`` (n,): float32."""
    return (line[0] * np.asarray(base, np.float64) + line[1]).astype(np.float32)
