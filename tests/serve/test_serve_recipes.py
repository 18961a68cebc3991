"""What recipes of requests may name: only what the server was started with, or the library's own recipes have."""

from __future__ import annotations

from pathlib import Path

import pytest

import bookwheel
from bookwheel import Document
from bookwheel._errors import RecipeError
from bookwheel.serve.config import ServeConfig
from bookwheel.serve.recipes import allowed_recipe


def test_a_request_names_no_file_of_heads(tmp_path: Path) -> None:
    """A file that is read, if it is there, tells whoever asks that it is; a recipe that was saved may name one."""
    own, other = f'bm25 >> attention(3, heads="{tmp_path}/own")', f'bm25 >> attention(3, heads="{tmp_path}/other.json")'
    with bookwheel.open(tmp_path / "library", create=True) as library:
        library.add([Document("a", "the sea")], workers=1)
        library.save_recipe("mine", own)
        config = ServeConfig({"notes": tmp_path / "library"}, model="smollm2")
        for recipe in ("bm25 >> attention(3)", 'bm25 >> attention(3, heads="17.3 18.7")', own, "mine"):
            assert allowed_recipe(recipe, library, config) == recipe
        with pytest.raises(RecipeError, match="no recipe with the file of heads"):
            allowed_recipe(other, library, config)
