"""Recipes on the command line: kept, explained, and the stages' own times after a search."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_helpers import Bookwheel


@pytest.fixture
def birds(tmp_path: Path, bookwheel: Bookwheel) -> Path:
    folder = tmp_path / "birds"
    folder.mkdir()
    (folder / "heron.txt").write_text("The grey heron stands in shallow water, waiting for fish.")
    (folder / "stork.txt").write_text("The white stork is a wading bird that nests on chimneys.")
    (folder / "storm.txt").write_text("A storm brought hail; the wind broke the reeds.")
    library = tmp_path / "library"
    assert bookwheel("index", folder, "--library", library, "--language", "english").code == 0
    return library


def test_explain_draws_each_stage(bookwheel: Bookwheel) -> None:
    done = bookwheel("explain", "bm25 >> rm3(docs=3) >> 0.5*bm25 + 0.5*dense >> fold()")
    assert done.code == 0
    assert done.out.startswith("bm25 >> rm3(docs=3) >> (0.5*bm25 + 0.5*dense) >> fold()\n")
    for line in ("query and hits -> query: adds the words", "  dense\n", "needs texts", "query and hits -> hits: leaves out"):
        assert line in done.out
    told = json.loads(bookwheel("explain", "rrf(bm25, dense)", "--json").out)
    assert [stage["text"] for stage in told["stages"]] == ["rrf(bm25, dense)", "bm25", "dense"]


@pytest.mark.parametrize("recipe", ["bm25 >> rm3()", "rm3() >> bm25", "bm25 >> dense", "bm25 >> nosuch()", "bm25 >> rm3(x=1)"])
def test_explain_places_mistakes(bookwheel: Bookwheel, recipe: str) -> None:
    done = bookwheel("explain", recipe)
    assert done.code == 2
    assert "recipe, column" in done.err
    assert "^" in done.err


def test_explain_checks_against_a_library(bookwheel: Bookwheel, birds: Path) -> None:
    assert bookwheel("explain", "minilm", "--library", birds).code == 2
    assert bookwheel("explain", "minilm").code == 0
    assert bookwheel("explain", "hybrid", "--library", birds).code == 0


def test_recipes_are_saved_and_removed(bookwheel: Bookwheel, birds: Path) -> None:
    assert bookwheel("recipes", "--save", "mine", "bm25 >> fold()", "--library", birds).code == 0
    assert "mine" in bookwheel("recipes", "--library", birds).out
    found = bookwheel("search", "stork", "--recipe", "mine", "--library", birds)
    assert found.code == 0
    assert "stork" in found.out
    assert bookwheel("configure", "--recipe", "mine", "--library", birds).code == 0
    assert bookwheel("search", "stork", "--library", birds).code == 0
    assert bookwheel("configure", "--recipe", "hybrid", "--library", birds).code == 0
    assert bookwheel("recipes", "--remove", "mine", "--library", birds).code == 0
    assert bookwheel("search", "stork", "--recipe", "mine", "--library", birds).code == 2
    for wrong in (
        ["--save", "mine", "bm25"],
        ["--save", "mine", "--library", birds],
        ["--save", "bm25", "dense", "--library", birds],
        ["--remove", "mine", "--library", birds],
        ["--save", "mine", "nosuch", "--library", birds],
    ):
        assert bookwheel("recipes", *wrong).code == 2


def test_what_is_saved_and_removed_is_told_as_json(bookwheel: Bookwheel, birds: Path) -> None:
    at = ["--library", birds, "--json"]
    assert bookwheel("recipes", "--save", "mine", "bm25", *at).json == {"recipe": "bm25", "retrievers": ["bm25"]}
    both = bookwheel("recipes", "--remove", "mine", "--save", "ours", "mine % 5", *at)
    assert both.json == {"recipe": "bm25 % 5", "retrievers": ["bm25"], "removed": "mine"}
    assert bookwheel("recipes", "--remove", "ours", *at).json == {"removed": "ours"}


@pytest.mark.parametrize("change", [["theirs", "bm25 >> nosuch()"], ["theirs", "nosuch"], ["bm25", "dense"]])
def test_a_wrong_recipe_removes_none(bookwheel: Bookwheel, birds: Path, change: list[str]) -> None:
    at = ["--library", birds]
    assert bookwheel("recipes", "--save", "mine", "bm25 >> fold()", *at).code == 0
    assert bookwheel("recipes", "--remove", "mine", "--save", *change, *at).code == 2
    assert "bm25 >> fold()" in bookwheel("recipes", *at).out
    assert bookwheel("recipes", "--remove", "nosuch", "--save", "theirs", "bm25", *at).code == 2
    assert "theirs" not in bookwheel("recipes", *at).out
    assert bookwheel("recipes", "--remove", "mine", "--save", "mine", "bm25 % 7", *at).code == 0
    assert "bm25 % 7" in bookwheel("recipes", *at).out


def test_a_default_that_needs_a_saved_recipe_or_not(bookwheel: Bookwheel, birds: Path) -> None:
    at = ["--library", birds]
    assert bookwheel("recipes", "--save", "mine", "0.3*bm25 + 0.7*dense", *at).code == 0
    assert bookwheel("configure", "--recipe", "mine", *at, "--json").json["recipe"] == "0.3*bm25 + 0.7*dense"
    before = bookwheel("search", "bird", "--json", *at).json["results"]
    assert bookwheel("recipes", "--remove", "mine", *at).code == 0
    assert bookwheel("search", "bird", "--json", *at).json["results"] == before


def test_recipes_lists_the_stages(bookwheel: Bookwheel) -> None:
    assert "rm3(docs=10, terms=10, weight=0.8)" in bookwheel("recipes").out
    told = json.loads(bookwheel("recipes", "--json").out)
    assert {"bm25", "dense", "hybrid"} <= {recipe["name"] for recipe in told["recipes"]}
    assert any(stage["stage"].startswith("mmr(") for stage in told["stages"])


def test_search_explains_its_stages(bookwheel: Bookwheel, birds: Path) -> None:
    done = bookwheel("search", "stork", "--recipe", "bm25 % 2 >> rm3(docs=1) >> hybrid", "--explain", "--library", birds)
    assert done.code == 0
    table = done.out[done.out.index("hits in") :]
    for stage in ("bm25", "rm3(docs=1)", "fuse", "dense", "the rest"):
        assert stage in table
    told = json.loads(bookwheel("search", "stork", "--explain", "--json", "--library", birds).out)
    assert [stage["recipe"] for stage in told["stages"]] == ["fuse", "bm25", "dense"]
    assert all(stage["seconds"] >= 0 for stage in told["stages"])


def test_syntax_spelling_and_follow_ups(bookwheel: Bookwheel, birds: Path) -> None:
    excluded = bookwheel("search", "--syntax", "wading bird -stork", "--library", birds, "--json")
    assert all(result["title"] != "stork" for result in json.loads(excluded.out or '{"results": []}')["results"])
    phrase = json.loads(bookwheel("search", "--syntax", '"shallow water"', "--library", birds, "--json").out)
    assert len(phrase["results"]) == 1
    assert bookwheel("search", "--syntax", '"water shallow"', "--library", birds).code == 1
    corrected = bookwheel("search", "--spell", "herno", "--recipe", "bm25", "--library", birds)
    assert corrected.code == 0
    assert "spelling: herno → heron" in corrected.err
    follow = bookwheel("search", "--after", "the white stork", "where does it nest", "--recipe", "bm25", "--library", birds)
    assert follow.code == 0
    assert "from earlier questions: white stork" in follow.err
    # Without the option, signs are plain text.
    plain = json.loads(bookwheel("search", "bird -stork", "--recipe", "bm25", "--library", birds, "--json").out)
    assert "stork" in plain["results"][0]["text"]
