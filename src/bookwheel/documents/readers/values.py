"""Strings from files to metadata values."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from ..document import Scalar, Value

__all__ = ["number", "one_line", "one_or_several", "year_of"]

_INTEGER = re.compile(r"[+-]?(?:0|[1-9]\d{0,299})\Z", re.ASCII)
_FLOAT = re.compile(r"[+-]?(?:0|[1-9]\d*)\.\d+(?:[eE][+-]?\d+)?\Z", re.ASCII)
_YEAR = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d)(?!\d)", re.ASCII)


def number(value: str) -> Scalar:
    """``"2020"`` -> 2020 and ``"-3.5"`` -> -3.5; codes such as
    ``"007"``, and all else, stay strings.
    """
    if _INTEGER.match(value):
        return int(value)
    if _FLOAT.match(value):
        found = float(value)
        return found if math.isfinite(found) else value
    return value


def one_line(text: str, limit: int = 300) -> str:
    """White space collapsed, at most ``limit`` characters: fit for a title."""
    return " ".join(text[: limit * 4].split())[:limit]


def one_or_several(values: Sequence[str], limit: int = 200) -> Value:
    """The value of a field that a file gives several times, each once and ``limit`` of them at most: itself where it is one."""
    found = tuple(dict.fromkeys(values))[:limit]
    return found[0] if len(found) == 1 else found


def year_of(date: str) -> int | None:
    """The first number from 1500 to 2099 in a date of any form."""
    match = _YEAR.search(date)
    return int(match.group()) if match else None
