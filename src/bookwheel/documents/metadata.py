"""What of a metadata value is kept, and what filters compare it by."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Mapping

from .document import Scalar, Value

__all__ = ["LARGEST", "comparable", "flattened", "kept", "kept_value", "values_of"]

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


def flattened(record: Mapping[str, object]) -> dict[str, Value]:
    """The values of a nested object by field: ``{"author": {"name": "Ada"}}`` has the field ``author.name``.

    A list is a field with several values, and a list of objects has several in each of their fields. Nulls are left out, and so
    is what goes beyond `MAX_VALUES` and `MAX_DEPTH`.
    """
    found: dict[str, Value] = {}
    for count, (name, value, several) in enumerate(_leaves(record, "", 0, False)):
        if count == MAX_VALUES:
            break
        if name in found:
            found[name] = (*values_of(found[name]), value)
        else:
            found[name] = (value,) if several else value
    return found


def _leaves(value: object, name: str, depth: int, several: bool) -> Iterator[tuple[str, Scalar, bool]]:
    """Field and value of each leaf, and whether it is in a list."""
    if isinstance(value, str | int | float):
        yield name, value, several
    elif depth < MAX_DEPTH and isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key), depth + 1, several)
    elif depth < MAX_DEPTH and isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner, name, depth + 1, True)
