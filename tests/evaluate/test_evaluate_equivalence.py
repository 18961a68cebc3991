"""Tests of equivalence and of non-inferiority, intervals, and what is corrected together."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from bookwheel import UsageError
from bookwheel.evaluate import Collection, Scores, compare, equivalence, evaluate_runs
from bookwheel.evaluate.significance import holm, mean_interval, one_sided_t, plain_t_two_sided, student_t_quantile

DICE = np.random.default_rng(7)


def scores(**values: np.ndarray) -> dict[str, Scores]:
    """Rankings with these values of one measure."""
    queries = tuple(map(str, range(len(next(iter(values.values()))))))
    return {name: Scores(("m",), queries, row[None, :], {"m": float(row.mean())}) for name, row in values.items()}


def test_both_tests_are_those_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is the reference; it comes with the extra 'evaluate'")
    base = DICE.random(50)
    others = {f"r{n}": base + DICE.normal(shift, 0.05, 50) for n, shift in enumerate((0.0, 0.004, -0.03, 0.2))}
    found = equivalence(scores(base=base, **others), 0.02)
    raw = []
    for one in found:
        difference = others[one.name] - base
        above = stats.ttest_1samp(difference, -0.02, alternative="greater").pvalue
        below = stats.ttest_1samp(difference, 0.02, alternative="less").pvalue
        assert one.p_not_worse == pytest.approx(above, abs=1e-6)
        assert one.p_equivalent == pytest.approx(max(above, below), abs=1e-6)
        interval = stats.t.interval(0.9, 49, difference.mean(), stats.sem(difference))
        assert (one.low, one.high) == pytest.approx(interval, abs=1e-6)
        raw.append(one.p_equivalent)
    assert [one.p_equivalent_holm for one in found] == holm(raw)
    assert found[3].verdict == "not worse"
    assert found[2].verdict == "not shown"


def test_the_same_without_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is the reference; it comes with the extra 'evaluate'")
    monkeypatch.setattr("bookwheel.evaluate.significance.student_t_two_sided", plain_t_two_sided)
    for freedom in (1, 4, 49, 2000):
        for confidence in (0.5, 0.9, 0.95, 0.999):
            expected = stats.t.ppf((1 + confidence) / 2, freedom)
            assert student_t_quantile(confidence, freedom) == pytest.approx(expected, rel=1e-6)
    values = DICE.normal(0.1, 1, 30)
    assert one_sided_t(values, 0.3) == pytest.approx(stats.ttest_1samp(values, 0.3, alternative="greater").pvalue, abs=1e-6)


def test_the_interval_lies_within_the_margin_where_equivalence_is_found() -> None:
    for _ in range(60):
        base = DICE.random(12)
        (one,) = equivalence(scores(base=base, other=base + DICE.normal(0, 0.03, 12)), 0.02)
        assert (one.p_equivalent < 0.05) == (one.low > -0.02 and one.high < 0.02)


def test_a_wider_margin_is_easier_to_show() -> None:
    base = DICE.random(40)
    both = scores(base=base, other=base + DICE.normal(0.001, 0.05, 40))
    found = [equivalence(both, margin)[0].p_equivalent for margin in (0.001, 0.01, 0.02, 0.05)]
    assert all(wide < narrow for narrow, wide in pairwise(found))
    assert found[0] > 0.3
    assert found[-1] < 0.01


def test_one_query_shows_nothing_and_equal_rankings_everything() -> None:
    (one,) = equivalence(scores(base=np.array([0.5]), other=np.array([0.5])), 0.1)
    assert (one.p_equivalent, one.verdict) == (1.0, "not shown")
    assert math.isnan(one.low)
    assert one.to_dict()["low"] is None
    row = DICE.random(9)
    (one,) = equivalence(scores(base=row, other=row.copy()), 0.1)
    assert (one.p_equivalent, one.verdict) == (0.0, "equivalent")
    (one,) = equivalence(scores(base=row, other=row + 0.2), 0.1)
    assert (one.p_equivalent, one.p_not_worse, one.verdict) == (1.0, 0.0, "not worse")
    assert equivalence({}, 0.1) == []
    assert mean_interval(np.array([0.5]))[0] != mean_interval(np.array([0.5]))[0]


@pytest.mark.parametrize("margin", [0, -0.1, math.nan, math.inf, True, "0.1"])
def test_a_margin_must_be_a_number_above_0(margin: object) -> None:
    with pytest.raises(UsageError, match="must be above 0, as in 0.01"):
        equivalence(scores(a=np.ones(3), b=np.ones(3)), margin)  # type: ignore[arg-type]


def test_all_comparisons_shown_are_corrected_together() -> None:
    queries = [f"q{n}" for n in range(15)]
    qrels = {query: {f"d{n}": int(n < 3) for n in range(8)} for query in queries}
    runs = {
        name: {query: [(f"d{d}", -float(at)) for at, d in enumerate(DICE.permutation(8))] for query in queries}
        for name in "abcd"
    }
    found = evaluate_runs(Collection("c", dict.fromkeys(queries, "x"), qrels), runs, ["nDCG@5", "AP", "P@3"])
    assert len(found.comparisons) == 9
    for raw, corrected in (("p_t", "p_t_holm"), ("p_randomisation", "p_randomisation_holm")):
        assert [getattr(c, corrected) for c in found.comparisons] == holm([getattr(c, raw) for c in found.comparisons])
    assert compare(found.scores, "a") == found.comparisons
    tested = found.equivalence(0.1)
    assert [(e.name, e.measure) for e in tested] == [(c.name, c.measure) for c in found.comparisons]
    assert [e.difference for e in tested] == pytest.approx([c.difference for c in found.comparisons])
    assert [e.p_not_worse_holm for e in tested] == holm([e.p_not_worse for e in tested])
    with pytest.raises(UsageError, match="there is no 'x' to compare with; there is 'a'"):
        equivalence(found.scores, 0.1, "x")
