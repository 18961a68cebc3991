"""Numbers that a program gives: Python's own and those of numpy alike."""

from __future__ import annotations

from typing import Any

from ._errors import UsageError

__all__ = ["real", "whole"]


def whole(value: Any, name: str) -> int:
    """``value`` as an int. Raises `UsageError`, naming ``name``, for what is not a whole number (True, 5.0, "5")."""
    if type(value) is int:
        return value
    if hasattr(value, "__index__") and type(value).__name__ not in ("bool", "bool_"):
        try:
            return int(value.__index__())
        except TypeError:  # an array of several numbers
            pass
    raise UsageError(f"{name} must be a whole number, not {value!r:.80}")


def real(value: Any, name: str) -> float:
    """``value`` as a float, or an int as it is. Raises `UsageError`, naming ``name``, for what is not a number."""
    if type(value) is int or type(value) is float:
        return value
    if not isinstance(value, str | bytes | bool):
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            pass
    raise UsageError(f"{name} must be a number, not {value!r:.80}")
