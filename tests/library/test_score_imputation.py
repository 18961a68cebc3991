"""Scores that stand in: they keep their order and the spread of the real ones, so that more vectors never rank worse."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel.library.vectors.score_imputation import fit_line, imputed


@given(st.integers(2, 60), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_means_and_spreads_agree(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    base, own = rng.normal(3, 2, count), rng.normal(0.4, 0.1, count)
    line = fit_line(base, own)
    assert line is not None
    stood = imputed(line, base)
    assert stood.mean() == pytest.approx(own.mean(), abs=1e-4)
    assert stood.std() == pytest.approx(own.std(), rel=1e-3, abs=1e-5)
    assert (np.diff(stood[np.argsort(base, kind="stable")]) >= -1e-6).all()


def test_few_candidates_are_drawn_to_the_librarys_line() -> None:
    prior = (2.0, 1.0, 0.1)
    assert fit_line(np.array([]), np.array([]), prior) == prior
    assert fit_line(np.array([]), np.array([])) is None
    slope, intercept, _ = fit_line(np.array([1.0]), np.array([5.0]), prior) or prior
    assert (slope, intercept) == (2.0, 2.0)
    x = np.linspace(0, 1, 1000)
    slope, intercept, _ = fit_line(x, 5 * x - 1, prior) or prior
    assert slope == pytest.approx(5, rel=0.02)
    assert intercept == pytest.approx(-1, abs=0.05)
    slope, _, _ = fit_line(x[[400, 600]], (5 * x - 1)[[400, 600]], prior) or prior
    assert 2 < slope < 4


def test_half_filled_ranks_between_none_and_all() -> None:
    """Relevance seen through two noisy scores, the second the better one: quality rises with what is filled."""
    rng = np.random.default_rng(5)
    share_found = {share: [] for share in (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)}
    for _ in range(150):
        relevance = rng.normal(size=400)
        base, own = relevance + rng.normal(0, 1.0, 400), 0.2 * (relevance + rng.normal(0, 0.5, 400))
        order, wanted = rng.permutation(400), set(np.argsort(-relevance)[:10].tolist())
        best = np.argsort(-base)[:100]
        for share, found in share_found.items():
            filled = np.zeros(400, bool)
            filled[order[: round(share * 400)]] = True
            line = fit_line(base[best][filled[best]], own[best][filled[best]]) or (1.0, 0.0, 0.0)
            scores = np.where(filled, own, imputed(line, base))
            found.append(len(wanted & set(np.argsort(-scores)[:10].tolist())) / 10)
    means = [float(np.mean(found)) for found in share_found.values()]
    assert all(after > before - 0.01 for before, after in pairwise(means))
    assert means[-1] > means[0] + 0.1
