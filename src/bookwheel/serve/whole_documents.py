"""Documents with every field of `Document` as JSON, so that what a program adds by way of a server is what it would add itself.

`bookwheel.connect` sends these; the records that other clients send are read as those of a file are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

from .._errors import InputError
from ..documents.document import Document
from ..documents.written_places import placed

__all__ = ["document_of", "fields_of"]

_USUAL = Document("", "")
_KNOWN = {field.name for field in fields(Document)}
_KINDS = ("prose", "markup", "code")
_PLACES = ("pages", "labels", "headings", "parts", "hidden")


def fields_of(document: Document) -> dict[str, Any]:
    """The fields of ``document`` that are not as usual: tuples as lists."""
    given = {name: getattr(document, name) for name in sorted(_KNOWN)}
    return {name: _plain(value) for name, value in given.items() if name in ("id", "text") or value != getattr(_USUAL, name)}


def _plain(value: Any) -> Any:
    """Numbers of numpy, which JSON lacks, as Python's own."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.item() if hasattr(value, "item") else value


def document_of(given: Mapping[str, Any]) -> Document:
    """The document of which `fields_of` gave the fields. Raises `InputError` for what is none."""
    if unknown := given.keys() - _KNOWN:
        raise InputError(f"a document has no field {min(unknown)!r:.60}; its fields are {', '.join(sorted(_KNOWN))}")
    label = f"the document {given.get('id')!r:.80}"
    texts = {name: given.get(name, getattr(_USUAL, name)) for name in ("id", "text", "title", "kind")}
    if wrong := [name for name, value in texts.items() if not isinstance(value, str)]:
        raise InputError(f"{label}: {wrong[0]} must be a text")
    if texts["kind"] not in _KINDS:
        raise InputError(f"{label}: kind must be one of {', '.join(_KINDS)}, not {texts['kind']!r:.40}")
    line, lines, metadata = (given.get(name, getattr(_USUAL, name)) for name in ("line", "lines", "metadata"))
    if type(line) is not int or not isinstance(lines, bool) or not isinstance(metadata, Mapping):
        raise InputError(f"{label}: line must be a whole number, lines true or false, and metadata an object")
    document = Document(**texts, line=line, lines=lines, metadata=metadata)
    places = {name: given[name] for name in _PLACES if given.get(name)}
    if places and (document := placed(document, places)) and not any(getattr(document, name) for name in places):
        raise InputError(f"{label}: {', '.join(places)} are not of their types, not in order, or not places of its text")
    sections = given.get("sections", [])
    if not isinstance(sections, list) or not all(type(at) is int and 0 <= at <= len(document.text) for at in sections):
        raise InputError(f"{label}: sections must be places of its text")
    if any(before > after for before, after in pairwise(sections)):
        raise InputError(f"{label}: sections must be in order")
    return replace(document, sections=tuple(sections))
