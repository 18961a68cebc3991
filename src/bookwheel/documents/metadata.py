"""What of a metadata value is kept, and what filters compare it by."""

from __future__ import annotations

import math
import unicodedata

from .document import Scalar

__all__ = ["LARGEST", "comparable", "kept"]

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
