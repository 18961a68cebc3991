"""What `bookwheel.connect` sends: options as JSON; `received` is the way back."""

from __future__ import annotations

from typing import Any

from ..library.search_options import SearchOptions

__all__ = ["given_fields", "search_fields"]


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
