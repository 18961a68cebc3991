"""Kappa and tau against values worked out by hand, and against scipy where it is installed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bookwheel._errors import UsageError
from bookwheel.evaluate.agreement import agreement, cohen_kappa, kendall_tau


def expand(table: list[list[int]]) -> tuple[list[int], list[int]]:
    pairs = [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)]
    return [a for a, _ in pairs], [b for _, b in pairs]


def test_kappa_by_hand() -> None:
    # 20 both yes, 5 and 10 apart, 15 both no: observed 0.7, by chance 0.5*0.6 + 0.5*0.4 = 0.5.
    assert cohen_kappa(*expand([[20, 5], [10, 15]])) == pytest.approx(0.4)
    # Three grades, all marginals equal (4, 4, 4): observed 9/12, by chance 1/3.
    table = [[3, 1, 0], [0, 3, 1], [1, 0, 3]]
    assert cohen_kappa(*expand(table)) == pytest.approx((0.75 - 1 / 3) / (2 / 3))
    # Linear: cost 1+1+2 = 4 of 12, by chance 8/9 a pair. Quadratic: cost 1+1+4 = 6 of 12, by chance 12/9 a pair.
    assert cohen_kappa(*expand(table), "linear") == pytest.approx(1 - (4 / 12) / (8 / 9))
    assert cohen_kappa(*expand(table), "quadratic") == pytest.approx(1 - (6 / 12) / (12 / 9))


def test_kappa_at_its_ends() -> None:
    assert cohen_kappa([0, 1, 3], [0, 1, 3]) == 1
    assert cohen_kappa([0, 1, 0, 1], [1, 0, 1, 0]) == pytest.approx(-1)
    assert math.isnan(cohen_kappa([1, 1], [1, 1]))  # chance alone agrees
    assert math.isnan(cohen_kappa([], []))
    with pytest.raises(UsageError, match="3 and 2 grades"):
        cohen_kappa([1, 2, 3], [1, 2])


def test_the_distance_of_grades_is_that_of_their_values() -> None:
    assert cohen_kappa([0, 0, 3, 3], [0, 3, 3, 3], "linear") == cohen_kappa([0, 0, 1, 1], [0, 1, 1, 1], "linear")
    assert cohen_kappa([0, 1, 3, 3], [0, 1, 3, 0], "linear") < cohen_kappa([0, 1, 3, 3], [0, 1, 3, 1], "linear")


def test_tau_by_hand() -> None:
    assert kendall_tau([1, 2, 3, 4], [1, 2, 3, 4]) == 1
    assert kendall_tau([1, 2, 3, 4], [4, 3, 2, 1]) == -1
    assert kendall_tau([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx(4 / 6)
    # One tie in the first list: 5 of 6 pairs told, all agree: 5 / sqrt(5 * 6).
    assert kendall_tau([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(5 / math.sqrt(30))
    assert math.isnan(kendall_tau([1, 1, 1], [1, 2, 3]))
    assert math.isnan(kendall_tau([1], [1]))
    with pytest.raises(UsageError, match="same length"):
        kendall_tau([1, 2], [1])


def test_tau_is_that_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is not installed")
    generator = np.random.default_rng(3)
    for _ in range(20):
        a, b = generator.integers(0, 6, 15), generator.integers(0, 9, 15)
        assert kendall_tau(a, b) == pytest.approx(stats.kendalltau(a, b).statistic, abs=1e-12)


def test_agreement_of_two_judges() -> None:
    first = {"q1": {"a": 3, "b": 0, "c": 1, "only": 1}, "q2": {"a": 0, "d": 2, "not": -1}}
    second = {"q1": {"a": 2, "b": 0, "c": 0}, "q2": {"a": 1, "d": 2, "not": 1, "e": 0}, "q3": {"a": 0}}
    found = agreement(first, second)
    assert (found.pairs, found.only_first, found.only_second) == (5, 1, 3)
    assert found.same == pytest.approx(2 / 5)
    # Relevant or not: both 2, neither 1, apart 1 and 1: observed 3/5, by chance (3*3 + 2*2) / 25.
    assert found.kappa == pytest.approx((3 / 5 - 13 / 25) / (12 / 25))
    assert found.interval[0] <= found.kappa <= found.interval[1]
    assert found.relevant == (0.6, 0.6)
    assert (found.higher, found.lower) == (1, 2)
    assert sum(map(sum, found.table)) == 5
    with pytest.raises(UsageError, match="no query and document in common"):
        agreement({"q": {"a": 1}}, {"q": {"b": 1}})
