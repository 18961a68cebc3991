"""Places as an exported record has them (``_places``), so that a library made of an export knows pages and headings, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, get_type_hints

from .document import Document, Heading, Hidden, Part
from .places import PlaceMap

__all__ = ["PLACES", "placed", "written"]

PLACES = "_places"
"""The field of a record that has them."""
_MOST = 1_000_000
_ROWS: dict[str, Any] = {"headings": Heading, "parts": Part, "hidden": Hidden}


def written(layout: PlaceMap) -> dict[str, Any]:
    """Pages, labels, headings, parts and hidden spans for JSON; empty where there are none. Lines are those of the record."""
    found: dict[str, Any] = {name: list(given) for name in ("pages", "labels") if (given := getattr(layout, name))}
    found |= {name: [list(row) for row in rows] for name in _ROWS if (rows := getattr(layout, name))}
    return found


def placed(document: Document, given: Any) -> Document:
    """``document`` with the places that `written` gave; as it is where they are not those of its text."""
    if not isinstance(given, Mapping) or not given or not given.keys() <= {"pages", "labels", *_ROWS}:
        return document
    size = len(document.text)
    found: dict[str, Any] = {}
    for name, value in given.items():
        if not isinstance(value, list) or len(value) > _MOST:
            return document
        if name == "labels":
            if not all(isinstance(label, str) for label in value):
                return document
            found[name] = tuple(value)
            continue
        rows = [_row(_ROWS[name], item) if name in _ROWS else item for item in value]
        starts = [row if name == "pages" else getattr(row, "start", None) for row in rows]
        if not _rise(starts, size):
            return document
        found[name] = tuple(rows)
    hidden = found.get("hidden", ())
    if any(span.end < span.start or span.end > size for span in hidden) or any(a.end > b.start for a, b in pairwise(hidden)):
        return document
    if headings := found.get("headings"):
        found["sections"] = tuple(heading.start for heading in headings if heading.level)
    return replace(document, **found)


def _row(kind: Any, values: Any) -> Any:
    """A named tuple of these values; None where they are of other types."""
    types = list(get_type_hints(kind).values())
    if not isinstance(values, list) or len(values) != len(types):
        return None
    right = all(type(value) is wanted for value, wanted in zip(values, types, strict=True))
    return kind(*values) if right and all(value >= 0 for value in values if isinstance(value, int)) else None


def _rise(starts: Sequence[Any], size: int) -> bool:
    if not all(type(start) is int and 0 <= start <= size for start in starts):
        return False
    return all(before <= after for before, after in pairwise(starts))
