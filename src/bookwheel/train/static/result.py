"""What training a static model came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..forgetting import warning
from ..result import Training, tenths
from ..safety import MEASURE, Change, Verdict

__all__ = ["StaticTraining"]


@dataclass(frozen=True, kw_only=True)
class StaticTraining(Training):
    """The model, and how it compares with the one that it started from."""

    also: ClassVar[tuple[str, ...]] = ("loss",)
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
    general: Change | None = None
    """General questions by both models, which says what was forgotten; None where no share of the way was good."""

    @property
    def loss(self) -> tuple[float, float]:
        """Mean of the first and of the last tenth of the steps."""
        return tenths(self.losses)

    def __str__(self) -> str:
        lines = [
            f"trained on {self.passages:,} passages, with {self.queries:,} titles and sentences as queries and "
            f"{self.new_words:,} new words, in {self.seconds:.0f} s",
            *map(str, (*self.verdict.changes, *self.verdict.languages)),
            *self.judges,
            *(str(one) for one in (self.general, warning(self.general)) if one),
            *self.notes,
        ]
        if self.folder is None:
            lines.append(f"Nothing was changed: {self.verdict.reason or f'on validation queries {MEASURE} did not rise'}.")
        else:
            lines.append(self.written)
        return "\n".join(lines)
