"""What training a table of query weights came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..result import Training
from ..safety import MEASURE, Change

__all__ = ["MARGIN", "SparseTraining"]

MARGIN = 0.03
"""Of `MEASURE`: how much worse a table may be than the encoder itself, at the lower end of the 90 % interval."""


@dataclass(frozen=True, kw_only=True)
class SparseTraining(Training):
    """The model with its table, and how it compares with the encoder that reads queries itself."""

    also: ClassVar[tuple[str, ...]] = ("reason",)
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

    @property
    def reason(self) -> str:
        """Why nothing was written; nothing where it was."""
        if self.change.low > -MARGIN:
            return ""
        return f"with it {MEASURE} may fall by {-self.change.low:.3f}, more than {MARGIN}"

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
            *self.judges,
            *self.notes,
        ]
        lines.append(f"Nothing was written: {self.reason}." if self.folder is None else f"written to {self.folder}")
        return "\n".join(lines)
