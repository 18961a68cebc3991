"""The dense kernels against numpy: float16 both ways, dot products, selection."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel.index.dense.keys import numbers_of, scores_of
from bookwheel.kernels.dense.convert import narrow, widen
from bookwheel.kernels.dense.exact import best_rows
from bookwheel.kernels.dense.verify import score_rows

NONE = np.empty(0, dtype=np.uint64)
HALVES = np.arange(65536, dtype=np.uint16)
FINITE = HALVES[np.isfinite(HALVES.view(np.float16))]


def test_every_half_widens_to_its_value() -> None:
    halves = FINITE.reshape(-1, 8)
    wide = np.empty(halves.shape, dtype=np.float32)
    widen(halves, wide)
    np.testing.assert_array_equal(wide, halves.view(np.float16).astype(np.float32))
    widen(HALVES.reshape(-1, 8), everything := np.empty((8192, 8), dtype=np.float32))
    assert np.isfinite(everything).all()


def test_rounding_to_halves_is_numpys() -> None:
    exact = np.sort(FINITE.view(np.float16).astype(np.float32))
    between = (exact[1:] + exact[:-1]) / 2
    some = np.random.default_rng(0).integers(0, 2**32, 100_000, dtype=np.uint32).view(np.float32)
    numbers = np.concatenate([exact, between, np.nextafter(between, 1), some[np.abs(some) < 65519]])
    numbers = numbers[: len(numbers) // 16 * 16].reshape(-1, 16)
    halves, sums = np.empty(numbers.shape, dtype=np.uint16), np.zeros(16)
    known, wrong = narrow(numbers, halves, sums)
    expected = numbers.astype(np.float16)
    np.testing.assert_array_equal(halves, expected.view(np.uint16))
    np.testing.assert_allclose(sums, expected.sum(axis=0, dtype=np.float64))
    assert (known, wrong) == (np.count_nonzero(expected.any(axis=1)), -1)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 65520.0, -1e30])
def test_what_a_half_does_not_hold_is_found(number: float) -> None:
    numbers = np.ones((5, 8), dtype=np.float32)
    numbers[3, 6] = number
    assert narrow(numbers, np.empty((5, 8), dtype=np.uint16), np.zeros(8)) == (3, 3)


@pytest.mark.parametrize("dimension", [8, 24, 32, 56, 384, 1000])
def test_dot_products(dimension: int) -> None:
    generator = np.random.default_rng(dimension)
    vectors = generator.standard_normal((50, dimension)).astype(np.float16)
    query = generator.standard_normal(dimension).astype(np.float32)
    rows = np.array([0, 7, 49, 50, 2**32 - 1], dtype=np.uint32)
    scores = np.empty(5, dtype=np.float32)
    score_rows(vectors.view(np.uint16), rows, query, scores)
    expected = vectors[rows[:3]].astype(np.float64) @ query.astype(np.float64)
    np.testing.assert_allclose(scores[:3], expected, atol=1e-5 * dimension)
    np.testing.assert_array_equal(scores[3:], [0, 0])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=200), st.integers(1, 30), st.integers(1, 64))
def test_selection_is_sorting(scores: list[int], want: int, piece: int) -> None:
    """Few distinct scores: ties go to the smaller id, however the rows are cut into pieces and the buffer fills."""
    vectors = np.zeros((len(scores), 8), dtype=np.float16)
    vectors[:, 2] = scores
    query = np.eye(8, dtype=np.float32)[2]
    factors = np.ones(len(scores), dtype=np.uint16)
    keys = np.empty(want + 3, dtype=np.uint64)
    count = 0
    for first in range(0, len(scores), piece):
        rows = vectors[first : first + piece].view(np.uint16)
        count = best_rows(rows, first, factors, NONE, query, want, count, keys)
    best = np.sort(keys[:count])[::-1][:want]
    expected = sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:want]
    assert numbers_of(best).tolist() == expected
    assert scores_of(best).tolist() == [scores[i] for i in expected]
