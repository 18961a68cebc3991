"""Makes a stage from the arguments that a recipe gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from ..._errors import RecipeError
from ..recipe import Recipe
from .base import Stage
from .parameters import RECIPES, annotation, required, signature

__all__ = ["make_stage"]


def make_stage(kind: type[Stage], given: Sequence[Any], named: Mapping[str, Any]) -> Stage:
    """The stage ``kind`` with arguments ``given`` by position and ``named`` by name.

    Raises `RecipeError` that says how the stage is written.
    """
    how = f"it is written {signature(kind)}"
    parameters = {field.name: field for field in fields(kind)}
    values: dict[str, Any] = {}
    rest = list(given)
    order = list(parameters.values())
    if order and annotation(order[0]) == RECIPES:
        many = [value for value in rest if isinstance(value, Recipe)]
        rest = rest[len(many) :]
        if any(isinstance(value, Recipe) for value in rest):
            raise RecipeError(f"the recipes come before the other arguments of {kind.name}; {how}")
        values[order[0].name] = tuple(many)
        order = order[1:]
    if len(rest) > len(order):
        raise RecipeError(f"{kind.name} takes at most {len(order)} arguments and has {len(rest)}; {how}")
    for field, value in zip(order, rest, strict=False):
        values[field.name] = value
    for name, value in named.items():
        if name not in parameters or annotation(parameters[name]) == RECIPES:
            raise RecipeError(f"{kind.name} has no parameter '{name}'; {how}")
        if name in values:
            raise RecipeError(f"'{name}' of {kind.name} is given twice; {how}")
        values[name] = value
    missing = [field.name for field in order if field.name not in values and required(field)]
    if missing:
        raise RecipeError(f"{kind.name} lacks {' and '.join(missing)}; {how}")
    return kind(**values)
