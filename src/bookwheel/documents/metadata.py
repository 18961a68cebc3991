"""What of a metadata value is kept, and what filters compare it by."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from .document import Scalar, Value

__all__ = ["LARGEST", "comparable", "flattened", "kept", "kept_value", "left_out", "values_of"]

MAX_VALUES = 1000
"""Values that the fields of one document may have together; more are left out."""
MAX_DEPTH = 8
"""Of objects inside each other; what is deeper is left out."""

LARGEST = 1 << 63
"""SQLite's integers are smaller."""


def kept(value: Scalar) -> Scalar:
    """``value`` as JSON can hold it: integers of any size exactly, infinity as a word, NaN as None.

    NaN is what tables have where a value is missing.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return None if value != value else "Infinity" if value > 0 else "-Infinity"
    return value


def comparable(value: Scalar) -> Scalar:
    """``value`` as a filter's table holds it: text in Unicode's composed form (NFC).

    An integer beyond 64 bits is its decimal digits: filters take such text for the number that it
    writes, and its equality with other text is exact.
    """
    if isinstance(value, int) and not -LARGEST <= value < LARGEST:
        return str(value)
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def kept_value(value: Value) -> Value:
    """`kept` of one value or several; None where nothing is left."""
    if isinstance(value, tuple):
        return tuple(one for item in value if (one := kept(item)) is not None) or None
    return kept(value)


def values_of(value: Value) -> tuple[Scalar, ...]:
    """The values of a field, one or several."""
    return value if isinstance(value, tuple) else (value,)


def left_out(names: Iterable[str]) -> str:
    """The sentence that something of the fields ``names`` was left out."""
    every = list(names)
    more = f" and {len(every) - 5:,} more" if len(every) > 5 else ""
    fields = ", ".join(f"{name!r:.80}" for name in every[:5])
    return f"of the metadata {fields}{more} what goes beyond {MAX_VALUES:,} values or {MAX_DEPTH} levels was left out"


def flattened(record: Mapping[str, object], left: dict[str, None] | None = None) -> dict[str, Value]:
    """The values of a nested object by field: ``{"author": {"name": "Ada"}}`` has the field ``author.name``.

    A list is a field with several values, and a list of objects has several in each of their fields. Nulls are left out, and so
    is what goes beyond `MAX_VALUES` and `MAX_DEPTH`; the names of such fields are put into ``left``.
    """
    found: dict[str, Value] = {}
    left = {} if left is None else left
    for count, (name, value, several) in enumerate(_leaves(record, "", 0, False, left)):
        if count == MAX_VALUES:
            left[name] = None
            break
        if name in found:
            found[name] = (*values_of(found[name]), value)
        else:
            found[name] = (value,) if several else value
    return found


def _leaves(value: object, name: str, depth: int, several: bool, left: dict[str, None]) -> Iterator[tuple[str, Scalar, bool]]:
    """Field and value of each leaf, and whether it is in a list; fields of which some are too deep are put into ``left``."""
    if isinstance(value, str | int | float):
        yield name, value, several
    elif depth < MAX_DEPTH and isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key), depth + 1, several, left)
    elif depth < MAX_DEPTH and isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner, name, depth + 1, True, left)
    elif isinstance(value, Mapping | list | tuple) and value:
        left[name] = None
