"""What training a query tower came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...memory.plan import MemoryPlan
from ..forgetting import warning
from ..safety import Change

__all__ = ["TowerTraining"]


@dataclass(frozen=True)
class TowerTraining:
    """The model, and how it compares with its teacher."""

    library: str
    folder: str | None
    """Of the new model; None where it reaches too little, and nothing was written."""
    base: str
    """The teacher's name in the library."""
    layers: tuple[int, ...]
    """Those of the teacher's that queries go through, from 0; none for a table of token vectors."""
    steps: int
    losses: tuple[float, ...]
    """Of each step, before it."""
    rates: tuple[float, ...]
    """The learning rate of each step."""
    plan: str
    """How a step was taken within the budget."""
    change: Change
    """The teacher (before) and the tower (after) on held-out queries, among all passages."""
    least: float
    """The share of the teacher that is written."""
    milliseconds: tuple[float, float]
    """That encoding a query takes, by the teacher and by the tower, in int8 as they are loaded."""
    seconds: float
    seed: int
    queries: int = 0
    """That a table of token vectors was fitted to."""
    general: Change | None = None
    """General questions by both: what the tower knows of other subjects than the library's."""
    memory_plan: MemoryPlan | None = field(default=None, compare=False)

    @property
    def share(self) -> float:
        """Of the teacher's mean, that is reached."""
        return self.change.after / self.change.before if self.change.before else 1.0

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "library": self.library,
            "folder": self.folder,
            "base": self.base,
            "layers": list(self.layers),
            "steps": self.steps,
            "losses": list(self.losses),
            "rates": list(self.rates),
            "plan": self.plan,
            "change": self.change.to_dict(),
            "share": self.share,
            "general": None if self.general is None else self.general.to_dict(),
            "least": self.least,
            "milliseconds": list(self.milliseconds),
            "queries": self.queries,
            "seconds": self.seconds,
            "seed": self.seed,
        }

    def __str__(self) -> str:
        before, after = (f"{one:.1f} ms" if one >= 1 else f"{1000 * one:.0f} µs" for one in self.milliseconds)
        what = f"layers {', '.join(str(one + 1) for one in self.layers)} of {self.base}"
        if not self.layers:
            what = f"a table of token vectors for {self.base} on {self.queries:,} queries"
        lines = [
            f"trained {what} in {self.steps:,} steps, in {self.seconds:.0f} s",
            self.plan,
            f"{self.change}: {100 * self.share:.1f} % of the whole model; a query takes {after}, {before} before",
        ]
        lines += [str(one) for one in (self.general, warning(self.general)) if one]
        if self.folder is None:
            more = "more --minutes, or more --layers" if self.layers else "less with --least, or give --layers"
            lines.append(f"Nothing was changed: {100 * self.least:.0f} % are wanted; allow {more}.")
        else:
            lines.append(f"written to {self.folder}")
        return "\n".join(lines)
