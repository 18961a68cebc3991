"""The recipe of searches that name none: what of it a library keeps, and what it may not lose while that recipe needs it."""

from __future__ import annotations

from collections.abc import Mapping

from .._errors import RecipeError
from ..rank.named import DEFAULT_RECIPE
from ..rank.parse import parse_recipe
from ..rank.recipe import Recipe
from ..rank.validate import validate
from .saved_recipes import names_saved
from .vectors.encoders import BUILT_IN

__all__ = ["kept_text", "needs", "read_default"]


def read_default(text: str, saved: Mapping[str, str], available: Mapping[str, str]) -> Recipe:
    """The recipe of ``text``, the library's default, with its ``saved`` recipes; ``available``: its representations, name to kind.

    Hybrid, which every library has unless it was given another, means all there is: for a library without vectors that is
    BM25. Anything else that cannot be run raises `RecipeError`: to leave parts of a recipe out would rank by one that nobody chose.
    """
    chosen = parse_recipe(text, saved)
    if BUILT_IN not in available and chosen == parse_recipe(DEFAULT_RECIPE):
        return parse_recipe("bm25")
    validate(chosen, available)
    return chosen


def kept_text(recipe: str | Recipe, saved: Mapping[str, str], available: Mapping[str, str]) -> str:
    """What a library keeps of ``recipe`` as its default: the text as it was given, and in full where it names ``saved`` ones.

    So the default stays the same when a saved recipe changes or goes. Raises `RecipeError` for one that cannot be run.
    """
    chosen = read_default(recipe if isinstance(recipe, str) else str(parse_recipe(recipe)), saved, available)
    return recipe if isinstance(recipe, str) and not names_saved(recipe, saved) else str(chosen)


def needs(text: str, saved: Mapping[str, str], before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Whether the default ``text`` can be run with the representations ``before`` a change, and not with those ``after`` it."""
    return _runs(text, saved, before) and not _runs(text, saved, after)


def _runs(text: str, saved: Mapping[str, str], available: Mapping[str, str]) -> bool:
    try:
        read_default(text, saved, available)
    except RecipeError:
        return False
    return True
