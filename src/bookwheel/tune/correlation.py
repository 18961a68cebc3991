"""How far two orders of the same recipes agree at the top: tau-AP. Kendall's tau is `bookwheel.evaluate.agreement.kendall_tau`."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from .._errors import UsageError

__all__ = ["tau_ap"]


def tau_ap(estimated: ArrayLike, actual: ArrayLike) -> float:
    """The AP correlation of two lists of scores of the same n things, in which mistakes at the top count most.

    1 for the same order, -1 for the reverse; what is ordered is ``estimated``. Of things with equal scores half counts as agreed,
    and those with equal ``estimated`` scores are taken in both orders and averaged. NaN for fewer than two things. Raises
    `UsageError` for different lengths. Source: Yilmaz, Aslam and Robertson, "A New Rank Correlation Coefficient for Information
    Retrieval" (SIGIR 2008).
    """
    a, b = np.asarray(estimated, np.float64), np.asarray(actual, np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise UsageError(f"tau-AP compares two lists of the same length, not {a.size:,} and {b.size:,} values")
    if len(a) < 2:
        return math.nan
    forward = np.lexsort((np.arange(len(a)), -a))
    backward = np.lexsort((-np.arange(len(a)), -a))
    return (_ordered(b[forward]) + _ordered(b[backward])) / 2


def _ordered(actual: np.ndarray) -> float:
    agreed = [(np.sign(actual[:at] - actual[at]) + 1).sum() / 2 / at for at in range(1, len(actual))]
    return float(2 * np.mean(agreed) - 1)
