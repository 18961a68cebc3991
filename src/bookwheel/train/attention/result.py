"""What training attention heads came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...memory.plan import MemoryPlan
from ..safety import MEASURE, Verdict

__all__ = ["AttentionTraining"]


@dataclass(frozen=True)
class AttentionTraining:
    """The heads with their weights, and how the order that they give compares with BM25's."""

    library: str
    folder: str | None
    """Of the file of weights; None where the order is no better, and nothing was written."""
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
    seconds: float
    seed: int
    memory_plan: MemoryPlan | None = field(default=None, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        names = ("library", "folder", "recipe", "model", "lists", "others", "layers", "pull", "weight", "seconds", "seed")
        return {
            "kind": "attention",
            **{name: getattr(self, name) for name in names},
            "sources": list(self.sources),
            "heads": [list(one) for one in self.heads],
            "loss": list(self.loss),
            "validation": {heads: dict(row) for heads, row in self.validation.items()},
            "verdict": self.verdict.to_dict(),
        }

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
        ]
        if self.folder is None:
            none = f"on validation queries no share of the heads' score raised {MEASURE} above that of BM25 alone"
            lines.append(f"Nothing was written: {self.verdict.reason if self.weight else none}.")
        else:
            lines.append(f"with {self.weight:g} of the score they were best")
            lines.append(f"written to {self.folder}")
        return "\n".join(lines)
