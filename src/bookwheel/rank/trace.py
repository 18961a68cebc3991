"""A ranking with what it is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..hits import Hits
from .query import Query

__all__ = ["Parts", "Ranking", "StageTrace", "Trace"]

Parts = dict[str, NDArray[np.float32]]
"""By the name of a retriever or a stage: float32 of shape (n,), aligned with hits."""


@dataclass(frozen=True, slots=True)
class StageTrace:
    """What one stage did for one query."""

    recipe: str
    depth: int
    """How deep in the recipe it is nested, from 0."""
    seconds: float
    """Of its own; the stages nested in it have their own lines."""
    before: int | None
    """Hits it was given; None where it takes none."""
    after: int | None
    """Hits it gave; None where it gave a query."""
    notes: tuple[str, ...] = ()
    """What it had to say: terms it added, a model that did not answer."""


@dataclass(slots=True)
class Trace:
    """What a recipe did for one query, stage by stage in the order in which they ended."""

    stages: list[StageTrace] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Notes of the stage that is running."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """A result with its explanation. All arrays are aligned with ``hits`` and float32 of shape (n,)."""

    hits: Hits
    parts: Parts
    """What each retriever, or reranking stage, contributes: weight times normalised score. They add up to the score."""
    raw: Parts
    """Each one's own score."""
    query: Query | None = None
    """The query as the stages left it."""
    notes: tuple[str, ...] = ()
    """What stages had to say: that one was skipped and why, say."""
    trace: Trace | None = None
    """Time and candidates of each stage, where that was asked for."""

    def __len__(self) -> int:
        return len(self.hits)
