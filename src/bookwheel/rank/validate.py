"""Checking a recipe before it runs: that each part gets what it takes, and that the library has what it needs."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from typing import NoReturn

from .._caret import caret
from .._errors import RecipeError
from .recipe import Pipe, Recipe, Retrieve
from .stages.base import Stage

__all__ = ["fail", "validate"]


def validate(recipe: Recipe, available: Collection[str] | Mapping[str, str]) -> None:
    """See that ``recipe`` turns a query into hits and that everything it needs is ``available``.

    ``available``: names of representations, perhaps with their kind (``sparse``, ``dense``, ``tokens``). Raises
    ``RecipeError`` naming all that is missing, the nearest names, and what there is, with the place marked.
    """
    if isinstance(recipe, Retrieve) and recipe.name in ("bm25", "dense") and recipe.name in available:  # what most searches are
        return
    text = str(recipe)
    if recipe.gives != "hits":
        last = str(recipe.parts[-1] if isinstance(recipe, Pipe) else recipe)
        whole = f"{'bm25 >> ' if recipe.needs_hits else ''}{last} >> bm25"
        fail(text, text.rfind(last), f"the recipe ends with {last}, which gives a query; end it with what ranks: '{whole}'")
    _fed(recipe, False, text)
    unknown = [name for name in recipe.retrievers() if name not in available]
    kinds = dict(available) if isinstance(available, Mapping) else dict.fromkeys(available, "")
    stages = [node for node in recipe.walk() if isinstance(node, Stage)]
    wanting = {name: str(stage) for stage in stages for name in stage.representations() if name not in available}
    unknown += [name for name in wanting if name not in unknown]
    if unknown:
        _missing(text, unknown, available, wanting)
    for name in _searched(recipe):
        if kinds.get(name) == "tokens":
            at = re.search(rf"\b{re.escape(name)}\b", text)
            why = f'{name!r} holds token vectors, which score what others found; write: bm25 >> late(by="{name}")'
            fail(text, at.start() if at else 0, why)
    for stage in stages:
        try:
            stage.validate(kinds)
        except RecipeError as error:
            fail(text, max(0, text.find(str(stage))), str(error))


def _searched(recipe: Recipe) -> Iterator[str]:
    """The names of retrievers that must find passages themselves."""
    if isinstance(recipe, Retrieve):
        yield recipe.name
    elif not (isinstance(recipe, Stage) and recipe.scores_only):
        for child in recipe.children():
            yield from _searched(child)


def fail(text: str, column: int, message: str) -> NoReturn:
    """Raise ``RecipeError`` with the place marked below the message; ``column`` counts from 0."""
    raise RecipeError(f"recipe, column {column + 1}: {message}\n{caret(text, column)}")


def _fed(node: Recipe, hits: bool, text: str) -> None:
    """See that no part lacks the hits it takes; ``hits``: whether some come in."""
    if isinstance(node, Stage):
        if node.needs_hits and not hits:
            at = max(0, text.find(str(node)))
            fail(
                text, at, f"{node.name} takes hits and none come before it; expected a retriever first, as in 'bm25 >> {node}'"
            )
        hits = node.needs_hits  # a feedback stage among its parameters gets the hits that it was given itself
    if isinstance(node, Pipe):
        for at, part in enumerate(node.parts):
            if at and not part.needs_hits and part.gives == "hits" and _unread(node.parts[:at]):
                fail(
                    text,
                    max(0, text.find(f">> {part}") + 3),
                    f"'{part}' searches anew, so nothing reads the hits before it; '+' fuses two rankings, "
                    f"'>> interpolate({part}, 0.5)' re-scores the first by the second",
                )
            _fed(part, hits, text)
            hits = hits or part.gives == "hits"
        return
    for child in node.children():
        _fed(child, hits, text)


def _unread(parts: tuple[Recipe, ...]) -> bool:
    """Whether no part reads the hits that the last one of ``parts`` to give some gave."""
    for part in reversed(parts):
        if part.needs_hits and part.gives == "query":
            return False
        if part.gives == "hits":
            return True
    return False


def _missing(text: str, unknown: list[str], available: Collection[str], wanting: Mapping[str, str]) -> NoReturn:
    from .stages.registry import stage_names

    names = " or ".join(f"'{name}'" for name in unknown)
    near = [match for name in unknown for match in difflib.get_close_matches(name, [*available, *stage_names()], n=1)]
    hint = f"; did you mean {' and '.join(f'{name!r}' for name in near)}?" if near else ";"
    there = f"available: {', '.join(sorted(available))}" if available else "nothing is available"
    found = re.search(rf"\b{re.escape(unknown[0])}\b", text)
    at = found.start() if found else max(0, text.find(wanting.get(unknown[0], text)))
    fail(text, at, f"there is no retriever {names} here{hint} {there}")
