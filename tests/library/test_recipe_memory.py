"""The models that a recipe's stages load are part of the budget of a search: they fit, or it is refused with the numbers."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import bookwheel
from bookwheel import BudgetError, Document
from bookwheel.cli.main import main
from bookwheel.library.recipe_needs import TORCH, model_bytes, models_of, representations_of
from bookwheel.rank import parse_recipe

MB = 1 << 20


@pytest.fixture
def library(tmp_path: Path) -> Path:
    with bookwheel.open(tmp_path / "l", create=True, language="english") as made:
        made.add([Document("a", "The heron stands in shallow water."), Document("b", "The stork eats frogs.")])
    return tmp_path / "l"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with weights of 600 MB, which take no room on the disk."""
    folder = tmp_path / "model"
    folder.mkdir()
    with (folder / "model.safetensors").open("wb") as file:
        file.truncate(600 * MB)
    return folder


@pytest.mark.parametrize(
    "recipe", ['bm25 >> cross(2, model="{}")', 'bm25 >> listwise(2, model="{}")', 'rewrite("{}") >> bm25 + dense']
)
def test_a_model_that_does_not_fit_is_refused_with_the_numbers(library: Path, model: Path, recipe: str) -> None:
    with bookwheel.open(library, ram="256MB") as opened:
        with pytest.raises(BudgetError, match=r"needs .* but the budget is 256 MB .*models of the recipe \d.*give --ram \d+MB"):
            opened.search("heron", 2, recipe=recipe.format(model))
        assert [result.id for result in opened.search("heron", 1, recipe="bm25")] == ["a"]  # it was not loaded


def test_the_command_says_so(library: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = f'bm25 >> cross(2, model="{model}")'
    assert main(["search", "heron", "--library", str(library), "--ram", "256MB", "--recipe", recipe]) == 3
    assert "models of the recipe" in capsys.readouterr().err


def test_each_model_counts_once_and_one_on_a_server_not_at_all(model: Path, tmp_path: Path) -> None:
    recipe = parse_recipe(f'rewrite("{model}") >> bm25 >> listwise(2, model="{model}") >> cross(2, model="{model}")')
    found = model_bytes(models_of(recipe))
    assert sorted(map(str, found)) == sorted(
        map(str, [("model", "cross", str(model)), ("model", "language", str(model)), "torch"])
    )
    assert sum(found.values()) > 1200 * MB + TORCH
    assert model_bytes(models_of(parse_recipe('rewrite("http://127.0.0.1:9/v1#m") >> bm25'))) == {}
    assert model_bytes([("cross", str(tmp_path / "missing"))]) == {}  # told when it is asked


def test_shards_of_one_model_are_added_up(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"model-0000{number}-of-00002.safetensors").write_bytes(b"x" * MB)
    (tmp_path / "adapter.safetensors").write_bytes(b"x" * MB)
    assert 2 * MB <= model_bytes([("language", str(tmp_path))])["model", "language", str(tmp_path)] < 2 * MB + 100 * MB


def test_what_stages_read_counts_as_used() -> None:
    kinds = {"bm25": "sparse", "dense": "dense", "colbert": "tokens"}
    assert representations_of(parse_recipe("bm25 >> late(10)"), kinds) == {"bm25", "colbert"}
    assert representations_of(parse_recipe("bm25 >> late(10)"), {**kinds, "other": "tokens"}) == {"bm25"}
    assert representations_of(parse_recipe('bm25 >> mmr(hits=10, on="dense")'), kinds) == {"bm25", "dense"}


def test_a_folder_of_anything_is_not_walked(tmp_path: Path) -> None:
    """Recipes come with libraries of strangers: one may name the whole disk."""
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c" / "model.safetensors").write_bytes(b"x" * MB)
    assert model_bytes([("language", str(tmp_path))])["model", "language", str(tmp_path)] < 100 * MB
    began = time.process_time()
    model_bytes([("cross", "/"), ("language", "/")])
    assert time.process_time() - began < 2
