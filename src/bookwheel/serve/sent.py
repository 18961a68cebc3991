"""What `bookwheel.connect` sends: options as JSON; `received` is the way back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._errors import UsageError
from ..library.search_options import SearchOptions

__all__ = ["given_fields", "search_fields", "several"]


def search_fields(options: SearchOptions) -> dict[str, Any]:
    """The options of a search that a server takes, those that are not as usual."""
    taken = ("k", "recipe", "where", "group", "seconds", "cutoff", "offset", "fold", "sort", "facets")
    usual = SearchOptions()
    given = {name: value for name in taken if (value := getattr(options, name)) != getattr(usual, name)}
    if "facets" in given:
        given["facets"] = list(options.facets)
    return given_fields(**given)


def given_fields(**given: Any) -> dict[str, Any]:
    """What was given, for JSON; recipes as they are written."""
    plain = {name: value for name, value in given.items() if value is not None}
    if "recipe" in plain:
        plain["recipe"] = str(plain["recipe"])
    return plain


def several(given: Any, what: str) -> list[Any]:
    """``given`` as a list; a text alone would be taken letter by letter. Raises `UsageError`."""
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise UsageError(f"several {what} are given as a list, not as {type(given).__name__}")
    return list(given)
