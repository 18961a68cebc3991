"""The limits that a choice must keep: milliseconds and bytes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from .._errors import UsageError
from ..memory.sizes import format_size, ram_of

__all__ = ["Limits", "milliseconds_of"]

_TIME = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s)?\s*")
LONGEST = 3_600_000.0


@dataclass(frozen=True, slots=True)
class Limits:
    """None where there is no limit."""

    milliseconds: float | None = None
    """Of a search, at the 95th percentile of the queries."""
    ram: int | None = None
    """Bytes of a process that searches."""

    @classmethod
    def of(cls, latency: str | float | None, ram: str | int | None) -> Limits:
        """From what a person writes: ``20ms`` or ``0.5s`` (a number is milliseconds), ``512MB``. Raises `UsageError`,
        `BudgetError`.
        """
        return cls(None if latency is None else milliseconds_of(latency), None if ram is None else ram_of(ram))

    def __str__(self) -> str:
        parts = [] if self.milliseconds is None else [f"{self.milliseconds:g} ms"]
        parts += [] if self.ram is None else [format_size(self.ram)]
        return " and ".join(parts) or "no limits"


def milliseconds_of(latency: str | float) -> float:
    """``20ms``, ``0.5s``, or a number of milliseconds. Raises `UsageError` for what is none, or not above 0."""
    match = _TIME.fullmatch(latency) if isinstance(latency, str) else None
    if match is not None:
        value = float(match[1]) * (1000 if match[2] == "s" else 1)
    elif isinstance(latency, int | float) and not isinstance(latency, bool):
        value = float(latency)
    else:
        value = math.nan
    if not 0 < value <= LONGEST:
        raise UsageError(f"latency must be a time above 0 such as 20ms or 0.5s, not {latency!r:.40}")
    return value
