"""What fitting a linear map to an encoder's stored vectors came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..result import Training
from ..safety import FEWEST, MEASURE, Change

__all__ = ["SHARE", "ProjectionTraining"]

SHARE = "share of the true 10 among 100"
"""What codes are measured by: the best passages of the encoder's own vectors among as many candidates."""
TOLERANCE = 0.01
"""How far a mean of nDCG@10 may fall, if not significantly, where codes are better."""


@dataclass(frozen=True, kw_only=True)
class ProjectionTraining(Training):
    """The model, and how it compares with the encoder that it maps."""

    also: ClassVar[tuple[str, ...]] = ("reason",)
    base: str
    """The encoder's name in the library."""
    dimension: int
    """Of the encoder."""
    widths: tuple[int, ...]
    """At which the new vectors can be cut; the last is their own dimension."""
    passages: int
    """Whose stored vectors it was fitted to."""
    changes: tuple[Change, ...]
    """By width: the encoder's first dimensions (before) and the new ones (after), as codes of one bit each and as numbers."""
    whole: float
    """`MEASURE` of the encoder's whole vectors, on the same queries."""
    added: str | None = None
    """The name under which the library has it now."""

    @property
    def reason(self) -> str:
        """Why it is not written, as the end of a sentence; nothing where it is."""
        if not self.changes or self.changes[0].queries < FEWEST:
            count = self.changes[0].queries if self.changes else 0
            return f"only {count} held-out queries could be made, where {FEWEST} are needed to tell"
        for change in self.changes:
            if change.worse:
                return f"it is significantly worse by {change}"
            if change.measure == MEASURE and change.difference < -TOLERANCE:
                return f"it is no better by {change}"
        if not any(change.better for change in self.changes):
            return f"its gain is too small to tell from chance ({self.changes[0]})"
        return ""

    def rows(self) -> list[tuple[str, ...]]:
        """A table for a model's card, its header first."""
        head = ("held-out queries", "measure", "before", "after", "difference", "p")
        return [
            head,
            *(
                (
                    f"{one.what} ({one.queries})",
                    one.measure,
                    f"{one.before:.4f}",
                    f"{one.after:.4f}",
                    f"{one.difference:+.4f}",
                    f"{one.p:.2g}",
                )
                for one in self.changes
            ),
        ]

    def __str__(self) -> str:
        widths = ", ".join(map(str, self.widths))
        lines = [
            f"fitted to the vectors of {self.passages:,} passages by {self.base} ({self.dimension} dimensions), to be cut at "
            f"{widths}, in {self.seconds:.0f} s",
            *map(str, self.changes),
            *self.judges,
        ]
        if self.widths[-1] < self.dimension:
            lines.append(f"All {self.dimension} dimensions of {self.base} reach {MEASURE} {self.whole:.3f} on these queries.")
        if self.folder is None:
            lines.append(f"Nothing was changed: {self.reason}.")
        else:
            lines.append(self.written)
        return "\n".join(lines)
