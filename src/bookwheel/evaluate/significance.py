"""Paired significance tests, and the correction for making several.

For differences of nDCG or AP over the same queries the t-test is recommended, with the
randomisation test as a check: Urbano, Lima and Hanjalic, "Statistical Significance Testing in
Information Retrieval: An Empirical Analysis" (SIGIR 2019); Smucker, Allan and Carterette, "A
Comparison of Statistical Significance Tests" (CIKM 2007).

The t distribution is scipy's where scipy is installed, else our own. The randomisation test is
always ours: where it draws at random, a p must not depend on what is installed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "holm",
    "incomplete_beta",
    "mean_interval",
    "one_sided_t",
    "paired_randomisation",
    "paired_t",
    "plain_t_two_sided",
    "student_t_quantile",
    "student_t_two_sided",
]

ROUNDS = 10_000
_CHUNK = 1_000
_EXACT = 13
"""Up to this many differing queries all 2**n choices of signs are tried: fewer than `ROUNDS`, and
exact.
"""


def paired_t(differences: NDArray[np.float64]) -> tuple[float, float]:
    """Student's t of ``differences``, shape (n,), and its two-sided p under the hypothesis that
    their mean is 0.

    (0, 1) for fewer than two differences, or where all are 0; an infinite t and p 0 where all are
    the same.
    """
    n = len(differences)
    if n < 2 or not differences.any():
        return 0.0, 1.0
    mean, deviation = float(differences.mean()), float(differences.std(ddof=1))
    if deviation <= 1e-12 * abs(mean):
        return math.copysign(math.inf, mean), 0.0
    t = mean / (deviation / math.sqrt(n))
    return t, student_t_two_sided(t, n - 1)


def one_sided_t(values: NDArray[np.float64], bound: float) -> float:
    """P of Student's t-test that the mean of ``values``, shape (n,), is above ``bound``, against the hypothesis that it is not.

    1 for fewer than two values; 0 or 1 where all are the same.
    """
    if len(values) < 2:
        return 1.0
    above, deviation = float(values.mean()) - bound, float(values.std(ddof=1))
    if deviation <= 1e-12 * max(abs(above), abs(bound)):
        return 0.0 if above > 0 else 1.0
    t = above / (deviation / math.sqrt(len(values)))
    half = student_t_two_sided(t, len(values) - 1) / 2
    return half if t > 0 else 1 - half


def mean_interval(values: NDArray[np.float64], confidence: float = 0.95) -> tuple[float, float]:
    """Student's interval of the mean of ``values``, shape (n,); NaN for fewer than two values."""
    if len(values) < 2:
        return math.nan, math.nan
    reach = student_t_quantile(confidence, len(values) - 1) * float(values.std(ddof=1)) / math.sqrt(len(values))
    mean = float(values.mean())
    return mean - reach, mean + reach


def student_t_quantile(confidence: float, freedom: float) -> float:
    """How far from 0 Student's t with ``freedom`` degrees stays with probability ``confidence``, by halving to 1e-12."""
    low, high = 0.0, 1.0
    while student_t_two_sided(high, freedom) > 1 - confidence:
        low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        if student_t_two_sided(middle, freedom) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def student_t_two_sided(t: float, freedom: float) -> float:
    """Probability that Student's t with ``freedom`` degrees is at least ``|t|`` away from 0, by
    scipy where it is installed.
    """
    try:
        from scipy import special  # what scipy.stats takes it from; to import that takes a second
    except ImportError:
        return plain_t_two_sided(t, freedom)
    return float(2 * special.stdtr(freedom, -abs(t)))


def plain_t_two_sided(t: float, freedom: float) -> float:
    """The same without scipy, from the incomplete beta function."""
    square = t * t
    if square < 1:  # the same by the function's symmetry, without the digits that 1 - x would lose
        return 1 - incomplete_beta(0.5, freedom / 2, square / (freedom + square))
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + square))


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b), a continued fraction by Lentz's method.

    Source: Press et al., "Numerical Recipes", section 6.4.
    """
    if not 0 < x < 1:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    tiny = 1e-300
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    value = d
    for m in range(1, 100_000):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + numerator * d
            d = 1 / (d if abs(d) > tiny else tiny)
            c = 1 + numerator / c
            c = c if abs(c) > tiny else tiny
            value *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return value


def paired_randomisation(differences: NDArray[np.float64], seed: int = 0, rounds: int = ROUNDS) -> NDArray[np.float64]:
    """Two-sided p of each row of ``differences``, shape (m, n) to (m,): how often random signs give
    a mean as far from 0.

    Exact for a row with at most 13 differences that are not 0. For others the true ranking counts
    as one of the rounds, so that p is never 0 (Phipson and Smyth, "Permutation P-values Should
    Never Be Zero", 2010); all rows share the signs.
    """
    p = np.array([_exact(row[row != 0]) if (row != 0).sum() <= _EXACT else np.nan for row in differences], np.float64)
    if (sampled := np.isnan(p)).any():
        p[sampled] = _sampled(differences, seed, rounds)[sampled]
    return p


def _exact(differences: NDArray[np.float64]) -> float:
    """The share of all 2**n choices of signs that give a sum as far from 0."""
    signs = 1.0 - 2.0 * (np.arange(2 ** len(differences))[:, None] >> np.arange(len(differences)) & 1)
    return float((np.abs(signs @ differences) >= _reached(np.abs(differences.sum()))).mean())


def _sampled(differences: NDArray[np.float64], seed: int, rounds: int) -> NDArray[np.float64]:
    moving = np.ascontiguousarray(differences[:, differences.any(axis=0)].T)
    reached = _reached(np.abs(moving.sum(axis=0)))
    generator = np.random.default_rng(seed)
    as_far = np.zeros(len(differences), np.int64)
    for start in range(0, rounds, _CHUNK):
        size = (min(_CHUNK, rounds - start), len(moving))
        signs = generator.integers(0, 2, size, dtype=np.int8) * 2.0 - 1.0
        as_far += (np.abs(signs @ moving) >= reached).sum(axis=0)
    p: NDArray[np.float64] = (as_far + 1) / (rounds + 1)
    return p


def _reached(observed: Any) -> Any:
    """What counts as far as ``observed``: sums of the same numbers in another order differ in their
    last digits.
    """
    return observed - 1e-9 * np.maximum(1.0, observed)


def holm(p: Sequence[float]) -> list[float]:
    """The p of several tests made together, adjusted (Holm, "A Simple Sequentially Rejective
    Multiple Test Procedure", 1979).
    """
    adjusted = [0.0] * len(p)
    largest = 0.0
    for rank, at in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        largest = max(largest, min(1.0, (len(p) - rank) * p[at]))
        adjusted[at] = largest
    return adjusted
