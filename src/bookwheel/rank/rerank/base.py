"""What a reranker is, and what becomes of its scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...hits import Hits
from ..stages.base import ExplainedHits, stacked

__all__ = ["Reranked", "Reranker", "applied", "standard"]


@dataclass(frozen=True, slots=True, eq=False)
class Reranked:
    """Scores of texts, aligned with them."""

    scores: NDArray[np.float32]
    """Shape (n,); higher is better. Only those that are done mean something."""
    done: NDArray[np.bool_]
    """Shape (n,): which texts were scored in the time allowed."""

    @classmethod
    def of(cls, values: Sequence[float | None]) -> Reranked:
        """From one score a text, None where there was no time."""
        done = np.array([value is not None for value in values], np.bool_)
        return cls(np.array([0.0 if value is None else value for value in values], np.float32), done)


class Reranker(Protocol):
    """Scores a few texts for a query."""

    def rerank(self, query: str, texts: Sequence[str], *, deadline: float | None = None) -> Reranked:
        """Scores of ``texts``, best candidates first: they are done in that order, up to ``deadline``
        (``time.monotonic()``).
        """


def applied(hits: Hits, found: Reranked, weight: float, name: str) -> Hits:
    """``hits`` in the new order: those done by ``weight`` times their new score and the rest the old one, both standardised.

    With weight 1 the scores are the reranker's own. What was not done follows in its old order.
    """
    rows = np.flatnonzero(found.done)
    if not len(rows):
        return hits
    new = found.scores[rows].astype(np.float64)
    if weight == 1:
        head = Hits.ranked(hits.ids[rows], new)
    else:
        old = hits.scores[rows].astype(np.float64)
        parts = {"first": (1 - weight) * standard(old), name: weight * standard(new)}
        scores = parts["first"] + parts[name]
        order = np.lexsort((hits.ids[rows], -scores.astype(np.float32)))
        single = {key: values[order].astype(np.float32) for key, values in parts.items()}
        raw = {"first": hits.scores[rows][order], name: found.scores[rows][order]}
        head = ExplainedHits(hits.ids[rows][order], scores[order].astype(np.float32), single, raw)
    return head if len(rows) == len(hits) else stacked(head, hits)


def standard(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores with mean 0 and standard deviation 1; zeros where all are the same."""
    deviation = float(scores.std())
    flat = deviation <= 1e-9 * max(1.0, float(np.abs(scores).max(initial=0)))
    return np.zeros_like(scores) if flat else (scores - scores.mean()) / deviation
