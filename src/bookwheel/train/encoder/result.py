"""What training an encoder came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...memory.plan import MemoryPlan
from ..forgetting import warning
from ..safety import MEASURE, Change, Verdict
from .pretraining import Pretraining

__all__ = ["EncoderTraining"]


@dataclass(frozen=True)
class EncoderTraining:
    """The model, and how it compares with the one that it started from."""

    library: str
    folder: str | None
    """Of the new model; None where it is no better, and nothing was written."""
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
    seconds: float
    seed: int
    notes: tuple[str, ...] = ()
    general: Change | None = None
    """General questions by both models, which says what was forgotten; None where no share of the way was good."""
    pretraining: Pretraining | None = None
    """What came before, where anything did."""
    memory_plan: MemoryPlan | None = field(default=None, compare=False)

    @property
    def loss(self) -> tuple[float, float]:
        """Mean of the first and of the last tenth of the steps."""
        tenth = max(1, len(self.losses) // 10)
        return sum(self.losses[:tenth]) / tenth, sum(self.losses[-tenth:]) / tenth

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "library": self.library,
            "folder": self.folder,
            "base": self.base,
            "teacher": self.teacher,
            "sources": list(self.sources),
            "pairs": self.pairs,
            "seen": self.seen,
            "negatives": list(self.negatives),
            "steps": self.steps,
            "batch": self.batch,
            "plan": self.plan,
            "loss": list(self.loss),
            "losses": list(self.losses),
            "rates": list(self.rates),
            "share": self.share,
            "validation": dict(self.validation),
            "pool": self.pool,
            "verdict": self.verdict.to_dict(),
            "general": None if self.general is None else self.general.to_dict(),
            "pretraining": None if self.pretraining is None else self.pretraining.to_dict(),
            "seconds": self.seconds,
            "seed": self.seed,
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        first, last = self.loss
        taught = f", taught by {self.teacher}" if self.teacher else ""
        lines = [
            f"trained {self.base} in {self.steps:,} steps of {self.batch:,} pairs ({', '.join(self.sources)}{taught}; {self.seen:,} of "
            f"{self.pairs:,} pairs) in {self.seconds:.0f} s; loss {first:.3f} → {last:.3f}",
            self.plan,
            *([] if self.pretraining is None else [str(self.pretraining)]),
            *map(str, (*self.verdict.changes, *self.verdict.languages)),
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
