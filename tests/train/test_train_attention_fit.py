"""The fit of heads' weights: its gradient by differences, its conditions of optimality, and heads that were planted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bookwheel.train.attention.fit import PULLS, fitted, loss_of, pulled


def lists(seed: int, count: int = 60, heads: int = 12, passages: int = 6, planted: tuple[int, ...] = ()) -> np.ndarray:
    """Noise, brought to one scale as the stage does; in ``planted`` heads the answer stands out."""
    draw = np.random.default_rng(seed)
    tables = draw.normal(size=(count, heads, passages))
    for head in planted:
        tables[:, head, 0] += 1.5
    return (tables - tables.mean(2, keepdims=True)) / tables.std(2, keepdims=True)


def test_the_loss_is_the_answers_cross_entropy_and_its_gradient_fits() -> None:
    tables, weights = lists(1), np.random.default_rng(2).random(12)
    by_hand = []
    for table in tables:
        scores = weights @ table
        by_hand.append(np.log(np.exp(scores).sum()) - scores[0])
    loss, gradient = loss_of(weights, tables)
    assert loss == pytest.approx(np.mean(by_hand))
    for head in range(12):
        step = np.zeros(12)
        step[head] = 1e-5
        difference = (loss_of(weights + step, tables)[0] - loss_of(weights - step, tables)[0]) / 2e-5
        assert gradient[head] == pytest.approx(difference, abs=1e-6)
    assert loss_of(np.zeros(12), tables)[0] == pytest.approx(np.log(6))


@given(st.integers(0, 10_000), st.sampled_from([0.3, 0.05, 0.01]))
@settings(max_examples=20, deadline=None)
@example(324, 0.3)
def test_no_other_weights_are_better(seed: int, pull: float) -> None:
    """The problem is convex, so where these conditions hold (Karush, Kuhn and Tucker) nothing is lower."""
    tables = lists(seed, planted=(3, 7))
    weights = pulled(tables, pull)
    slope = loss_of(weights, tables)[1] + pull
    assert (weights >= 0).all()
    assert (np.abs(slope[weights > 1e-4]) < 2e-3).all()
    assert (slope[weights <= 1e-4] > -2e-3).all()


def test_planted_heads_are_found_and_few_others() -> None:
    found = fitted(lists(5, count=200, planted=(3, 7)), list(range(200)))
    assert set(np.argsort(-found.weights)[:2]) == {3, 7}
    assert found.weights[[3, 7]].min() > 4 * np.delete(found.weights, [3, 7]).max()
    assert len(found.losses) == len(PULLS)
    assert min(found.losses) < np.log(6) - 0.3


def test_where_no_head_knows_anything_next_to_nothing_is_fitted() -> None:
    """Lists of one document are left out together, so what is learned by heart shows."""
    tables = np.repeat(lists(6, count=20), 5, axis=0)
    found = fitted(tables, np.repeat(np.arange(20), 5).tolist())
    assert found.pull == PULLS[0]
    assert fitted(-np.abs(tables) * (np.arange(6) == 0), list(range(100))).weights.tolist() == [0.0] * 12
