"""The laws of the recipe algebra with stages, on text and on rankings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bookwheel
from bookwheel import Document, RecipeError
from bookwheel.library.search_options import SearchOptions
from bookwheel.rank import Pipe, Recipe, Retrieve, parse_recipe, validate
from bookwheel.rank.stages import find_stage, stage_names
from bookwheel.rank.stages.arguments import make_stage
from bookwheel.rank.stages.parameters import signature

quick = settings(max_examples=60, deadline=None)
WEIGHTS = st.sampled_from([0.1, 0.25, 0.5, 1, 2, 3.5])
CUTS = st.integers(1, 300)


def stage(name: str, **named: object) -> Recipe:
    kind = find_stage(name)
    assert kind is not None
    return make_stage(kind, (), named)


RETRIEVERS = st.sampled_from(["bm25", "dense"]).map(Retrieve)
QUERY_STAGES = st.one_of(
    st.builds(lambda d, t: stage("rm3", docs=d, terms=t), st.integers(1, 20), st.integers(1, 20)),
    st.builds(lambda d: stage("vector_feedback", docs=d), st.integers(1, 9)),
    st.just(stage("rocchio")),
)
HITS_STAGES = st.one_of(
    st.builds(lambda b: stage("mmr", balance=b), st.sampled_from([0.0, 0.5, 1.0])),
    st.builds(lambda w: stage("interpolate", by=Retrieve("dense"), weight=w), st.sampled_from([0.2, 0.5])),
    st.just(stage("fold")),
)
RANKINGS: st.SearchStrategy[Recipe] = st.recursive(
    RETRIEVERS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1]),
        st.tuples(WEIGHTS, inner).map(lambda pair: pair[0] * pair[1]),
        st.tuples(inner, CUTS).map(lambda pair: pair[0] % pair[1]),
        st.tuples(inner, HITS_STAGES).map(lambda pair: pair[0] >> pair[1]),
        st.tuples(inner, QUERY_STAGES, RETRIEVERS).map(lambda three: three[0] >> three[1] >> three[2]),
    ),
    max_leaves=4,
)
PARTS = st.one_of(RANKINGS, QUERY_STAGES, HITS_STAGES)


@quick
@given(PARTS, PARTS, PARTS)
def test_going_on_associates(a: Recipe, b: Recipe, c: Recipe) -> None:
    assert (a >> b) >> c == a >> (b >> c)
    assert hash((a >> b) >> c) == hash(a >> (b >> c))


@quick
@given(RANKINGS)
def test_text_is_read_back(recipe: Recipe) -> None:
    again = parse_recipe(str(recipe))
    assert again == recipe
    assert str(again) == str(recipe)


@quick
@given(RANKINGS, RANKINGS, RANKINGS)
def test_fusion_commutes_and_associates_over_pipes(a: Recipe, b: Recipe, c: Recipe) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert 2 * (a + b) == 2 * a + 2 * b
    assert a + a == 2 * a


@quick
@given(RANKINGS, HITS_STAGES, WEIGHTS, CUTS, CUTS)
def test_cuts_and_weights_belong_to_the_last_part(a: Recipe, b: Recipe, w: float, m: int, n: int) -> None:
    assert (a >> b) % m == a >> b % m
    assert (a >> b) % m % n == (a >> b) % min(m, n)
    assert w * (a >> b) == a >> w * b


def test_every_stage_is_read_back_with_its_defaults() -> None:
    assert {"rm3", "mmr", "rrf", "interpolate", "spell", "syntax"} <= set(stage_names())
    for name in stage_names():
        kind = find_stage(name)
        assert kind is not None, f"{name}.py holds no stage called {name}"
        assert kind.name == name
        assert kind.summary
        assert kind.source
        assert kind.cost
        assert signature(kind).startswith(f"{name}(")


# -- on a library ----------------------------------------------------------------------------------------------------------

WORDS = [
    "heron", "bittern", "reeds", "water", "fish", "marsh", "river", "bird", "wading", "shallow",
    "spring", "nest", "eggs", "storm", "wind", "cloud", "rain", "hail", "snow", "ice",
]  # fmt: skip


@pytest.fixture(scope="module")
def birds(tmp_path_factory: pytest.TempPathFactory) -> bookwheel.Library:
    dice = np.random.default_rng(5)
    library = bookwheel.open(
        Path(tmp_path_factory.mktemp("laws")) / "library", create=True, unit="document", language="english"
    )
    # Words of decreasing frequency, so that there are common and rare ones.
    shares = 1 / np.arange(1, len(WORDS) + 1)
    texts = [" ".join(dice.choice(WORDS, size=int(dice.integers(5, 40)), p=shares / shares.sum())) for _ in range(120)]
    library.add([Document(id=str(number), text=text) for number, text in enumerate(texts)])
    return library


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    recipe=RANKINGS, k=st.integers(1, 30), query=st.sampled_from(["heron in the reeds", "hail ice", "wading bird", "nothing"])
)
def test_rankings_are_sorted_bounded_and_the_same_from_text_and_in_company(
    birds: bookwheel.Library, recipe: Recipe, k: int, query: str
) -> None:
    try:
        validate(recipe, {"bm25", "dense"})
    except RecipeError:
        return
    ranking = birds._searcher.rank(query, SearchOptions(k, recipe=recipe))
    hits = ranking.hits
    assert len(hits) <= k
    assert len(np.unique(hits.ids)) == len(hits)
    assert np.all(np.diff(hits.scores) <= 0)
    again = birds.rank(query, k, recipe=str(recipe))
    np.testing.assert_array_equal(again.ids, hits.ids)
    np.testing.assert_array_equal(again.scores, hits.scores)
    if ranking.parts:
        np.testing.assert_allclose(sum(ranking.parts.values()), hits.scores, atol=1e-4)
    (together,) = birds.rank_recipes([query], [recipe, "bm25", recipe, "hybrid", "bm25 >> rm3() >> bm25"], k)
    for at in (0, 2):
        np.testing.assert_array_equal(together[at].hits.ids, hits.ids)
        np.testing.assert_array_equal(together[at].hits.scores, hits.scores)
    traced = birds.explain(query, k, recipe=recipe)
    np.testing.assert_array_equal(traced.hits.ids, hits.ids)
    assert traced.trace is not None
    assert all(stage.seconds >= 0 for stage in traced.trace.stages)


def test_a_pipe_is_flat() -> None:
    recipe = parse_recipe("bm25 >> (rm3() >> (bm25 >> mmr()))")
    assert isinstance(recipe, Pipe)
    assert len(recipe.parts) == 4
