"""Amounts of memory as people write them, and the budget that one states."""

from __future__ import annotations

import re
from numbers import Real
from typing import Any

from .._errors import BudgetError, UsageError

__all__ = ["DEFAULT", "GIB", "KIB", "MIB", "MINIMUM", "format_size", "parse_size", "ram_of", "round_up"]

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
MINIMUM = 256 * MIB
"""The smallest supported budget, Python included."""
DEFAULT = GIB
"""The budget where none is given."""
LARGEST = 1 << 60
"""No machine has more: an exbibyte."""

_UNITS = {"": 1, "b": 1, "k": KIB, "kb": KIB, "kib": KIB, "m": MIB, "mb": MIB, "mib": MIB, "g": GIB, "gb": GIB, "gib": GIB}


def parse_size(text: str | int) -> int:
    """Bytes of a size such as ``512MB``, ``1.5 GiB`` or ``268435456`` (powers of 1024).

    Raises `UsageError` for what is no size, or one that no machine has.

    >>> parse_size("256MB")
    268435456
    """
    size: Any = -1
    if isinstance(text, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", text)
        if match is not None and match[2].lower() in _UNITS:
            size = float(match[1]) * _UNITS[match[2].lower()]  # infinite where there are hundreds of digits
    elif isinstance(text, Real) and not isinstance(text, bool):
        size = text
    if not 0 <= size <= LARGEST:
        # Python writes no whole number of thousands of digits.
        shown = f"{text!r:.80}" if not isinstance(text, int) or abs(text) <= LARGEST else "a number of so many digits"
        raise UsageError(f"ram must be a size such as 512MB or 2GB, not {shown}")
    return int(size)


def format_size(size: int) -> str:
    """A size for people, with three digits.

    >>> format_size(268435456)
    '256 MB'
    """
    value = float(size)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if value >= 99.95 or unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TB"


def ram_of(ram: str | int | None, default: int = DEFAULT) -> int:
    """The budget in bytes that ``ram`` states: a number, a text as `parse_size` reads it, or None for ``default``.

    Raises `UsageError` for what is no size, `BudgetError` for less than `MINIMUM`.
    """
    size = default if ram is None else parse_size(ram)
    if size < MINIMUM:
        raise BudgetError(
            f"a memory budget must be at least {format_size(MINIMUM)}, not {format_size(size)}; give --ram {round_up(MINIMUM)} or more"
        )
    return size


def round_up(size: int) -> str:
    """The least whole number of MB that holds ``size``, as `parse_size` reads it: not rounded to fewer digits."""
    return f"{-(-size // MIB)}MB"
