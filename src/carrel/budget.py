"""Memory: sizes as people write them, the bill of bytes by part, and what was really used.

A bill has one line a part with the bytes planned before work and those measured after it. What counts is the process's own
memory: anonymous pages, and the memory-mapped parts that must stay hot; files the system may drop at will are not counted.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ._errors import BudgetError, UsageError

__all__ = ["BASE", "DEFAULT", "MINIMUM", "Bill", "BillLine", "anonymous_bytes", "format_size", "parse_size", "peak_bytes"]

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
MINIMUM = 256 * MIB
"""The smallest supported budget, Python included."""
DEFAULT = GIB
"""The budget where none is named."""
BASE = 150 * MIB
"""Python, numpy, numba with its compiled kernels: what a process holds before it has any data (measured: see the bill)."""

_UNITS = {"": 1, "b": 1, "k": KIB, "kb": KIB, "kib": KIB, "m": MIB, "mb": MIB, "mib": MIB, "g": GIB, "gb": GIB, "gib": GIB}


def parse_size(text: str | int) -> int:
    """Bytes of a size such as ``512MB``, ``1.5 GiB`` or ``268435456`` (powers of 1024; raises `UsageError`).

    >>> parse_size("256MB")
    268435456
    """
    if isinstance(text, int):
        return text
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", text)
    if match is None or match[2].lower() not in _UNITS:
        raise UsageError(f"{text!r} is not a size; write it as 512MB or 2GB")
    return int(float(match[1]) * _UNITS[match[2].lower()])


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


@dataclass(slots=True)
class BillLine:
    """One part of a bill, in bytes; None where it was not planned or not measured."""

    part: str
    planned: int | None = None
    measured: int | None = None


@dataclass(slots=True)
class Bill:
    """Bytes of memory by part, planned and measured, within ``ram``."""

    ram: int
    lines: list[BillLine] = field(default_factory=list)

    def plan(self, part: str, size: int) -> None:
        """Say how many bytes ``part`` will take."""
        self._line(part).planned = size

    def measure(self, part: str, size: int) -> None:
        """Say how many bytes ``part`` was seen to take; the largest figure stays."""
        line = self._line(part)
        line.measured = max(size, line.measured or 0)

    def planned(self) -> int:
        """All bytes planned."""
        return sum(line.planned or 0 for line in self.lines)

    def check(self, what: str) -> None:
        """Raise `BudgetError` with the bill where the plan exceeds the budget."""
        if self.ram < MINIMUM:
            raise BudgetError(
                f"{format_size(self.ram)} is less than the smallest supported budget; give --ram {format_size(MINIMUM)} or more"
            )
        if (planned := self.planned()) > self.ram:
            bill = ", ".join(f"{line.part} {format_size(line.planned or 0)}" for line in self.lines)
            raise BudgetError(
                f"{what} needs {format_size(planned)} where {format_size(self.ram)} are allowed ({bill}); "
                f"give --ram {format_size(planned + MIB)} or more"
            )

    def __iter__(self) -> Iterator[BillLine]:
        return iter(self.lines)

    def _line(self, part: str) -> BillLine:
        for line in self.lines:
            if line.part == part:
                return line
        self.lines.append(BillLine(part))
        return self.lines[-1]


def _status(field_name: str) -> int | None:
    try:
        text = Path("/proc/self/status").read_text()
    except OSError:
        return None
    match = re.search(rf"^{field_name}:\s+(\d+) kB", text, re.M)
    return int(match[1]) * KIB if match else None


def anonymous_bytes() -> int | None:
    """Anonymous memory of this process at present, in bytes (None where the system does not tell)."""
    return _status("RssAnon")


def peak_bytes() -> int | None:
    """The most resident memory this process ever had, file pages included, in bytes."""
    if (peak := _status("VmHWM")) is not None:
        return peak
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * KIB
