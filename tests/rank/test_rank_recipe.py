"""The algebra of recipes: its laws, its text form, and what a mistake is told."""

from __future__ import annotations

from functools import reduce
from operator import add

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel import RecipeError
from bookwheel.rank import RECIPES, Cut, Fuse, Recipe, Retrieve, bm25, dense, parse_recipe, validate
from bookwheel.rank.recipe import MAX_CUT, MAX_TEXT

NAMES = st.sampled_from(["bm25", "dense", "splade", "x1", "_a"])
WEIGHTS = st.one_of(
    st.sampled_from([0.1, 0.2, 0.3, 0.7, 1, 2, 1.0, 10]), st.floats(0.01, 50, allow_nan=False).map(lambda w: round(w, 6))
)
CUTS = st.integers(1, 2000)
RECIPES_ANY: st.SearchStrategy[Recipe] = st.recursive(
    NAMES.map(Retrieve),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1]),
        st.tuples(WEIGHTS, inner).map(lambda pair: pair[0] * pair[1]),
        st.tuples(inner, CUTS).map(lambda pair: pair[0] % pair[1]),
    ),
    max_leaves=6,
)
quick = settings(max_examples=60, deadline=None)


@quick
@given(RECIPES_ANY)
def test_text_form_is_read_back_to_an_equal_recipe(recipe: Recipe) -> None:
    again = parse_recipe(str(recipe))
    assert again == recipe
    assert hash(again) == hash(recipe)
    assert str(again) == str(recipe)


@quick
@given(RECIPES_ANY, RECIPES_ANY, RECIPES_ANY)
def test_fusion_commutes_and_associates(a: Recipe, b: Recipe, c: Recipe) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)


@quick
@given(RECIPES_ANY, RECIPES_ANY, WEIGHTS)
def test_weights_distribute_over_fusion(a: Recipe, b: Recipe, w: float) -> None:
    assert w * (a + b) == w * a + w * b
    assert 1 * a == a == a * 1.0
    assert a + a == 2 * a
    assert w * a == a * w


@quick
@given(RECIPES_ANY, CUTS, CUTS)
def test_cut_is_idempotent(a: Recipe, m: int, n: int) -> None:
    assert a % m % n == a % min(m, n)
    assert a % m % m == a % m


@given(WEIGHTS, CUTS)
@quick
def test_weight_and_cut_of_one_retriever_commute(w: float, n: int) -> None:
    assert (w * bm25) % n == w * (bm25 % n)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("bm25", "bm25"),
        (" dense +\n  bm25 ", "bm25 + dense"),
        ("0.60*dense+0.4*bm25", "0.4*bm25 + 0.6*dense"),
        ("0.1*bm25 + 0.2*bm25", "0.3*bm25"),
        ("bm25*5e-1 + dense*1_000", "0.5*bm25 + 1000*dense"),
        ("2*0.5*bm25", "bm25"),
        ("0.5*bm25 % 100", "0.5*(bm25 % 100)"),
        ("(bm25 % 1000 + dense % 1000) % 20", "(bm25 % 1000 + dense % 1000) % 20"),
        ("bm25 % 10 + bm25 % 20", "bm25 % 10 + bm25 % 20"),
        ("2*(bm25 + 3*dense)", "2*bm25 + 6*dense"),
        ("0.3*((bm25 + dense) % 5)", "0.3*((bm25 + dense) % 5)"),
        ("hybrid % 20", f"({parse_recipe('hybrid')}) % 20"),
        ("bm25 % 3*(2)", "2*(bm25 % 3)"),
    ],
)
def test_canonical_text(text: str, canonical: str) -> None:
    assert str(parse_recipe(text)) == canonical


def test_python_and_text_forms_are_the_same() -> None:
    assert parse_recipe("0.4*bm25 + 0.6*dense") == 0.4 * bm25 + 0.6 * dense
    assert parse_recipe("(bm25 % 1000 + dense) % 20") == (bm25 % 1000 + dense) % 20
    assert parse_recipe("bm25 % 1000") == Cut(bm25, 1000)
    fused = parse_recipe("dense + bm25")
    assert isinstance(fused, Fuse)
    assert [term.recipe for term in fused.terms] == [bm25, dense]
    assert parse_recipe(fused) is fused


def test_retrievers_are_named_once() -> None:
    assert parse_recipe("(bm25 % 5 + dense) % 3 + bm25").retrievers() == ("bm25", "dense")


def test_named_recipes_read_and_need_what_there_is() -> None:
    for name, (text, description) in RECIPES.items():
        assert parse_recipe(name) == parse_recipe(text)
        validate(parse_recipe(name), {"bm25", "dense"})
        assert description
        assert "\n" not in description


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("bm25 << dense", 6, "'<<'"),
        ("bm25 +", 7, "too early"),
        ("0.4 bm25", 5, "expected a recipe such as"),
        ("(bm25", 1, "never closed"),
        ("bm25 - dense", 6, "'-'"),
        ("bm25 / 2", 6, "multiply"),
        ("(bm25) | (dense)", 8, "'|'"),
        ("bm25 >> nostage(docs=10)", 9, "'nostage(…)'"),
        ("bm25 * dense", 6, "by a number"),
        ("0.5", 1, "weighs a retriever"),
        ("bm25 + 0.5", 8, "expected a retriever"),
        ("bm25 % 2.5", 8, "whole number"),
        ("bm25 % dense", 8, "whole number"),
        ("bm25 % 0", 8, "from 1 to"),
        (f"bm25 % {MAX_CUT + 1}", 8, "from 1 to"),
        ("-1*bm25", 1, "positive"),
        ("0*bm25", 1, "positive"),
        ("dense + 1e999999999*bm25", 9, "too large"),
        ("1e-999999999*bm25", 1, "positive"),
        ("0.0000001*bm25", 1, "from 0.000001"),
        ("0x10*bm25", 1, "decimal"),
        ("1j*bm25", 1, "expected a retriever's name"),
        ("'bm25'", 1, "expected a retriever's name"),
        ("bm25.x", 1, "expected a retriever's name"),
        ("bm25 if 1 else dense", 1, "expected a retriever's name"),
        ("[bm25 for bm25 in dense]", 1, "expected a retriever's name"),
        ("__import__('os').system('true')", 1, "expected a retriever's name"),
        ("dense # bm25", 7, "'#'"),
        ("bm25 + ünï", 8, "cannot name a retriever"),
        ("ünï*'é' + bm25", 1, "cannot name a retriever"),
        ("bm25\x00", 5, "not allowed"),
    ],
)
def test_mistakes_are_placed(text: str, column: int, words: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text)
    sentence, shown, mark = str(caught.value).split("\n")
    assert sentence.startswith(f"recipe, column {column}: ")
    assert words in sentence
    if len(text) < 60:
        assert mark.index("^") == column + 1  # both lines are indented by two
        assert shown[2:].rstrip() == text.replace("\x00", "?").rstrip()


@pytest.mark.parametrize("text", ["", "  \n", "(" * 300, "bm25+" * MAX_TEXT, "-" * 4000, "bm25" + "+bm25" * 800, "\ud800"])
def test_hopeless_texts_are_refused_in_words(text: str) -> None:
    with pytest.raises(RecipeError):
        parse_recipe(text)


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("bm25 dense+*%()0.9e>-_,:'\"[]\\\n#é"), max_size=30))
def test_any_text_is_a_recipe_or_a_recipe_error(text: str) -> None:
    try:
        recipe = parse_recipe(text)
    except RecipeError:
        return
    assert parse_recipe(str(recipe)) == recipe


def many(n: int) -> Recipe:
    return reduce(add, (Retrieve(f"r{i}") for i in range(n)))


def deep(n: int) -> Recipe:
    return reduce(lambda recipe, k: (recipe + dense) % k, range(n, 0, -1), bm25)


def test_too_many_or_too_deep_parts() -> None:
    assert len(many(64).retrievers()) == 64
    with pytest.raises(RecipeError, match="at most 64"):
        many(65)
    assert parse_recipe(str(deep(6))) == deep(6)
    with pytest.raises(RecipeError, match="nested at most"):
        deep(20)


@pytest.mark.parametrize("weight", [0, -1, float("nan"), float("inf"), 1e7, 1e-7, True])
def test_weights_are_positive_and_finite(weight: float) -> None:
    with pytest.raises(RecipeError, match="weight"):
        weight * bm25


@pytest.mark.parametrize("k", [0, -1, 2.0, True, "3", MAX_CUT + 1])
def test_cuts_are_whole_numbers(k: int) -> None:
    with pytest.raises(RecipeError, match="whole number"):
        bm25 % k


def test_other_operands_are_type_errors() -> None:
    for wrong in (lambda: bm25 + 1, lambda: bm25 * dense, lambda: "x" * bm25):  # type: ignore[operator]
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(TypeError):
        bm25 >> 3  # type: ignore[operator]
    with pytest.raises(RecipeError, match="cannot name"):
        Retrieve("not a name")


def test_check_names_all_that_is_missing_and_what_there_is() -> None:
    validate(parse_recipe("bm25 + dense"), {"bm25", "dense"})
    with pytest.raises(RecipeError) as caught:
        validate(parse_recipe("0.5*densee + bm52 % 10"), {"bm25", "dense"})
    message = str(caught.value)
    assert "'bm52' or 'densee'" in message
    assert "did you mean 'bm25' and 'dense'?" in message
    assert "available: bm25, dense" in message
    with pytest.raises(RecipeError, match="available: bm25"):
        validate(dense, {"bm25"})
    with pytest.raises(RecipeError, match="nothing is available"):
        validate(dense, set())
