"""A ranking with the parts of its scores, and what each stage did."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..hits import Hits
from .query import Query

__all__ = ["Parts", "Ranking", "StageTrace", "Trace"]

Parts = dict[str, NDArray[np.float32]]
"""By the name of a retriever or stage: float32 (n,), aligned with hits."""


@dataclass(frozen=True, slots=True)
class StageTrace:
    """What one stage did for one query."""

    recipe: str
    depth: int
    """How deep it is nested in the recipe, from 0."""
    seconds: float
    """Its own time, without that of the stages nested in it."""
    before: int | None
    """Hits that it was given; None if it takes none."""
    after: int | None
    """Hits that it gave; None if it gave a query."""
    notes: tuple[str, ...] = ()
    """What it reported: terms that it added, a model that did not answer."""


@dataclass(slots=True)
class Trace:
    """What a recipe did for one query, stage by stage in the order in which they ran."""

    stages: list[StageTrace] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Hits with the explanation of their scores. All arrays are float32 (n,), aligned with
    ``hits``.
    """

    hits: Hits
    parts: Parts
    """What each retriever or reranking stage contributes: weight times normalised score. They add
    up to the score.
    """
    raw: Parts
    """The own scores of each, before weights and normalisation."""
    query: Query | None = None
    """The query as the stages left it."""
    notes: tuple[str, ...] = ()
    """What stages reported, for example that one was skipped and why."""
    trace: Trace | None = None
    """Time and number of candidates of each stage, if a trace was asked for."""

    def __len__(self) -> int:
        return len(self.hits)
