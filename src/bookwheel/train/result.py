"""What every training comes to: where the model is, by which queries it was compared, and all of it for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from ..memory.plan import MemoryPlan

__all__ = ["MADE", "Training", "tenths"]

MADE = "queries made of the library"


@dataclass(frozen=True, kw_only=True)
class Training:
    """What results have in common. Those of one kind say what was trained, and how it compares."""

    also: ClassVar[tuple[str, ...]] = ()
    """Properties that JSON has beside the fields."""

    library: str
    folder: str | None
    """Of the new model; None where it is no better, and nothing was written."""
    seconds: float
    seed: int
    notes: tuple[str, ...] = ()
    """What else there is to say, in sentences."""
    compared_by: str = MADE
    """The queries that were held out."""
    memory_plan: MemoryPlan | None = field(default=None, compare=False)
    again: bool = False
    """Whether the same run was finished before, so that its model was taken and nothing trained."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON: all but the plan of the memory."""
        names = [one.name for one in fields(self) if one.name != "memory_plan"]
        return {name: _plain(getattr(self, name)) for name in (*names, *self.also)}

    @property
    def written(self) -> str:
        """A line that says where the model is."""
        if self.again:
            return f"nothing was trained again: {self.folder} has the model of this very run"
        return f"written to {self.folder}"

    @property
    def judges(self) -> list[str]:
        """A line that says by which queries models were compared, where people judged them."""
        return [] if self.compared_by == MADE else [f"compared by {self.compared_by}"]


def tenths(losses: Sequence[float]) -> tuple[float, float]:
    """Mean of the first and of the last tenth of the steps."""
    tenth = max(1, len(losses) // 10)
    return sum(losses[:tenth]) / tenth, sum(losses[-tenth:]) / tenth


def _plain(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple | list) else value
