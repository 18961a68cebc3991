"""The recipe of searches that name none is run as it was chosen, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import bookwheel
from bookwheel import Library, RecipeError, UsageError
from bookwheel.library.writer import Writer
from bookwheel.rank import parse_recipe

TEXTS = ["The cat sleeps.", "Kittens and other felines purr.", "A dog barks at the postman.", "Rain fell on the roof."]
QUERY = "cat"


def made(path: Path, **settings: object) -> Library:
    library = bookwheel.open(path, create=True, language="english", **settings)
    library.add(TEXTS)
    return library


def written(library: Library, recipe: str) -> Library:
    """The library with a default that nobody checked, as libraries of before have them."""
    with Writer(library.path) as writer:
        writer.configure(writer.manifest.settings.change(recipe=recipe))
    return bookwheel.open(library.path)


def parts(library: Library) -> set[str]:
    return {name for result in library.search(QUERY) for name in result.parts}


def letters(texts: Sequence[str]) -> NDArray[np.float32]:
    """Vectors that count the letters of texts."""
    return np.array([[text.lower().count(chr(97 + at)) for at in range(26)] for text in texts], np.float32)


def test_a_default_is_kept_in_full(tmp_path: Path) -> None:
    library = made(tmp_path / "x")
    library.save_recipe("mine", "0.3*bm25 + 0.7*dense")
    library.configure(recipe="mine")
    assert library.settings.recipe == "0.3*bm25 + 0.7*dense"
    library.save_recipe("mine", "bm25")
    library.remove_recipe("mine")
    assert parts(library) == {"bm25", "dense"}, "the default is what was chosen, whatever becomes of the name"
    library.configure(recipe=" bm25  +  dense ")
    assert library.settings.recipe == " bm25  +  dense ", "a text without saved names stays as it was given"
    library.configure(recipe=parse_recipe("bm25"))
    assert library.settings.recipe == "bm25"


def test_a_word_of_a_path_is_no_saved_recipe(tmp_path: Path) -> None:
    library = made(tmp_path / "x")
    library.save_recipe("best", "bm25")
    library = written(library, 'bm25 >> cross(10, model="/models/best-one")')
    library.remove_recipe("best")
    assert not library.recipes


def test_a_default_whose_recipe_is_gone_is_told(tmp_path: Path) -> None:
    library = made(tmp_path / "x")
    library.save_recipe("mine", "0.3*bm25 + 0.7*dense")
    library = written(library, "mine % 100")
    assert parts(library) == {"bm25", "dense"}
    with pytest.raises(RecipeError, match=r"default recipe, 'mine % 100', uses 'mine'; choose another first with"):
        library.remove_recipe("mine")
    assert list(library.recipes) == ["mine"]
    (library.path / "recipes.json").unlink()
    with pytest.raises(RecipeError, match=r"default recipe .* cannot be run; .*`bookwheel configure --recipe`; .*'mine'"):
        library.search(QUERY)
    library.configure(k1=0.9)
    library.configure(recipe="hybrid")
    assert parts(library) == {"bm25", "dense"}


def test_an_encoder_of_the_default_is_not_removed(tmp_path: Path) -> None:
    library = made(tmp_path / "x")
    for name in ("letters", "others"):
        library.add_encoder(name, letters)
    library.embed()
    library.save_recipe("ours", "bm25 + letters")
    library.configure(recipe="ours")
    with pytest.raises(UsageError, match=r"default recipe, 'bm25 \+ letters', uses 'letters'; choose another first with"):
        library.remove_encoder("letters")
    assert parts(library) == {"bm25", "letters"}
    library.remove_encoder("others")
    library.configure(recipe="hybrid")
    assert library.remove_encoder("letters") == len(TEXTS)
    with pytest.raises(RecipeError, match="cannot be run"):
        written(library, "bm25 + letters").search(QUERY)


def test_hybrid_means_all_there_is(tmp_path: Path) -> None:
    library = made(tmp_path / "x", encoder=None)
    assert parts(library) == {"bm25"}
    library.configure(recipe="hybrid")
    assert parts(library) == {"bm25"}
    library.add_encoder("dense", letters)
    library.embed()
    assert parts(library) == {"bm25", "dense"}
    library.remove_encoder("dense")
    assert parts(library) == {"bm25"}
    with pytest.raises(RecipeError, match="no retriever 'dense'"):
        library.configure(recipe="0.3*bm25 + 0.7*dense")


@pytest.mark.parametrize("recipe", ["bm25 >>", "nothing", "rm3()", "dense", "", 5, None])
def test_a_library_is_not_made_with_a_recipe_that_it_cannot_run(tmp_path: Path, recipe: object) -> None:
    with pytest.raises(RecipeError):
        bookwheel.open(tmp_path / "x", create=True, encoder=None, recipe=recipe)
    assert not (tmp_path / "x").exists()


def test_a_library_is_made_with_a_recipe(tmp_path: Path) -> None:
    made(tmp_path / "x", recipe=parse_recipe("bm25 + 2*dense")).close()
    with bookwheel.open(tmp_path / "x", create=True, recipe="bm25 + 2*dense") as library:
        assert library.settings.recipe == "bm25 + 2*dense"
        assert parts(library) == {"bm25", "dense"}
