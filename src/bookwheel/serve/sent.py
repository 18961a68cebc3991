"""What `bookwheel.connect` sends: options and documents as JSON; `received` is the way back."""

from __future__ import annotations

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
        return {str(key): value.isoformat() if hasattr(value, "isoformat") else value for key, value in document.items()}
    if hasattr(document, "id") and hasattr(document, "text"):
        return {"id": document.id, "title": document.title, "text": document.text, **dict(document.metadata)}
    raise InputError(f"a document for a server is a text or a dictionary, not {type(document).__name__}")
