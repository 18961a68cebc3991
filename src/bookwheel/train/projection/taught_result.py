"""What fitting a linear map to a larger encoder's rankings came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..forgetting import warning
from ..result import Training
from ..safety import Change, Verdict

__all__ = ["TaughtProjection"]


@dataclass(frozen=True, kw_only=True)
class TaughtProjection(Training):
    """The model, and how it compares with the encoder that it maps."""

    also: ClassVar[tuple[str, ...]] = ("reason",)
    base: str
    """The encoder's name in the library."""
    teacher: str
    """The larger encoder."""
    dimension: int
    """Of the encoder, and of the model."""
    passages: int
    """That the teacher ranked."""
    queries: int
    """Drawn of the library, for which it ranked them."""
    losses: tuple[float, ...]
    """The divergence from the teacher's rankings, of each step, before it."""
    rates: tuple[float, ...]
    """The learning rate of each step."""
    divergence: tuple[float, float]
    """From the teacher's rankings for drawn queries that were left out, before and after."""
    verdict: Verdict
    """The encoder (before) and the model (after) on held-out queries, among all passages: by the vectors alone, and with BM25."""
    general: Change
    """General questions by both."""
    added: str | None = None
    """The name under which the library has it now."""

    @property
    def reason(self) -> str:
        """Why it is not written, as the end of a sentence; nothing where it is."""
        return self.verdict.reason

    def __str__(self) -> str:
        before, after = self.divergence
        lines = [
            f"fitted to the rankings of {self.passages:,} passages by {self.teacher} for {self.queries:,} drawn queries, in "
            f"{len(self.losses):,} steps, in {self.seconds:.0f} s",
            f"divergence from the rankings for other drawn queries: {before:.3f} → {after:.3f}",
            *map(str, self.verdict.changes),
            *map(str, self.verdict.languages),
            *self.judges,
            str(self.general),
        ]
        if told := warning(self.general):
            lines.append(told)
        lines.append(f"Nothing was changed: {self.reason}." if self.folder is None else self.written)
        return "\n".join(lines)
