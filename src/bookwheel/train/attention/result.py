"""What training attention heads came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..result import Training
from ..safety import MEASURE, Verdict

__all__ = ["AttentionTraining"]


@dataclass(frozen=True, kw_only=True)
class AttentionTraining(Training):
    """The heads with their weights, and how the order that they give compares with BM25's."""

    kind: ClassVar[str] = "attention"
    also: ClassVar[tuple[str, ...]] = ("kind",)
    recipe: str | None
    """What to search with; None where nothing was written."""
    model: str
    sources: tuple[str, ...]
    """Where the pairs are from."""
    lists: int
    """Queries that were read with their passages, to fit weights to."""
    others: int
    """Passages of each, beside the answer."""
    layers: int
    """Of the model, that were read."""
    heads: tuple[tuple[int, int, float], ...]
    """Layer, head and weight of those that are used, the heaviest first."""
    pull: float
    """How strongly weights were drawn to nothing, as chosen on lists left out."""
    loss: tuple[float, float]
    """In nats, of lists left out: of equal passages, and of the chosen pull."""
    weight: float
    """The heads' share of the score, as chosen on validation queries; 0 where none was better than BM25 alone."""
    validation: Mapping[str, Mapping[str, float]]
    """`MEASURE` on the queries by which the share was chosen: by heads, by share."""
    verdict: Verdict

    def __str__(self) -> str:
        best = " ".join(f"{layer}.{head}" for layer, head, _ in self.heads[:8])
        deepest = 1 + max((layer for layer, _, _ in self.heads), default=0)
        lines = [
            f"read {self.lists:,} queries with {1 + self.others} passages each ({', '.join(self.sources)}) in {self.layers} layers of "
            f"{self.model}, in {self.seconds:.0f} s; loss of lists left out {self.loss[0]:.3f} → {self.loss[1]:.3f}",
            f"{len(self.heads)} heads, the last in layer {deepest}; the heaviest: {best}"
            if self.heads
            else "no head was of use",
            *map(str, (*self.verdict.changes, *self.verdict.languages)),
            *self.judges,
            *self.notes,
        ]
        if self.folder is None:
            none = f"on validation queries no share of the heads' score raised {MEASURE} above that of BM25 alone"
            lines.append(f"Nothing was written: {self.verdict.reason if self.weight else none}.")
        else:
            lines.append(f"with {self.weight:g} of the score they were best")
            lines.append(f"written to {self.folder}")
        return "\n".join(lines)
