"""nDCG: normalised discounted cumulative gain (Järvelin and Kekäläinen, ACM TOIS 20(4), 2002)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .base import CUTOFF, JUDGED_ONLY, JudgedRanking, MeasureKind, Parameter

__all__ = ["KIND", "discounted_gain"]

LARGEST_POWER = 1_000
"""Of two: a sum of such gains is still a float64."""


def discounted_gain(gains: NDArray[np.float64]) -> float:
    """The sum of ``gains``, shape (n,) and best rank first, each divided by log2(rank + 1)."""
    return float((gains / np.log2(np.arange(2, len(gains) + 2))).sum())


def ndcg(ranking: JudgedRanking, cutoff: int | None = None, dcg: str = "log2") -> float:
    """The discounted gain of the ranking over that of the best possible one.

    A document's gain is its grade, as in trec_eval, or with ``dcg="exp-log2"`` 2 to the power of
    its grade, less one (Burges et al., "Learning to Rank using Gradient Descent", ICML 2005).
    """
    best = np.sort(ranking.judgments)[::-1][:cutoff]
    halvings = max(0.0, float(best[0]) - LARGEST_POWER) if len(best) else 0.0
    ideal = discounted_gain(_gains(best, dcg, halvings))
    return discounted_gain(_gains(ranking.grades[:cutoff], dcg, halvings)) / ideal if ideal else 0.0


def _gains(grades: NDArray[np.float64], dcg: str, halvings: float) -> NDArray[np.float64]:
    """A negative or missing grade gains nothing. Powers are halved so many times, which their ratio does not show."""
    positive: NDArray[np.float64] = np.where(grades > 0, grades, 0.0)
    return positive if dcg == "log2" else np.exp2(positive - halvings) - np.exp2(-halvings)


KIND = MeasureKind(
    "nDCG",
    ndcg,
    (Parameter("dcg", "log2", choices=("log2", "exp-log2")), JUDGED_ONLY, CUTOFF),
    "normalised discounted cumulative gain: high grades early",
    aliases=("NDCG",),
)
