"""The significance tests against scipy."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel.evaluate.significance import (
    holm,
    incomplete_beta,
    paired_randomisation,
    paired_t,
    plain_t_two_sided,
    student_t_two_sided,
)

stats = pytest.importorskip("scipy.stats", reason="scipy is the reference; it comes with the extra 'dev'")
special = pytest.importorskip("scipy.special")


@settings(max_examples=100, deadline=None)
@given(st.floats(0.05, 3000), st.floats(0.05, 3000), st.floats(0, 1))
def test_incomplete_beta_agrees_with_scipy(a: float, b: float, x: float) -> None:
    assert incomplete_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), rel=1e-9, abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(st.floats(-60, 60), st.integers(1, 100_000))
def test_student_t_agrees_with_scipy(t: float, freedom: int) -> None:
    assert plain_t_two_sided(t, freedom) == pytest.approx(2 * stats.t.sf(abs(t), freedom), rel=1e-8, abs=1e-300)
    assert student_t_two_sided(t, freedom) == 2 * stats.t.sf(abs(t), freedom)


@pytest.fixture(params=["with scipy", "without scipy"])
def installed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both installations: with scipy, and the base one without it."""
    if request.param == "without scipy":
        monkeypatch.setitem(sys.modules, "scipy", None)
        with pytest.raises(ImportError):
            from scipy import stats  # noqa: F401


def test_paired_t_agrees_with_scipy(installed: None) -> None:
    rng = np.random.default_rng(5)
    for n in (2, 3, 10, 300):
        a, b = rng.random(n), rng.random(n)
        expected = stats.ttest_rel(b, a)
        assert paired_t(b - a) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-8)
    assert paired_t(np.zeros(5)) == (0.0, 1.0)
    assert paired_t(np.ones(1)) == (0.0, 1.0)
    assert paired_t(np.full(5, -0.1)) == (-math.inf, 0.0)


def exact(row: np.ndarray) -> float:
    """The exact test, by scipy: over all sign changes."""
    found = stats.permutation_test(
        (row, np.zeros_like(row)), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=np.inf
    )
    return float(found.pvalue)


def test_paired_randomisation_of_few_queries_is_the_exact_test() -> None:
    rng = np.random.default_rng(7)
    differences = rng.normal(0.15, 0.4, (3, 12)).round(1)
    differences[2, :9] = 0
    assert paired_randomisation(differences) == pytest.approx([exact(row) for row in differences], rel=1e-12)
    assert paired_randomisation(np.array([[0.5, 0.0, 0.25, 0.1]])).tolist() == [0.25]
    assert paired_randomisation(np.zeros((1, 4))).tolist() == [1.0]
    assert paired_randomisation(np.zeros((0, 4))).tolist() == []


def test_paired_randomisation_of_many_queries_comes_near_the_exact_test() -> None:
    rng = np.random.default_rng(9)
    differences = rng.normal(0.1, 0.4, (3, 16)).round(1) + 0.001
    differences[2, 5:] = 0  # an exact row beside sampled ones
    found = paired_randomisation(differences, seed=1, rounds=20_000)
    assert found[:2] == pytest.approx([exact(row) for row in differences[:2]], abs=0.012)
    assert found[2] == pytest.approx(exact(differences[2]), rel=1e-12)
    np.testing.assert_array_equal(found, paired_randomisation(differences, seed=1, rounds=20_000))
    np.testing.assert_allclose(found, paired_randomisation(-differences, seed=1, rounds=20_000))
    assert paired_randomisation(np.ones((1, 200)))[0] == pytest.approx(1 / 10_001)


def test_holm_by_hand() -> None:
    # The example of the Wikipedia article on the method: 0.01 and 0.005 are rejected at 0.05, 0.03
    # and 0.04 are not.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=8))
@settings(max_examples=50, deadline=None)
def test_holm_lies_between_no_correction_and_bonferroni(p: list[float]) -> None:
    for before, after in zip(p, holm(p), strict=True):
        assert before <= after <= min(1.0, len(p) * before)
