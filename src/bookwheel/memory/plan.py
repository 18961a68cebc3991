"""The memory plan: bytes by part, planned before work and measured after it.

What counts is the process's own memory: anonymous pages, and the memory-mapped parts that must stay in memory. Files that the
system may drop at any time do not count. `docs/budget.md` explains the parts, and how the promise is tested.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .._errors import BudgetError
from .shares import PER_PASSAGE, Shares, share_out
from .sizes import format_size, ram_of, round_up

__all__ = ["MemoryPlan", "PlanLine"]


@dataclass(slots=True)
class PlanLine:
    """One part of a memory plan, in bytes; None where it was not planned or not measured."""

    part: str
    planned: int | None = None
    measured: int | None = None


@dataclass(slots=True)
class MemoryPlan:
    """Bytes of memory by part, planned and measured, within a budget of ``ram`` bytes. Iterating gives its lines."""

    ram: int
    lines: list[PlanLine] = field(default_factory=list)
    shares: Shares | None = None
    """How indexing splits the budget, where this is the plan of indexing."""

    def plan(self, part: str, size: int) -> None:
        """Plan ``size`` bytes for ``part``."""
        self._line(part).planned = size

    def plan_building(self, shares: Shares) -> None:
        """Plan the parts of indexing."""
        self.shares = shares
        for part, size in shares.lines:
            self.plan(part, size)

    def measure(self, part: str, size: int) -> None:
        """Record that ``part`` took ``size`` bytes; the largest of several measurements counts."""
        line = self._line(part)
        line.measured = max(size, line.measured or 0)

    def planned(self) -> int:
        """All bytes planned."""
        return sum(line.planned or 0 for line in self.lines)

    def check(self, what: str, instead: str = "") -> None:
        """Raise `BudgetError`, with the plan, where ``what`` does not fit the budget; ``instead`` says what else to try."""
        ram_of(self.ram)
        if (planned := self.planned()) > self.ram:
            parts = ", ".join(f"{line.part} {format_size(line.planned)}" for line in self.lines if line.planned)
            raise BudgetError(
                f"{what} needs {format_size(planned)} of memory but the budget is {format_size(self.ram)} ({parts}); "
                f"give --ram {round_up(self.enough())} or more{f', or {instead}' if instead else ''}"
            )

    def enough(self) -> int:
        """The smallest budget that is enough. It exceeds `planned` where parts of indexing grow with the budget."""
        ram = self.planned()
        if (shares := self.shares) is not None:
            others = ram - shares.total
            passages = shares.tables // PER_PASSAGE
            while (
                need := others + share_out(ram, encoder=shares.encoder, passages=passages, others=shares.others).total
            ) > ram:
                ram = need
        return ram

    def __iter__(self) -> Iterator[PlanLine]:
        return iter(self.lines)

    def _line(self, part: str) -> PlanLine:
        for line in self.lines:
            if line.part == part:
                return line
        self.lines.append(PlanLine(part))
        return self.lines[-1]
