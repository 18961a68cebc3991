"""Running recipes: against a plain reference, and by the laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tables import Table, run

from bookwheel import RecipeError, UsageError
from bookwheel.rank import NORMALISATIONS, bm25, dense, parse_recipe


def two(seed: int, n: int = 60) -> dict[str, Table]:
    rng = np.random.default_rng(seed)
    lexical = np.where(rng.random(n) < 0.5, 0, rng.gamma(2, 3, n)).round(1)  # many ties, many zeros
    meaning = rng.uniform(-0.2, 0.9, n).round(2)
    ids = rng.permutation(10 * n)[:n]
    return {
        "bm25": Table(dict(zip(ids.tolist(), lexical.tolist(), strict=True)), 0.0, least=0.0),
        "dense": Table(dict(zip(ids.tolist(), meaning.tolist(), strict=True)), -1.0),
    }


def plain_fusion(tables: dict[str, Table], weights: dict[str, float], depth: int, norm: str) -> list[tuple[int, float]]:
    """The definition, with dictionaries and sorted()."""
    lists = {
        name: sorted(((p, s) for p, s in t.scores.items() if s > t.least), key=lambda item: (-item[1], item[0]))[:depth]
        for name, t in tables.items()
    }
    union = {p for found in lists.values() for p, _ in found}
    total = dict.fromkeys(union, 0.0)
    for name, table in tables.items():
        if not lists[name]:
            continue
        scores = {p: table.scores[p] for p in union}
        low, high = min(scores.values()), max(scores.values())
        if norm == "tmm":
            low = table.floor
        mean = sum(scores.values()) / len(scores)
        deviation = math.sqrt(sum((s - mean) ** 2 for s in scores.values()) / len(scores))
        for p, s in scores.items():
            if norm == "zscore":
                value = (s - mean) / deviation if deviation > 1e-9 else 0.0
            else:
                value = (s - low) / (high - low) if high > low else 1.0
            total[p] += weights[name] * value
    return sorted(total.items(), key=lambda item: (-item[1], item[0]))


@pytest.mark.parametrize("norm", sorted(NORMALISATIONS))
@pytest.mark.parametrize("seed", range(4))
def test_fusion_is_the_weighted_sum_of_exact_normalised_scores(seed: int, norm: str) -> None:
    tables = two(seed)
    ranking = run(parse_recipe("0.3*bm25 + 0.7*dense"), tables, k=10, depth=20, normalise=norm)
    expected = plain_fusion(tables, {"bm25": 0.3, "dense": 0.7}, 20, norm)
    scores = dict(expected)
    np.testing.assert_allclose(ranking.hits.scores, [s for _, s in expected[:10]], atol=1e-6)
    np.testing.assert_allclose(ranking.hits.scores, [scores[p] for p in ranking.hits.ids.tolist()], atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(NORMALISATIONS)), st.integers(1, 30), st.integers(1, 30))
def test_a_ranking_is_sorted_explained_and_the_same_either_way_round(seed: int, norm: str, k: int, depth: int) -> None:
    tables = two(seed, 40)
    forth = run(0.4 * bm25 + 0.6 * dense, tables, k, depth, norm)
    back = run(0.6 * dense + 0.4 * bm25, tables, k, depth, norm)
    np.testing.assert_array_equal(forth.hits.ids, back.hits.ids)
    np.testing.assert_array_equal(forth.hits.scores, back.hits.scores)
    assert len(forth) <= k
    order = np.lexsort((forth.hits.ids, -forth.hits.scores))
    assert order.tolist() == list(range(len(forth)))
    np.testing.assert_allclose(sum(forth.parts.values()), forth.hits.scores, atol=1e-5)
    for name, raw in forth.raw.items():
        assert raw.dtype == np.float32
        assert raw.tolist() == [np.float32(tables[name].scores[p]) for p in forth.hits.ids.tolist()]


def test_one_retriever_keeps_its_raw_scores_and_order() -> None:
    tables = two(1)
    alone = run(dense, tables, 7)
    assert tables["dense"].asked == [7]
    expected = tables["dense"].retrieve(7)
    np.testing.assert_array_equal(alone.hits.ids, expected.ids)
    np.testing.assert_array_equal(alone.hits.scores, expected.scores)
    assert list(alone.parts) == list(alone.raw) == ["dense"]
    weighted = run(2 * dense, tables, 7)
    np.testing.assert_array_equal(weighted.hits.ids, expected.ids)
    np.testing.assert_array_equal(weighted.hits.scores, 2 * expected.scores)
    np.testing.assert_array_equal(weighted.raw["dense"], expected.scores)


def test_cut_says_how_many_candidates_a_part_selects() -> None:
    tables = two(2)
    run(parse_recipe("bm25 % 5 + dense"), tables, k=3, depth=9)
    assert tables["bm25"].asked == [5]
    assert tables["dense"].asked == [9]
    run(parse_recipe("bm25 + dense"), tables, k=30, depth=9)
    assert tables["dense"].asked[-1] == 30
    assert len(run(parse_recipe("(bm25 + dense) % 4"), tables, k=10)) == 4
    assert len(run(bm25 % 4, tables, k=10)) == 4
    assert len(run(bm25 % 4, tables, k=2)) == 2


@pytest.mark.parametrize("norm", sorted(NORMALISATIONS))
def test_asking_for_fewer_gives_the_head_of_the_same_ranking(norm: str) -> None:
    tables = two(6)
    recipe = parse_recipe("0.3*bm25 + 0.7*dense")
    many, few = run(recipe, tables, 30, 40, norm), run(recipe, tables, 5, 40, norm)
    np.testing.assert_array_equal(many.hits.ids[:5], few.hits.ids)
    np.testing.assert_array_equal(many.hits.scores[:5], few.hits.scores)


def test_only_missing_scores_are_asked_for() -> None:
    tables = {"bm25": Table({1: 3.0, 2: 2.0, 3: 0.0}, least=0.0), "dense": Table({1: 0.5, 2: 0.1, 3: 0.9}, -1.0)}
    ranking = run(bm25 + dense, tables, 2, depth=2)
    # bm25 selects 1 2, dense 3 1; each is asked for the one passage that it lacks, besides its own list (all that it finds).
    assert ranking.hits.ids.tolist() == [1, 2]
    assert tables["bm25"].scored == 2 + 1
    assert tables["dense"].scored == 3 + 1


def test_a_retriever_that_finds_nothing_contributes_nothing() -> None:
    tables = two(3)
    tables["bm25"] = Table(dict.fromkeys(tables["dense"].scores, 0.0), least=0.0)
    fused, alone = run(bm25 + dense, tables, 10, 30), run(dense, tables, 10)
    np.testing.assert_array_equal(fused.hits.ids, alone.hits.ids)
    assert not fused.parts["bm25"].any()
    tables["dense"] = Table({})
    nothing = run(bm25 + dense, tables, 10)
    assert len(nothing) == 0
    assert nothing.parts["dense"].shape == (0,)
    assert len(run(parse_recipe("(bm25 + dense) % 5 + 2*dense"), tables, 10)) == 0


@pytest.mark.parametrize("norm", sorted(NORMALISATIONS))
def test_nested_fusions_are_normalised_as_one(norm: str) -> None:
    tables = two(4)
    inner = run(parse_recipe("bm25 + dense"), tables, k=60, depth=60, normalise=norm)
    scores = dict(zip(inner.hits.ids.tolist(), inner.hits.scores.tolist(), strict=True))
    assert len(scores) == 60
    tables["inner"] = Table(scores, floor=0.0)
    nested = run(parse_recipe("0.5*((bm25 + dense) % 15) + 0.5*(dense % 20)"), tables, k=10, depth=60, normalise=norm)
    flat = run(parse_recipe("0.5*(inner % 15) + 0.5*(dense % 20)"), tables, k=10, depth=60, normalise=norm)
    np.testing.assert_array_equal(nested.hits.ids, flat.hits.ids)
    np.testing.assert_allclose(nested.hits.scores, flat.hits.scores, atol=1e-5)
    np.testing.assert_allclose(sum(nested.parts.values()), nested.hits.scores, atol=1e-5)
    assert sorted(nested.parts) == ["bm25", "dense"]


def test_equal_scores_are_ordered_by_id() -> None:
    scores = dict.fromkeys([9, 4, 7, 1], 0.5)
    for recipe in (bm25, bm25 + dense, 3 * bm25):
        assert run(recipe, {"bm25": Table(scores), "dense": Table(scores, -1.0)}, 3).hits.ids.tolist() == [1, 4, 7]


@pytest.mark.parametrize(("norm", "best", "worst"), [("minmax", 1.0, 0.0), ("tmm", 1.0, 0.25)])
def test_the_scale_of_the_normalisations(norm: str, best: float, worst: float) -> None:
    tables = {"bm25": Table({1: 8.0, 2: 2.0}), "dense": Table({1: 0.6, 2: 0.6}, -1.0)}
    ranking = run(bm25 + dense, tables, 2, normalise=norm)
    assert ranking.parts["bm25"].tolist() == [best, worst]
    assert ranking.parts["dense"].tolist() == [1.0, 1.0]


def test_what_is_missing_is_told() -> None:
    with pytest.raises(RecipeError, match="available: bm25"):
        run(dense, {"bm25": Table({1: 1.0})}, 1)
    with pytest.raises(UsageError, match="available: minmax"):
        run(bm25 + bm25 % 3, {"bm25": Table({1: 1.0})}, 1, normalise="softmax")
