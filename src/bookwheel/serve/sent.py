"""What `bookwheel.connect` sends: options and documents as JSON; `received` is the way back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .._errors import InputError
from ..library.search_options import SearchOptions

__all__ = ["document_fields", "given_fields", "search_fields"]


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


def document_fields(document: Any) -> dict[str, Any]:
    """A document as JSON has it. Raises `InputError`."""
    if isinstance(document, str):
        return {"text": document}
    if isinstance(document, Mapping):
        return {str(key): _plain(value) for key, value in document.items()}
    if hasattr(document, "id") and hasattr(document, "text"):
        metadata = {str(key): _plain(value) for key, value in document.metadata.items()}
        return {"id": document.id, "title": document.title, "text": document.text, **metadata}
    raise InputError(f"a document for a server is a text or a dictionary, not {type(document).__name__}")


def _plain(value: Any) -> Any:
    """A value of a document as `Library.add` takes it, where JSON has none like it: NaN is no value, infinity a text."""
    if isinstance(value, float) and not math.isfinite(value):
        return None if value != value else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
