"""Whether answers are as often right as they are said to be.

Sources: Brier, 1950 (mean squared distance); Naeini, Cooper and Hauskrecht, 2015, and Guo et al., 2017 (expected calibration error,
bins of equal width); Hanley and McNeil, 1982 (area under the ROC curve: does a right answer have the higher probability?).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .base import AnswerMeasure, Judged
from .containment import contains

__all__ = ["BINS", "KINDS", "area", "brier", "calibration_error", "pairs"]

BINS = 10


def pairs(every: Sequence[Judged]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The probability of each answer, and whether it is right: whether it contains a gold answer.

    Questions that were answered, and those that have no answer: there every answer would be wrong. Of a refused question that
    has one it is not known whether the answer held back was right.
    """
    there = [one for one in every if one.probability is not None and (not one.refused or not one.gold.answerable)]
    there = [one for one in there if one.gold.answers or not one.gold.answerable]
    right = [not one.refused and contains(one.text, one.gold.answers, one.gold.language) for one in there]
    return np.array([one.probability for one in there], np.float64), np.array(right, np.bool_)


def calibration_error(probabilities: NDArray[np.float64], right: NDArray[np.bool_], bins: int = BINS) -> float:
    """The mean distance of probability and share of right ones, over bins (low, high] of equal width, by their numbers."""
    at = np.clip(np.ceil(probabilities * bins).astype(np.int64) - 1, 0, bins - 1)
    error = 0.0
    for one in range(bins):
        if (inside := at == one).any():
            error += inside.mean() * abs(float(probabilities[inside].mean()) - float(right[inside].mean()))
    return float(error)


def brier(probabilities: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """The mean squared distance."""
    return float(((probabilities - right) ** 2).mean())


def area(probabilities: NDArray[np.float64], right: NDArray[np.bool_]) -> float | None:
    """How often a right answer has the higher probability of a pair, ties one half; None without both kinds."""
    good, bad = probabilities[right], probabilities[~right]
    if not len(good) or not len(bad):
        return None
    ordered = np.sort(bad)
    below, upto = np.searchsorted(ordered, good, "left"), np.searchsorted(ordered, good, "right")
    return float((below + upto).sum() / 2 / (len(good) * len(bad)))


def _error(every: Sequence[Judged]) -> float | None:
    probabilities, right = pairs(every)
    return calibration_error(probabilities, right) if len(right) else None


def _brier(every: Sequence[Judged]) -> float | None:
    probabilities, right = pairs(every)
    return brier(probabilities, right) if len(right) else None


def _area(every: Sequence[Judged]) -> float | None:
    return area(*pairs(every))


KINDS = (
    AnswerMeasure("ece", "expected calibration error", "Naeini et al., 2015; Guo et al., 2017; ten bins", over=_error),
    AnswerMeasure("brier", "Brier score of the probability", "Brier, 1950", over=_brier),
    AnswerMeasure("auroc", "right answers have the higher probability", "Hanley and McNeil, 1982", over=_area),
)
