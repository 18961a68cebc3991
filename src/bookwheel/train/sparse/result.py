"""What training a table of query weights came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...memory.plan import MemoryPlan
from ..safety import MEASURE, Change

__all__ = ["MARGIN", "SparseTraining"]

MARGIN = 0.03
"""Of `MEASURE`: how much worse a table may be than the encoder itself, at the lower end of the 90 % interval."""


@dataclass(frozen=True)
class SparseTraining:
    """The model with its table, and how it compares with the encoder that reads queries itself."""

    library: str
    folder: str | None
    """Of the new model; None where the table is too much worse, and nothing was written."""
    teacher: str
    passages: int
    queries: int
    """Titles and sentences that stood for queries."""
    tokens: int
    """With a weight that was fitted to queries; that of the others follows from how rare they are."""
    pull: float
    """How strongly weights are drawn to what the encoder gives each token by itself, as chosen on validation queries."""
    change: Change
    """From the encoder to the table, on held-out queries; the interval is of 90 %."""
    untrained: float
    """`MEASURE` of weights by rarity alone."""
    milliseconds: tuple[float, float]
    """Of processor time to encode a query, by the encoder and by the table: medians."""
    seconds: float
    seed: int
    notes: tuple[str, ...] = ()
    memory_plan: MemoryPlan | None = None

    @property
    def reason(self) -> str:
        """Why nothing was written; nothing where it was."""
        if self.change.low > -MARGIN:
            return ""
        return f"with it {MEASURE} may fall by {-self.change.low:.3f}, more than {MARGIN}"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        names = ("library", "folder", "teacher", "passages", "queries", "tokens", "pull", "untrained", "seconds", "seed")
        return {
            **{name: getattr(self, name) for name in names},
            "change": self.change.to_dict(),
            "milliseconds": list(self.milliseconds),
            "reason": self.reason,
            "notes": list(self.notes),
        }

    def rows(self) -> list[tuple[str, ...]]:
        """A table for the model's card, its header first."""
        one = self.change
        return [
            (f"held-out queries ({one.queries})", MEASURE, "ms a query"),
            ("the encoder reads the query", f"{one.before:.4f}", f"{self.milliseconds[0]:.2f}"),
            ("this table", f"{one.after:.4f}", f"{self.milliseconds[1]:.2f}"),
            ("by rarity alone", f"{self.untrained:.4f}", ""),
        ]

    def __str__(self) -> str:
        one = self.change
        lines = [
            f"fitted to {self.queries:,} titles and sentences on {self.passages:,} passages, {self.tokens:,} tokens, "
            f"in {self.seconds:.0f} s",
            f"queries by the encoder, then by the table: {MEASURE} {one.before:.3f} → {one.after:.3f} "
            f"({one.difference:+.3f}, 90 % interval {one.low:+.3f} to {one.high:+.3f}, {one.queries} held-out queries), "
            f"{self.milliseconds[0]:.1f} → {self.milliseconds[1]:.2f} ms a query; by rarity alone {self.untrained:.3f}",
            *self.notes,
        ]
        lines.append(f"Nothing was written: {self.reason}." if self.folder is None else f"written to {self.folder}")
        return "\n".join(lines)
