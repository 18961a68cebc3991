"""Recipes that requests bring: they may not name a model, a prompt, an address or a file that the server was not started with.

A stage loads the model that it names, or sends texts to its address, and reads the prompt or the heads that it names from a file.
What somebody sends who merely reaches the server must do neither.
"""

from __future__ import annotations

from .._errors import RecipeError
from ..library.library import Library
from ..rank.parse import parse_recipe
from ..rank.recipe import Recipe
from ..rank.stages.base import Stage
from ..rank.stages.head_weights import named_file
from .config import ServeConfig

__all__ = ["allowed_recipe"]


def allowed_recipe(text: str | None, library: Library, config: ServeConfig) -> str | None:
    """The recipe of a request, as it was written; None for the library's own. Raises `RecipeError`.

    As text, since a library remembers what it has checked by its text.
    """
    if not text:
        return None
    saved = library.recipes
    recipe = parse_recipe(text, saved)
    named = _named(recipe)
    if named:
        own = [parse_recipe(one, saved) for one in (library.settings.recipe, *saved.values())]
        known = {pair for one in own for pair in _named(one)}
        known |= {("model", model) for model in (config.model, *config.models) if model}
        if unknown := sorted(named - known):
            kind, name = unknown[0]
            raise RecipeError(
                f"this server runs no recipe with the {kind} {name!r:.80} for a request; save the recipe in the library "
                f"(bookwheel recipes save), or start the server with --model"
            )
    return text


def _named(recipe: Recipe) -> set[tuple[str, str]]:
    """The models, the prompts other than the default, and the files of heads that the stages of a recipe name."""
    found = set()
    for node in recipe.walk():
        if isinstance(node, Stage):
            if model := getattr(node, "model", ""):
                found.add(("model", str(model)))
            prompt, default = getattr(node, "prompt", None), getattr(type(node), "prompt", None)
            if isinstance(prompt, str) and prompt != default:
                found.add(("prompt", prompt))
            heads = getattr(node, "heads", "")
            if isinstance(heads, str) and named_file(heads) is not None:
                found.add(("file of heads", heads))
    return found
