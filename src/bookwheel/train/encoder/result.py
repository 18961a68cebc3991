"""What training an encoder came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..forgetting import warning
from ..result import Training, tenths
from ..safety import MEASURE, Change, Verdict
from .pretraining import Pretraining

__all__ = ["EncoderTraining"]


@dataclass(frozen=True, kw_only=True)
class EncoderTraining(Training):
    """The model, and how it compares with the one that it started from."""

    also: ClassVar[tuple[str, ...]] = ("loss",)
    base: str
    teacher: str | None
    """Whose similarities were imitated."""
    sources: tuple[str, ...]
    """Where the pairs are from."""
    pairs: int
    """That there were to train on."""
    seen: int
    """Those that were trained on."""
    negatives: tuple[int, ...]
    """By round, the pairs of it that had a hard negative."""
    steps: int
    batch: int
    plan: str
    """How a step was taken within the budget."""
    losses: tuple[float, ...]
    """Of each step, before it."""
    rates: tuple[float, ...]
    """The learning rate of each step."""
    share: float
    """Of the way from the old weights to the trained ones; 0 where validation found none of it good."""
    validation: Mapping[str, float]
    """`MEASURE` on the queries by which ``share`` was chosen, by share."""
    pool: int
    """Passages among which both were compared."""
    verdict: Verdict
    general: Change | None = None
    """General questions by both models, which says what was forgotten; None where no share of the way was good."""
    pretraining: Pretraining | None = None
    """What came before, where anything did."""

    @property
    def loss(self) -> tuple[float, float]:
        """Mean of the first and of the last tenth of the steps."""
        return tenths(self.losses)

    def __str__(self) -> str:
        first, last = self.loss
        taught = f", taught by {self.teacher}" if self.teacher else ""
        lines = [
            f"trained {self.base} in {self.steps:,} steps of {self.batch:,} pairs ({', '.join(self.sources)}{taught}; {self.seen:,} of "
            f"{self.pairs:,} pairs) in {self.seconds:.0f} s; loss {first:.3f} → {last:.3f}",
            self.plan,
            *([] if self.pretraining is None else [str(self.pretraining)]),
            *map(str, (*self.verdict.changes, *self.verdict.languages)),
            *self.judges,
            *(str(one) for one in (self.general, warning(self.general)) if one),
            f"compared among {self.pool:,} passages near the queries",
            *self.notes,
        ]
        if self.folder is None:
            lines.append(
                f"Nothing was changed: {self.verdict.reason if self.share else f'on validation queries {MEASURE} did not rise'}."
            )
        else:
            lines.append(f"written to {self.folder}")
        return "\n".join(lines)
