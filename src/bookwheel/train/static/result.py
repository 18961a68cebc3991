"""What training a static model came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...memory.plan import MemoryPlan
from ..forgetting import warning
from ..safety import MEASURE, Change, Verdict

__all__ = ["StaticTraining"]


@dataclass(frozen=True)
class StaticTraining:
    """The model, and how it compares with the one that it started from."""

    library: str
    folder: str | None
    """Of the new model; None where it is no better, and nothing was written."""
    base: str
    teacher: str | None
    passages: int
    """That it was trained on."""
    queries: int
    """Titles and sentences that stood for queries."""
    new_words: int
    steps: int
    share: float
    """Of the way from the old vectors to the trained ones; 0 where validation found none of it good."""
    losses: tuple[float, ...]
    """Of each step, before it."""
    rates: tuple[float, ...]
    """The learning rate of each step."""
    validation: dict[str, float]
    """`MEASURE` on the queries by which ``share`` was chosen, by share."""
    verdict: Verdict
    seconds: float
    seed: int
    notes: tuple[str, ...] = ()
    general: Change | None = None
    """General questions by both models, which says what was forgotten; None where no share of the way was good."""
    memory_plan: MemoryPlan | None = None

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
            "passages": self.passages,
            "queries": self.queries,
            "new_words": self.new_words,
            "steps": self.steps,
            "share": self.share,
            "loss": list(self.loss),
            "losses": list(self.losses),
            "rates": list(self.rates),
            "validation": self.validation,
            "verdict": self.verdict.to_dict(),
            "general": None if self.general is None else self.general.to_dict(),
            "seconds": self.seconds,
            "seed": self.seed,
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        lines = [
            f"trained on {self.passages:,} passages, with {self.queries:,} titles and sentences as queries and "
            f"{self.new_words:,} new words, in {self.seconds:.0f} s",
            *map(str, (*self.verdict.changes, *self.verdict.languages)),
            *(str(one) for one in (self.general, warning(self.general)) if one),
            *self.notes,
        ]
        if self.folder is None:
            lines.append(f"Nothing was changed: {self.verdict.reason or f'on validation queries {MEASURE} did not rise'}.")
        else:
            lines.append(f"written to {self.folder}")
        return "\n".join(lines)
