"""What training a writer of queries came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..result import Training, tenths
from ..safety import MEASURE, Verdict

__all__ = ["WriterTraining"]


@dataclass(frozen=True, kw_only=True)
class WriterTraining(Training):
    """The model, and how it compares with the one that it started from."""

    also: ClassVar[tuple[str, ...]] = ("loss",)
    base: str
    sources: tuple[str, ...]
    """Where the pairs are from."""
    pairs: int
    """That there were to train on."""
    seen: int
    """Those that were trained on."""
    steps: int
    batch: int
    plan: str
    """How a step was taken within the budget."""
    losses: tuple[float, ...]
    """Of each step, before it, in nats a token."""
    rates: tuple[float, ...]
    """The learning rate of each step."""
    expanded: int
    """Passages for which queries were written, to compare orders by."""
    count: int
    """Queries drawn for each."""
    recipe: str | None
    """What searches with the terms of written queries, where held-out queries gained by them."""
    weight: float
    """The share of the written terms' score, as chosen on validation queries; 0 where none was better than BM25 alone."""
    threshold: float | None
    """The least cosine of a written query and its passage; None where all are kept."""
    validation: Mapping[str, Mapping[str, float]]
    """`MEASURE` on the queries by which share and threshold were chosen: by share of written queries that are kept, by share of score."""
    verdict: Verdict
    samples: tuple[tuple[str, str, str], ...]
    """How passages of the library begin, a query that the base wrote for it, and one by the trained model."""

    @property
    def loss(self) -> tuple[float, float]:
        """Mean of the first and of the last tenth of the steps."""
        return tenths(self.losses)

    def __str__(self) -> str:
        first, last = self.loss
        lines = [
            f"trained {self.base} in {self.steps:,} steps of {self.batch:,} pairs ({', '.join(self.sources)}; {self.seen:,} of "
            f"{self.pairs:,} pairs) in {self.seconds:.0f} s; loss {first:.3f} → {last:.3f}",
            self.plan,
            *map(str, (*self.verdict.changes, *self.verdict.languages)),
            *self.judges,
            *self.notes,
        ]
        for passage, before, after in self.samples:
            lines += [f"of “{passage}…”", f"  before: {before}", f"  after:  {after}"]
        if self.folder is None:
            lines.append(f"Nothing was written: {self.verdict.reason}.")
        else:
            if not self.validation:
                lines.append("there was no time to try the terms of what it writes in a search; give more --minutes to know")
            elif not self.weight:
                lines.append(
                    f"terms of written queries did not raise {MEASURE} of validation queries among BM25's candidates; what it writes is "
                    "still closer to the library's queries than before"
                )
            lines.append(f"written to {self.folder}")
        return "\n".join(lines)
