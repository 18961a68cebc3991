"""What training a query tower came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..forgetting import warning
from ..result import Training
from ..safety import Change, Verdict

__all__ = ["TowerTraining"]


@dataclass(frozen=True, kw_only=True)
class TowerTraining(Training):
    """The model, and how it compares with the encoder whose layers it has."""

    also: ClassVar[tuple[str, ...]] = ("change", "share")
    base: str
    """The encoder's name in the library."""
    layers: tuple[int, ...]
    """Those of the encoder's that queries go through, from 0; none for a table of token vectors."""
    steps: int
    losses: tuple[float, ...]
    """Of each step, before it."""
    rates: tuple[float, ...]
    """The learning rate of each step."""
    plan: str
    """How a step was taken within the budget."""
    verdict: Verdict
    """The whole encoder (before) and the tower (after) on held-out queries, among all passages."""
    least: float | None
    """The share of the whole encoder that is written; None: only what is better."""
    milliseconds: tuple[float, float]
    """That encoding a query takes, by the whole encoder and by the tower, in int8 as they are loaded."""
    teacher: str | None = None
    """The recipe whose rankings were imitated; None for the encoder itself."""
    queries: int = 0
    """That a table of token vectors was fitted to."""
    general: Change | None = None
    """General questions by both: what the tower knows of other subjects than the library's."""

    @property
    def change(self) -> Change:
        """By the stored vectors alone."""
        return self.verdict.changes[0]

    @property
    def writable(self) -> bool:
        """Whether it reaches enough."""
        return self.verdict.better if self.least is None else self.share >= self.least

    @property
    def share(self) -> float:
        """Of the whole encoder's mean, that is reached."""
        return self.change.after / self.change.before if self.change.before else 1.0

    def __str__(self) -> str:
        before, after = (f"{one:.1f} ms" if one >= 1 else f"{1000 * one:.0f} µs" for one in self.milliseconds)
        what = f"layers {', '.join(str(one + 1) for one in self.layers)} of {self.base}"
        if not self.layers:
            what = f"a table of token vectors for {self.base} on {self.queries:,} queries"
        taught = "" if self.teacher is None else f" to rank as {self.teacher}"
        lines = [
            f"trained {what}{taught} in {self.steps:,} steps, in {self.seconds:.0f} s",
            self.plan,
            f"{self.change}: {100 * self.share:.1f} % of the whole model; a query takes {after}, {before} before",
        ]
        lines += [*map(str, self.verdict.changes[1:]), *self.judges]
        lines += [str(one) for one in (self.general, warning(self.general)) if one]
        if self.folder is not None:
            lines.append(f"written to {self.folder}")
        elif self.least is None:
            lines.append(f"Nothing was changed: {self.verdict.reason}.")
        else:
            more = "more --minutes, or more --layers" if self.layers else "less with --least, or give --layers"
            lines.append(f"Nothing was changed: {100 * self.least:.0f} % are wanted; allow {more}.")
        return "\n".join(lines)
