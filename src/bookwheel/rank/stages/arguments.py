"""Makes a stage of the arguments that a recipe gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any

from ..._errors import RecipeError
from ..recipe import Recipe
from .base import Feedback, Stage

__all__ = ["make_stage", "signature"]

_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "str": ((str,), 'a text in quotes, as in "minilm"'),
    "bool": ((bool,), "True or False"),
    "Recipe": ((Recipe,), "a recipe, as in bm25"),
    "Feedback": ((Feedback,), "a stage that gives a query, as in rm3()"),
}
_MANY = "tuple[Recipe, ...]"


def signature(kind: type[Stage]) -> str:
    """How a stage is written, with its defaults: ``rm3(docs=10, terms=20, weight=0.5)``."""
    parts = []
    for field in fields(kind):
        if field.type == _MANY:
            parts.append("recipe, …")
        elif field.type in ("Recipe", "Feedback") and _required(field):
            parts.append(field.name)
        else:
            default = f'"{field.default}"' if field.type == "str" else str(field.default)
            parts.append(f"{field.name}={default}")
    return f"{kind.name}({', '.join(parts)})"


def make_stage(kind: type[Stage], given: Sequence[Any], named: Mapping[str, Any]) -> Stage:
    """The stage with these arguments. Raises ``RecipeError`` that says how the stage is written."""
    how = f"it is written {signature(kind)}"
    parameters = {field.name: field for field in fields(kind)}
    values: dict[str, Any] = {}
    rest = list(given)
    order = list(parameters.values())
    if order and order[0].type == _MANY:
        many = [value for value in rest if isinstance(value, Recipe)]
        if not many:
            raise RecipeError(f"{kind.name} takes one recipe or more; {how}")
        rest = rest[len(many) :]
        if any(isinstance(value, Recipe) for value in rest):
            raise RecipeError(f"the recipes come before the other arguments of {kind.name}; {how}")
        values[order[0].name] = tuple(map(_begun, many))
        order = order[1:]
    if len(rest) > len(order):
        raise RecipeError(f"{kind.name} takes at most {len(order)} arguments and has {len(rest)}; {how}")
    for field, value in zip(order, rest, strict=False):
        values[field.name] = _checked(kind, field, value, how)
    for name, value in named.items():
        if name not in parameters or parameters[name].type == _MANY:
            raise RecipeError(f"{kind.name} has no parameter '{name}'; {how}")
        if name in values:
            raise RecipeError(f"'{name}' of {kind.name} is given twice; {how}")
        values[name] = _checked(kind, parameters[name], value, how)
    missing = [field.name for field in order if field.name not in values and _required(field)]
    if missing:
        raise RecipeError(f"{kind.name} lacks {' and '.join(missing)}; {how}")
    return kind(**values)


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING


def _checked(kind: type[Stage], field: Field[Any], value: Any, how: str) -> Any:
    types, expected = _KINDS[str(field.type)]
    right = isinstance(value, types) and (field.type == "bool" or not isinstance(value, bool))
    if not right:
        shown = str(value) if isinstance(value, Recipe) else repr(value)
        raise RecipeError(f"'{field.name}' of {kind.name} is {expected}, not {shown}; {how}")
    if isinstance(value, Recipe):
        return value if field.type == "Feedback" else _begun(value)
    if field.type == "str" and any(c in '"\\' or not c.isprintable() for c in value):
        raise RecipeError(f"'{field.name}' of {kind.name} may not have quotes or backslashes in it")
    return float(value) if field.type == "float" else value


def _begun(recipe: Recipe) -> Recipe:
    """A recipe that runs on the query alone."""
    if recipe.gives != "hits":
        raise RecipeError(f"expected a recipe that ranks; {recipe} gives a query")
    if recipe.needs_hits:
        raise RecipeError(f"expected a recipe that begins with a retriever; {recipe} takes hits of something before it")
    return recipe
