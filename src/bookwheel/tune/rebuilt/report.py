"""What trying variants of a library told."""

from __future__ import annotations

from dataclasses import dataclass

from ...evaluate.table import format_table
from ...memory.sizes import format_size
from ..folds import Gain

__all__ = ["Rebuilt", "Row"]


@dataclass(frozen=True, slots=True)
class Row:
    """One recipe in one variant."""

    variant: str
    share: float
    """Of the passages that are embedded with the model that is tried."""
    recipe: str
    score: float
    gain: Gain
    """Against what was chosen for the library as it is; of all queries, those that this row may be chosen on."""
    p95: float
    """Milliseconds, timed roughly."""
    milliseconds: float
    """What a search takes longer than by what was chosen."""
    planned: int
    """Bytes of a process that searches by it, by the memory plan."""
    bytes: int
    """Of the library on disk."""
    seconds: float
    """That rebuilding took."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was tried, and what to rebuild where that is better."""

    rows: list[Row]
    gain: Gain | None
    """Of choosing among them, on queries that were not chosen on; None where nothing was tried."""
    chosen: int | None
    """The row to rebuild for; None where nothing is worth it."""
    commands: tuple[str, ...]
    """That make it."""
    left_out: tuple[str, ...]
    """What was not tried, and why."""

    def text(self, measure: str) -> str:
        """For the report."""
        lines = [self._verdict(measure)]
        if self.rows:
            header = ["rebuilt with", "recipe", "embedded", measure, "gain", "p95 ms", "planned", "on disk", "seconds"]
            rows = [
                [
                    f"{'# ' if at == self.chosen else ''}{row.variant}", row.recipe, f"{row.share:.0%}", f"{row.score:.4f}",
                    f"{row.gain.mean:+.4f}", f"{row.p95:.1f}", format_size(row.planned), format_size(row.bytes), f"{row.seconds:.0f}",
                ]
                for at, row in enumerate(self.rows)
            ]  # fmt: skip
            lines.append(format_table(header, rows, left=2))
        if self.commands:
            lines.append("To have it:\n" + "\n".join(f"    {command}" for command in self.commands))
        if self.left_out:
            lines.append("Not tried: " + "; ".join(self.left_out) + ".")
        return "\n\n".join(lines)

    def _verdict(self, measure: str) -> str:
        if self.gain is None:
            return "Nothing was rebuilt."
        gain = f"{self.gain.mean:+.4f} (95 % of {self.gain.low:+.4f} to {self.gain.high:+.4f})"
        if self.chosen is None:
            return f"Nothing is worth rebuilding the library for: the best of what was tried changed {measure} by {gain} on other queries."
        row = self.rows[self.chosen]
        return (
            f"Rebuilt with {row.variant} it would gain more: {measure} {gain} on queries it was not chosen on, by {row.recipe} "
            f"({row.milliseconds:+.1f} ms, {format_size(row.bytes)} on disk, {row.seconds:.0f} s to rebuild)"
        )
