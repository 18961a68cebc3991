"""Validates a recipe before it runs: each part gets what it takes, and the library has what it
needs.
"""

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

WHOLE = 60
"""Characters of a recipe that an error repeats in full."""


def validate(recipe: Recipe, available: Collection[str] | Mapping[str, str]) -> None:
    """Check that ``recipe`` turns a query into hits and that everything it needs is ``available``.

    ``available``: names of representations, or a mapping of them to their kinds (``sparse``,
    ``dense``, ``tokens``; ``""`` is not known). Raises `RecipeError` that names everything missing,
    similar names and what there is, and marks the place.
    """
    if isinstance(recipe, Retrieve) and recipe.name in ("bm25", "dense") and recipe.name in available:  # most searches
        return
    text = str(recipe)
    if recipe.gives != "hits":
        last = str(recipe.parts[-1] if isinstance(recipe, Pipe) else recipe)
        whole = f"{'bm25 >> ' if recipe.needs_hits else ''}{text if len(text) <= WHOLE else last} >> bm25"
        message = f"the recipe ends with {last}, which gives a query; end it with a retriever, as in '{whole}'"
        fail(text, text.rfind(last), message)
    _check_hits(recipe, False, text)
    unknown = [name for name in recipe.retrievers() if name not in available]
    kinds = dict(available) if isinstance(available, Mapping) else dict.fromkeys(available, "")
    stages = [node for node in recipe.walk() if isinstance(node, Stage)]
    wanting = {name: str(stage) for stage in stages for name in stage.representations() if name not in available}
    unknown += [name for name in wanting if name not in unknown]
    if unknown:
        _fail_missing(text, unknown, available, wanting)
    for name in _searched(recipe):
        if kinds.get(name) == "tokens":
            at = re.search(rf"\b{re.escape(name)}\b", text)
            why = f'{name!r} has token vectors, which only re-score candidates; write: bm25 >> late(by="{name}")'
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
    """Raise `RecipeError` with ``message`` and the place marked below it; ``column`` counts from 0."""
    raise RecipeError(f"recipe, column {column + 1}: {message}\n{caret(text, column)}")


def _check_hits(node: Recipe, hits: bool, text: str) -> None:
    """Check that each part that needs hits gets some; ``hits``: whether there are some before
    ``node``.
    """
    if isinstance(node, Stage):
        if node.needs_hits and not hits:
            at = max(0, text.find(str(node)))
            fail(text, at, f"{node.name} needs hits, and nothing before it gives any; begin as in 'bm25 >> {node}'")
        hits = node.needs_hits  # a feedback stage among its parameters gets the same hits
    if isinstance(node, Pipe):
        for at, part in enumerate(node.parts):
            if at and not part.needs_hits and part.gives == "hits" and _unused(node.parts[:at]):
                fail(
                    text,
                    max(0, text.find(f">> {part}") + 3),
                    f"'{part}' starts a new search, so nothing uses the hits before it; use '+' to fuse two rankings, or "
                    f"'>> interpolate({part}, 0.5)' to re-score the first by the second",
                )
            _check_hits(part, hits, text)
            hits = hits or part.gives == "hits"
        return
    for child in node.children():
        _check_hits(child, hits, text)


def _unused(parts: tuple[Recipe, ...]) -> bool:
    """Whether no part reads the last hits that ``parts`` give."""
    for part in reversed(parts):
        if part.needs_hits and part.gives == "query":
            return False
        if part.gives == "hits":
            return True
    return False


def _fail_missing(text: str, unknown: list[str], available: Collection[str], wanting: Mapping[str, str]) -> NoReturn:
    from .stages.registry import stage_names

    names = " or ".join(f"'{name}'" for name in unknown)
    near = [match for name in unknown for match in difflib.get_close_matches(name, [*available, *stage_names()], n=1)]
    hint = f"; did you mean {' and '.join(f'{name!r}' for name in near)}?" if near else ";"
    have = f"available: {', '.join(sorted(available))}" if available else "nothing is available"
    found = re.search(rf"\b{re.escape(unknown[0])}\b", text)
    at = found.start() if found else max(0, text.find(wanting.get(unknown[0], text)))
    fail(text, at, f"there is no retriever {names}{hint} {have}")
