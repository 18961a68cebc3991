"""`bookwheel.stages`: every stage as a typed class, and the registry that finds a stage by its file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bookwheel
from bookwheel import Document, RecipeError, parse_recipe, stages
from bookwheel.rank.stages import find_stage, rerank, stage_names
from bookwheel.rank.stages.base import Stage
from bookwheel.stages import Interpolate, Mmr, Normalised, Retrieve, Rm3, Rrf, bm25, dense


def test_the_module_has_every_stage_of_the_registry() -> None:
    classes = [value for name in stages.__all__ if isinstance(value := getattr(stages, name), type)]
    found = {kind.name: kind for kind in classes if issubclass(kind, Stage) and kind.name}
    assert found == {name: find_stage(name) for name in stage_names()}


@pytest.mark.parametrize(
    ("recipe", "text"),
    [
        (bm25 >> Rm3() >> bm25 + dense, "bm25 >> rm3() >> bm25 + dense"),
        (bm25 >> Rm3(docs=5, weight=1) >> bm25, "bm25 >> rm3(docs=5, weight=1.0) >> bm25"),
        (Rrf((bm25, Retrieve("minilm")), k=10), "rrf(bm25, minilm, k=10)"),
        (0.4 * bm25 + 0.6 * dense >> Mmr(), "0.4*bm25 + 0.6*dense >> mmr()"),
        (bm25 % 100 >> stages.Guard(Rm3(), above=1) >> bm25, "bm25 % 100 >> guard(rm3(), above=1) >> bm25"),
    ],
)
def test_classes_make_the_recipes_of_the_text_form(recipe: stages.Recipe, text: str) -> None:
    assert recipe == parse_recipe(text)
    assert str(recipe) == str(parse_recipe(text))


def test_a_class_refuses_what_the_text_form_refuses() -> None:
    for wrong, words in (
        (lambda: Rm3(docs=0), "docs must be a whole number from 1 to 1000, not 0"),
        (lambda: Rm3(docs="ten"), "docs of rm3 must be a whole number, not 'ten'; it is written rm3(docs=10"),  # type: ignore[arg-type]
        (lambda: Rm3(weight=True), "weight of rm3 must be a number, not True"),
        (lambda: Normalised("bm25"), "recipe of normalised must be a recipe"),  # type: ignore[arg-type]
        (lambda: Normalised(Rm3()), "gives a query"),
        (lambda: Interpolate(bm25 + dense), "by one retriever"),
        (lambda: Rrf(()), "takes one recipe or more"),
        (lambda: Rrf(bm25), "takes one recipe or more"),  # type: ignore[arg-type]
        (lambda: stages.Guard(bm25), "stage of guard must be a feedback stage"),  # type: ignore[arg-type]
        (lambda: Mmr(on='a"b'), "may not contain quotes"),
    ):
        with pytest.raises(RecipeError) as caught:
            wrong()
        assert words in str(caught.value)


def test_importing_it_loads_nothing_heavy(python: str, child_environment: dict[str, str]) -> None:
    code = "import sys, bookwheel.stages; print([m for m in ('numba', 'torch', 'onnxruntime', 'httpx') if m in sys.modules])"
    done = subprocess.run([python, "-c", code], env=child_environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- a new stage ---------------------------------------------------------------------------------------------------------


FILE = '''
from dataclasses import dataclass

from bookwheel.hits import Hits
from bookwheel.rank.stages.base import Rerank


@dataclass(frozen=True, slots=True)
class Reversed(Rerank):
    """The last first."""

    name = "reversed"
    summary = "puts the last hit first"

    hits: int = 10

    def depth(self, want):
        return self.hits

    def rerank(self, context, query, hits, want):
        return Hits.ranked(hits.ids, -hits.scores)
'''


@pytest.fixture
def new_stage(tmp_path: Path) -> Iterator[None]:
    """A stage whose one file lies in a folder that belongs to the package, as if it had been put there."""
    (tmp_path / "reversed.py").write_text(FILE)
    registry = sys.modules["bookwheel.rank.stages.registry"]
    caches = (registry._folders, registry.stage_names, registry.find_stage)
    rerank.__path__.append(str(tmp_path))
    for cache in caches:
        cache.cache_clear()
    yield
    rerank.__path__.remove(str(tmp_path))
    sys.modules.pop("bookwheel.rank.stages.rerank.reversed", None)
    for cache in caches:
        cache.cache_clear()


def test_a_new_stage_is_one_file(new_stage: None, tmp_path: Path) -> None:
    assert "reversed" in stage_names()
    assert str(parse_recipe("bm25 >> reversed(3)")) == "bm25 >> reversed(hits=3)"
    with pytest.raises(RecipeError, match=r"it is written reversed\(hits=10\)"):
        parse_recipe("bm25 >> reversed(hist=3)")
    library = bookwheel.open(tmp_path / "library", create=True, language="english", encoder=None)
    library.add([Document(id=str(n), text=f"heron {'water ' * n}") for n in range(5)])
    plain = library.rank("heron", recipe="bm25").ids.tolist()
    assert library.rank("heron", recipe="bm25 >> reversed()").ids.tolist() == plain[::-1]
