"""What training over lists came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..result import Training, tenths
from ..safety import MEASURE, Verdict

__all__ = ["ListTraining"]


@dataclass(frozen=True, kw_only=True)
class ListTraining(Training):
    """The model, and how the order that it gives compares with BM25's."""

    kind: str
    """What was trained: ``reranker`` or ``tokens``."""
    recipe: str | None
    """What to search with; None where nothing was written."""
    base: str
    teacher: str | None
    sources: tuple[str, ...]
    """Where the pairs are from."""
    loss: str
    """Its name in `LOSSES`."""
    pairs: int
    """Queries with their answers that there were to train on."""
    seen: int
    """Those that were trained on."""
    others: int
    """Passages beside the answer, of each query in a step."""
    steps: int
    batch: int
    plan: str
    """How a step was taken within the budget."""
    losses: tuple[float, ...]
    """Of each step, before it."""
    rates: tuple[float, ...]
    """The learning rate of each step."""
    taken: int
    """The step after which the weights were best on validation queries."""
    weight: float
    """The model's share of the score, chosen with it; 0 where none was better than BM25 alone."""
    validation: Mapping[str, Mapping[str, float]]
    """`MEASURE` on the queries by which both were chosen: by step, by weight."""
    verdict: Verdict

    @property
    def writable(self) -> bool:
        """Whether the model may be written: where it is better, and, where nothing was trained, also where it is no worse."""
        if self.weight == 0 or self.verdict.better:
            return self.weight > 0
        changes = (*self.verdict.changes, *self.verdict.languages)
        return (
            not self.steps
            and bool(changes)
            and all(one.difference >= 0 for one in self.verdict.changes)
            and not any(one.worse for one in changes)
        )

    @property
    def loss_change(self) -> tuple[float, float]:
        """Mean of the first and of the last tenth of the steps."""
        return tenths(self.losses)

    def __str__(self) -> str:
        lines = [*self._told(), *map(str, (*self.verdict.changes, *self.verdict.languages)), *self.judges, *self.notes]
        if self.folder is None:
            none = f"on validation queries no share of its score raised {MEASURE} above that of BM25 alone"
            lines.append(f"Nothing was written: {self.verdict.reason if self.weight else none}.")
        else:
            lines.append(f"the weights after step {self.taken:,} were best, with {self.weight:g} of the score")
            if self.verdict.reason:
                lines.append(f"It is no worse than BM25, but {self.verdict.reason}.")
            lines.append(f"written to {self.folder}")
        return "\n".join(lines)

    def _told(self) -> list[str]:
        """What was trained."""
        if not self.steps:
            return [f"took {self.base} as it is, with nothing trained, in {self.seconds:.0f} s"]
        first, last = self.loss_change
        taught = f", taught by {self.teacher}" if self.teacher else ""
        steps = "step" if self.steps == 1 else "steps"
        return [
            f"trained {self.base} in {self.steps:,} {steps} of {self.batch:,} queries with {1 + self.others} passages each "
            f"({', '.join(self.sources)}{taught}; {self.seen:,} of {self.pairs:,} queries) in {self.seconds:.0f} s; "
            f"loss {first:.3f} → {last:.3f}",
            self.plan,
        ]
