"""Checks of a stage's parameters, and how a stage is written. Each check raises `RecipeError` with
one sentence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, get_args

from ..._errors import RecipeError
from ..recipe import Recipe

__all__ = [
    "RECIPES",
    "annotation",
    "check_choice",
    "check_dense",
    "check_model",
    "check_number",
    "check_types",
    "check_whole",
    "required",
    "signature",
    "token_representation",
]

RECIPES = "tuple[Recipe, ...]"
"""The annotation of a parameter that takes any number of recipes; it comes first."""
_TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "str": ((str,), 'a text in quotes, as in "minilm"'),
    "bool": ((bool,), "True or False"),
    "Recipe": ((Recipe,), "a recipe, as in bm25"),
    "Feedback": ((Recipe,), "a feedback stage, as in rm3()"),
}


def signature(kind: Any) -> str:
    """How a stage class is written in a recipe, with its defaults:
    ``rm3(docs=10, terms=10, weight=0.8)``.
    """
    parts = []
    for field in fields(kind):
        if annotation(field) == RECIPES:
            parts.append("recipe, …")
        elif required(field):
            parts.append(field.name)
        else:
            default = f'"{field.default}"' if annotation(field) == "str" else str(field.default)
            parts.append(f"{field.name}={default}")
    return f"{kind.name}({', '.join(parts)})"


def required(field: Field[Any]) -> bool:
    """Whether a parameter has no default."""
    return field.default is MISSING


def annotation(field: Field[Any]) -> str:
    """A parameter's annotation as it is written, whether or not annotations are evaluated in its
    module.
    """
    kind = field.type
    if isinstance(kind, str):
        return kind
    return kind.__name__ if isinstance(kind, type) and not get_args(kind) else RECIPES


def check_types(stage: Any) -> None:
    """Check each parameter of ``stage`` against its annotation; whole numbers given for a ``float``
    become floats.
    """
    for field in fields(stage):
        kind, value = annotation(field), getattr(stage, field.name)
        if kind == RECIPES:
            if not isinstance(value, tuple) or not value or not all(isinstance(one, Recipe) for one in value):
                raise RecipeError(f"{stage.name} takes one recipe or more; it is written {signature(type(stage))}")
            for one in value:
                _check_ranking(stage.name, one)
            continue
        types, expected = _TYPES[kind]
        right = isinstance(value, types) and (kind == "bool" or not isinstance(value, bool))
        if not right or (kind == "Feedback" and not hasattr(value, "feed")):
            shown = str(value) if isinstance(value, Recipe) else repr(value)
            raise RecipeError(
                f"{field.name} of {stage.name} must be {expected}, not {shown}; it is written {signature(type(stage))}"
            )
        if kind == "Recipe":
            _check_ranking(stage.name, value)
        if kind == "str" and any(c in '"\\' or not c.isprintable() for c in value):
            raise RecipeError(f"{field.name} of {stage.name} may not contain quotes, backslashes or control characters")
        if kind == "float":
            object.__setattr__(stage, field.name, float(value))


def _check_ranking(stage: str, recipe: Recipe) -> None:
    """A recipe among the parameters runs on the query alone and gives hits."""
    if recipe.gives != "hits":
        raise RecipeError(f"{stage} needs a recipe that ranks, and {recipe} gives a query")
    if recipe.needs_hits:
        raise RecipeError(f"{stage} needs a recipe that begins with a retriever, and {recipe} takes hits from a part before it")


def check_whole(name: str, value: int, least: int, most: int) -> None:
    """A whole number from ``least`` to ``most``."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise RecipeError(f"{name} must be a whole number from {least} to {most}, not {value!r}")


def check_number(name: str, value: float, least: float, most: float) -> None:
    """A number from ``least`` to ``most``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value) or not least <= value <= most:
        raise RecipeError(f"{name} must be a number from {least:g} to {most:g}, not {value!r}")


def check_choice(name: str, value: str, known: Iterable[str]) -> None:
    """One of the texts ``known``."""
    known = list(known)
    if value not in known:
        raise RecipeError(f"{name} must be one of {', '.join(map(repr, known))}, not {value!r}")


def check_model(model: str) -> None:
    """The name of a language model. Nothing is opened."""
    if not model.strip():
        raise RecipeError("'model' must name a language model, as in model=\"smollm2\"")


def check_dense(stage: str, name: str, representations: Mapping[str, str]) -> None:
    """``name`` is a dense representation of the library; a kind of ``""`` is not known and passes."""
    if representations.get(name) not in ("dense", ""):
        have = ", ".join(one for one, kind in representations.items() if kind == "dense") or "none"
        kind = representations.get(name, "missing")
        raise RecipeError(f"{stage} needs a dense representation, and {name!r} is {kind}; available: {have}")


def token_representation(stage: str, parameter: str, name: str, representations: Mapping[str, str]) -> str:
    """The multi-vector representation that a stage means: ``name``, or without a name the only one
    there is.
    """
    have = [one for one, kind in representations.items() if kind == "tokens"]
    if name:
        if representations.get(name) not in ("tokens", ""):
            told = ", ".join(have) or "none"
            raise RecipeError(f"{stage} needs token vectors, and {name!r} has none; representations that have: {told}")
        return name
    if not have:
        raise RecipeError(
            f"{stage} needs token vectors, and the library has none; add some with: "
            "bookwheel encoders add NAME=MODEL --kind tokens"
        )
    if len(have) > 1:
        raise RecipeError(
            f"{stage} needs token vectors, and the library has {' and '.join(have)}; "
            f"choose one, as in {stage}({parameter}={have[0]!r})"
        )
    return have[0]
