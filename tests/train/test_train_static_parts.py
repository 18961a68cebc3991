"""The parts of training a static model: bags and their sums, gradients, new words, drawn passages, the rule of safety."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bookwheel
from bookwheel.encode.find import BUILT_IN_MODELS
from bookwheel.encode.static.built_in import load
from bookwheel.kernels.bags import scatter_rows, sum_rows
from bookwheel.train.data.passages import Passages
from bookwheel.train.objectives.contrast import contrast
from bookwheel.train.objectives.imitation import imitation
from bookwheel.train.safety import Change, Verdict
from bookwheel.train.static.bags import Bagger, Bags
from bookwheel.train.static.vocabulary import NewWords, base_vocabulary

ROWS = 7
texts_of_rows = st.lists(st.lists(st.integers(0, ROWS - 1), max_size=9), min_size=1, max_size=6)


def bags_of(lists: list[list[int]]) -> Bags:
    indptr = np.cumsum([0, *map(len, lists)]).astype(np.int64)
    rows = np.array([row for some in lists for row in some], np.int32)
    return Bags(indptr, rows, np.ones(len(rows), np.float32))


def matrix(bags: Bags) -> np.ndarray:
    out = np.zeros((len(bags), ROWS), np.float32)
    for i in range(len(bags)):
        for at in range(bags.indptr[i], bags.indptr[i + 1]):
            out[i, bags.rows[at]] += bags.counts[at]
    return out


@settings(deadline=None)
@given(texts_of_rows, texts_of_rows)
def test_bags_are_rows_of_a_matrix(first: list[list[int]], second: list[list[int]]) -> None:
    one, other = bags_of(first), bags_of(second)
    factors = np.arange(len(one), dtype=np.float32) - 1
    assert np.array_equal(matrix(one.scaled(factors)), matrix(one) * factors[:, None])
    assert np.array_equal(matrix(Bags.joined([one, other])), np.concatenate([matrix(one), matrix(other)]))
    count = min(len(one), len(other))
    chosen = np.arange(count)[::-1].copy()
    beside = Bags.side_by_side([one.take(chosen), other.take(chosen)])
    assert np.array_equal(matrix(beside), matrix(one)[chosen] + matrix(other)[chosen])


@settings(deadline=None)
@given(texts_of_rows)
def test_sums_and_the_way_back_are_products_with_the_matrix_and_its_transpose(lists: list[list[int]]) -> None:
    bags, draw = bags_of(lists), np.random.default_rng(0)
    vectors = draw.normal(size=(ROWS, 5)).astype(np.float32)
    slopes = draw.normal(size=(len(bags), 5)).astype(np.float32)
    sums, back = np.empty((len(bags), 5), np.float32), np.zeros((ROWS, 5), np.float32)
    sum_rows(bags.indptr, bags.rows, bags.counts, vectors, sums)
    scatter_rows(bags.indptr, bags.rows, bags.counts, slopes, back)
    np.testing.assert_allclose(sums, matrix(bags) @ vectors, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(back, matrix(bags).T @ slopes, rtol=1e-4, atol=1e-4)


def test_sums_skip_rows_that_are_not_there() -> None:
    sums = np.empty((1, 2), np.float32)
    wild = np.array([-1, 0, 99], np.int32)
    sum_rows(np.array([0, 3]), wild, np.ones(3, np.float32), np.ones((2, 2), np.float32), sums)
    assert sums.tolist() == [[1.0, 1.0]]


def units(draw: np.random.Generator, count: int, dimension: int = 6) -> np.ndarray:
    rows = draw.normal(size=(count, dimension))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def slope_of(loss, at: np.ndarray) -> np.ndarray:
    """Central differences, in float64."""
    out = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        step = np.zeros_like(at)
        step[place] = 1e-5
        out[place] = (loss(at + step) - loss(at - step)) / 2e-5
    return out


def test_the_gradients_of_contrast_are_those_of_its_loss() -> None:
    draw = np.random.default_rng(1)
    queries, texts, groups = units(draw, 5), units(draw, 5), np.array([0, 1, 1, 2, 3])
    _, by_query, by_text = contrast(queries, texts, 0.3, groups)
    np.testing.assert_allclose(by_query, slope_of(lambda q: contrast(q, texts, 0.3, groups)[0], queries), atol=1e-6)
    np.testing.assert_allclose(by_text, slope_of(lambda t: contrast(queries, t, 0.3, groups)[0], texts), atol=1e-6)


def test_the_gradient_of_imitation_is_that_of_its_loss() -> None:
    draw = np.random.default_rng(2)
    rows, teacher, target = units(draw, 6), units(draw, 6, 9), units(draw, 6)
    _, gradient = imitation(rows, teacher, target, temperature=0.4)
    np.testing.assert_allclose(gradient, slope_of(lambda u: imitation(u, teacher, target, temperature=0.4)[0], rows), atol=1e-6)


def test_sentences_of_one_document_are_no_negatives_of_each_other() -> None:
    rows = units(np.random.default_rng(3), 2)
    assert contrast(rows, rows, 0.1, np.array([4, 4]))[0] == pytest.approx(0, abs=1e-6)
    assert contrast(rows, rows, 0.1)[0] > 0


def test_new_words_change_no_vector_before_training() -> None:
    encoder = load(BUILT_IN_MODELS["static"])
    base = base_vocabulary(encoder)
    words = NewWords(Bagger(base.pieces), set(base.pieces))
    text = "The magnetohydrodynamic thermosphere and the Zwischenspeicher, magnetohydrodynamic again, of 12 cells."
    for _ in range(3):
        words.add(text)
    chosen = words.chosen(10, 3)
    assert {"magnetohydrodynamic", "zwischenspeicher"} <= set(chosen)
    assert "the" not in chosen
    assert words.chosen(10, 4) == []
    grown = words.extended(base, chosen)
    before, after = (Bagger(one.pieces)([text]) for one in (base, grown))
    assert len(after.rows) < len(before.rows)
    sums = [bag.counts @ one.vectors[bag.rows] for bag, one in ((before, base), (after, grown))]
    np.testing.assert_allclose(sums[0], sums[1], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(sums[0] / np.linalg.norm(sums[0]), encoder.encode([text])[0], atol=1e-5)


def test_drawn_passages_stay_drawn_as_a_library_grows(tmp_path: Path) -> None:
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.add([{"id": str(n), "text": f"text number {n} about something"} for n in range(60)], workers=1)
        before = Passages.drawn(library._snapshot, 20, 5)
        assert Passages.drawn(library._snapshot, 100, 5).total == 60 == len(Passages.drawn(library._snapshot, 100, 5))
        library.add([{"id": str(n), "text": f"text number {n} about something"} for n in range(60, 80)], workers=1)
        after = Passages.drawn(library._snapshot, 20, 5)
    assert len(before) == len(after) == 20
    assert list(before.ids) == sorted(before.ids)
    assert len(set(before.ids.tolist()) & set(after.ids.tolist())) >= 10
    assert set(after.ids[after.ids < 60].tolist()) <= set(before.ids.tolist())


def change(what: str, before: float, after: float, p: float, queries: int = 100) -> Change:
    return Change(what, queries, before, after, 0.0, 0.0, p)


def test_the_rule_of_safety() -> None:
    gain, same = change("vectors", 0.5, 0.6, 0.001), change("with BM25", 0.7, 0.7, 1.0)
    assert Verdict((gain, same)).better
    assert "too small to tell" in Verdict((change("vectors", 0.5, 0.51, 0.3), same)).reason
    assert "no better by with BM25" in Verdict((gain, change("with BM25", 0.7, 0.69, 0.4))).reason
    assert (
        "significantly worse by vectors (german)" in Verdict((gain, same), (change("vectors (german)", 0.5, 0.4, 0.01),)).reason
    )
    assert "only 12 held-out queries" in Verdict((change("vectors", 0.1, 0.9, 0.0, 12),)).reason
    assert not Verdict(()).better
