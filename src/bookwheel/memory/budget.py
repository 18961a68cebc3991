"""Memory: sizes as people write them, the split of a budget over parts, the bill, and what was really used.

A bill has one line a part with the bytes planned before work and those measured after it. What counts is the process's own
memory: anonymous pages, and the memory-mapped parts that must stay hot; files the system may drop at will are not counted.
`docs/budget.md` tells what each part is and how the promise is tested.
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from .._errors import BudgetError, UsageError

__all__ = [
    "BASE",
    "COMPILING",
    "DEFAULT",
    "GATHERED",
    "MINIMUM",
    "Bill",
    "BillLine",
    "Shares",
    "bound_heap",
    "format_size",
    "parse_size",
    "ram_of",
    "round_up",
    "share_out",
    "trim_heap",
]

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
MINIMUM = 256 * MIB
"""The smallest supported budget, Python included."""
DEFAULT = GIB
"""The budget where none is named."""
BASE = 96 * MIB
"""Anonymous memory of Python, numpy and numba with every kernel loaded: what a process holds before it has any data.

Measured: 80 MB on Linux with Python 3.11 and numba 0.62 (`python bench/budget.py --base`), and room for other versions.
"""

COMPILING = 512 * MIB
"""Budgets below this have no room for the compiler: kernels are compiled before, in processes of their own."""

_UNITS = {"": 1, "b": 1, "k": KIB, "kb": KIB, "kib": KIB, "m": MIB, "mb": MIB, "mib": MIB, "g": GIB, "gb": GIB, "gib": GIB}


def parse_size(text: str | int) -> int:
    """Bytes of a size such as ``512MB``, ``1.5 GiB`` or ``268435456`` (powers of 1024; raises `UsageError`).

    >>> parse_size("256MB")
    268435456
    """
    if isinstance(text, int):
        if text < 0:
            raise UsageError(f"ram must be a size such as 512MB or 2GB, not {text}")
        return text
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", text)
    if match is None or match[2].lower() not in _UNITS:
        raise UsageError(f"ram must be a size such as 512MB or 2GB, not {text!r}")
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


GATHERED = "postings and words being gathered, or merged"


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


@dataclass(frozen=True, slots=True)
class Shares:
    """A budget split over the parts of building, in bytes. Their sum is the budget, unless `gather` is capped."""

    base: int
    """Python and the compiled kernels: `BASE`."""
    encoder: int
    """Models that encode while building."""
    tables: int
    """What grows with the collection, whatever the buffers: 8 bytes an id met, lengths of passages while merging."""
    database: int
    """SQLite's page cache."""
    text: int
    """Documents being read, batches of passages, buffers of files."""
    gather: int
    """Postings and words of the segment being gathered, with what sorting them takes; merging uses the same room."""
    reserve: int
    """For what an allocator holds in vain, and for the system's own pages (page tables, unwritten file pages)."""

    @property
    def record(self) -> int:
        """Bytes of the largest file or record that is read: some eight copies of it exist at a time, of up to 4 bytes a letter.

        A record that large gets the room of the segment being gathered, which is written out first.
        """
        return min(RECORD, (self.text + self.gather) // 8)

    @property
    def total(self) -> int:
        """All parts together."""
        return sum(size for _, size in self.lines)

    @property
    def lines(self) -> list[tuple[str, int]]:
        """The parts of the bill."""
        parts = [
            ("Python, numpy, compiled kernels", self.base),
            ("encoder", self.encoder),
            ("ids met, lengths of passages", self.tables),
            ("database cache", self.database),
            ("text being read, file buffers", self.text),
            (GATHERED, self.gather),
            ("held in reserve", self.reserve),
        ]
        return [(part, size) for part, size in parts if size]


LEAST = Shares(0, 0, 0, database=4 * MIB, text=16 * MIB, gather=32 * MIB, reserve=0)
"""With less than this building cannot go on at a sensible pace: it is refused."""
MOST = Shares(0, 0, 0, database=64 * MIB, text=64 * MIB, gather=512 * MIB, reserve=256 * MIB)
"""More than this makes nothing faster."""
RECORD = 64 * MIB
"""Bytes of the largest file or record that is read under any budget."""
PER_PASSAGE = 32
"""Bytes a passage that building holds whatever its buffers: its id, its length while merging."""


def share_out(ram: int, *, encoder: int = 0, passages: int = 0) -> Shares:
    """``ram`` bytes split over the parts of building a library of ``passages`` with models of ``encoder`` bytes.

    A fifth is held in reserve. Of what is left beside the fixed parts, a tenth is the database's cache, a sixth text and
    buffers, the rest postings. No part goes below `LEAST`, so that the sum may exceed a budget that is too small: `Bill.check`
    then refuses it.
    """
    tables = PER_PASSAGE * passages
    reserve = min(ram // 5, MOST.reserve)
    rest = ram - BASE - encoder - tables - reserve
    database = min(max(rest // 10, LEAST.database), MOST.database)
    text = min(max(rest // 6, LEAST.text), MOST.text)
    gather = min(max(rest - database - text, LEAST.gather), MOST.gather)
    return Shares(BASE, encoder, tables, database, text, gather, reserve)


def round_up(size: int) -> str:
    """The least whole number of MB that holds ``size``, as `parse_size` reads it: not rounded to fewer digits."""
    return f"{-(-size // MIB)}MB"


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
    shares: Shares | None = None
    """How building splits the budget, where it does."""

    def plan(self, part: str, size: int) -> None:
        """Say how many bytes ``part`` will take."""
        self._line(part).planned = size

    def plan_building(self, shares: Shares) -> None:
        """Say how the budget is split over the parts of building."""
        self.shares = shares
        for part, size in shares.lines:
            self.plan(part, size)

    def measure(self, part: str, size: int) -> None:
        """Say how many bytes ``part`` was seen to take; the largest figure stays."""
        line = self._line(part)
        line.measured = max(size, line.measured or 0)

    def planned(self) -> int:
        """All bytes planned."""
        return sum(line.planned or 0 for line in self.lines)

    def check(self, what: str, instead: str = "") -> None:
        """Raise `BudgetError` with the bill where the plan exceeds the budget; ``instead`` says what else one could do."""
        ram_of(self.ram)
        if (planned := self.planned()) > self.ram:
            bill = ", ".join(f"{line.part} {format_size(line.planned)}" for line in self.lines if line.planned)
            raise BudgetError(
                f"{what} needs {format_size(planned)} of memory but the budget is {format_size(self.ram)} ({bill}); "
                f"give --ram {round_up(self.enough())} or more{f', or {instead}' if instead else ''}"
            )

    def enough(self) -> int:
        """The budget that would do. It is more than what is planned where parts of building grow with the budget."""
        ram = self.planned()
        if (shares := self.shares) is not None:
            others = ram - shares.total
            while (need := others + share_out(ram, encoder=shares.encoder, passages=shares.tables // PER_PASSAGE).total) > ram:
                ram = need
        return ram

    def __iter__(self) -> Iterator[BillLine]:
        return iter(self.lines)

    def _line(self, part: str) -> BillLine:
        for line in self.lines:
            if line.part == part:
                return line
        self.lines.append(BillLine(part))
        return self.lines[-1]


# -- the heap ----------------------------------------------------------------------------------------------------------

_LARGE = 1 << 20
"""Blocks of this size and more are given back to the system as soon as they are freed."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


@cache
def _glibc() -> Any:
    """The C library where it is glibc, whose heap has these controls; None elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") and hasattr(library, "gnu_get_libc_version") else None


@cache
def bound_heap() -> None:
    """Have this process's heap keep next to nothing that was freed; what an indexing process calls once.

    By default glibc raises the size from which blocks are given back at once to 32 MB as it goes, and keeps a heap for each
    of up to 8 threads a core: up to a third of what building holds was memory freed long before.
    """
    if (library := _glibc()) is not None:
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE)
        library.mallopt(_M_TRIM_THRESHOLD, _LARGE)
        library.mallopt(_M_ARENA_MAX, 2)


def trim_heap() -> None:
    """Give freed memory inside the heap back to the system (does nothing without glibc). Takes milliseconds."""
    if (library := _glibc()) is not None:
        library.malloc_trim(0)
