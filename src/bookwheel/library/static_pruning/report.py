"""What pruning tells: how many passages were judged and left out, why, and which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...documents.quality import Kind

__all__ = ["REASONS", "PrunedPassage", "Pruning"]

REASONS: Mapping[int, str] = {
    Kind.REPEATED: "repeats earlier passages",
    Kind.EMPTY: "hardly a word",
    Kind.LICENCE: "licence or legal notice",
    Kind.NAVIGATION: "navigation",
    Kind.LISTED: "contents, index or list",
    Kind.ORDINARY: "least of the ordinary passages",
}
"""Why a passage is left out, by `Kind`; the last where a share was asked for that the others do not fill."""


@dataclass(frozen=True, slots=True)
class PrunedPassage:
    """A passage that is left out of searches."""

    passage: int
    """Its number."""
    id: str
    """Of its document."""
    source: str
    place: str
    reason: str
    """One of `REASONS`."""
    odds: float
    """Logarithm of the odds that it is boilerplate, as estimated."""
    text: str
    """The beginning."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name) for name in ("passage", "id", "source", "place", "reason", "odds", "text")}


@dataclass(frozen=True, slots=True)
class Pruning:
    """What one run of pruning found, and did."""

    judged: int
    """Passages of the library."""
    pruned: int
    """Passages that are left out, or would be."""
    reasons: Mapping[str, int]
    """How many for each of `REASONS`, the most first."""
    signs: int
    """Passages that show a sign of boilerplate, left out or not."""
    emptied: int
    """Documents of which no passage is left."""
    examples: tuple[PrunedPassage, ...]
    """Some of each reason."""
    done: bool
    """Whether it was done: not in a trial."""

    @property
    def share(self) -> float:
        """Of all passages."""
        return self.pruned / max(self.judged, 1)

    @property
    def ordinary(self) -> int:
        """Passages left out that show no sign of boilerplate, only to make up the share."""
        return self.reasons.get(REASONS[Kind.ORDINARY], 0)

    @property
    def warning(self) -> str:
        """What is to be expected where ordinary passages are left out; empty where none is."""
        if not self.ordinary:
            return ""
        every = self.judged - self.signs
        return (
            f"only {self.signs:,} of {self.judged:,} passages show a sign of boilerplate; to make up the share, {self.ordinary:,} "
            f"ordinary ones are left out, {100 * self.ordinary / max(every, 1):.0f} % of all such: about as many of the answers will not "
            "be found; without a share only boilerplate is left out"
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        plain = {name: getattr(self, name) for name in ("judged", "pruned", "share", "signs", "emptied", "done", "warning")}
        return {**plain, "reasons": dict(self.reasons), "examples": [one.to_dict() for one in self.examples]}
