"""What rerankers have in common: the scores of a reranker, their combination with the first
stage's, deadlines and failures.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..._errors import ModelError
from ...hits import Hits
from ..query import Query
from .base import ExplainedHits, stacked
from .context import Context

__all__ = ["Reranked", "Reranker", "combine", "rerank_with", "standardised"]

SLOW = 1.0
"""Loading a model for longer than this many seconds is noted."""


@dataclass(frozen=True, slots=True, eq=False)
class Reranked:
    """Scores of texts, aligned with them."""

    scores: NDArray[np.float32]
    """Shape (n,); higher is better. Scores of texts that are not done mean nothing."""
    done: NDArray[np.bool_]
    """Shape (n,): which texts were scored in time."""

    @classmethod
    def of(cls, values: Sequence[float | None]) -> Reranked:
        """From one score per text, None where there was no time."""
        done = np.array([value is not None for value in values], np.bool_)
        return cls(np.array([0.0 if value is None else value for value in values], np.float32), done)


class Reranker(Protocol):
    """Scores a few texts for a query."""

    def rerank(self, query: str, texts: Sequence[str], *, deadline: float | None = None) -> Reranked:
        """Scores of ``texts``, which come best candidate first and are scored in that order.

        ``deadline``: a time of ``time.monotonic()`` after which no more are begun.
        """


def rerank_with(
    context: Context,
    query: Query,
    hits: Hits,
    make: Callable[[], Reranker],
    *,
    name: str,
    candidates: int,
    weight: float,
    seconds: float = math.inf,
) -> Hits:
    """The first ``candidates`` of ``hits`` in the order of a reranker, followed by the others in
    theirs.

    ``make`` loads the reranker; it is not called where there is nothing to rerank or no time. An
    error of ``make`` is raised, since the recipe asks for something that is missing. A `ModelError`
    while reranking only loses the reranking: the hits come back as they were, with a note.
    """
    head = hits.top(candidates)
    if len(head) < 2:
        return hits
    if context.remaining() <= 0:
        context.note(f"{name} had no time left")
        return hits
    began = time.monotonic()
    reranker = make()
    if (loading := time.monotonic() - began) > SLOW:
        context.note(f"{name}: loading its model took {loading:.1f} s, once per process")
    allowed = min(seconds, context.remaining())
    deadline = None if math.isinf(allowed) else time.monotonic() + allowed
    try:
        found = reranker.rerank(query.text, context.texts(head.ids), deadline=deadline)
    except ModelError as error:
        context.note(f"{name} was skipped: {error}")
        return hits
    if not found.done.all():
        context.note(f"{name} had time for {int(found.done.sum())} of {len(head)} candidates")
    if failure := getattr(reranker, "failure", ""):
        context.note(f"{name} ended early: {failure}")
    best = combine(head, found, weight, name)
    return best if len(best) == len(hits) else stacked(best, hits)


def combine(hits: Hits, found: Reranked, weight: float, name: str) -> Hits:
    """``hits`` by ``weight`` times the reranker's score plus (1 - ``weight``) times their own, both
    standardised.

    With a weight of 1 the scores are the reranker's own. Hits that were not done follow in their
    old order.
    """
    rows = np.flatnonzero(found.done)
    if not len(rows):
        return hits
    new = found.scores[rows].astype(np.float64)
    if weight == 1:
        head = Hits.ranked(hits.ids[rows], new)
    else:
        old = hits.scores[rows].astype(np.float64)
        parts = {"first": (1 - weight) * standardised(old), name: weight * standardised(new)}
        scores = parts["first"] + parts[name]
        order = np.lexsort((hits.ids[rows], -scores.astype(np.float32)))
        single = {key: values[order].astype(np.float32) for key, values in parts.items()}
        raw = {"first": hits.scores[rows][order], name: found.scores[rows][order]}
        head = ExplainedHits(hits.ids[rows][order], scores[order].astype(np.float32), single, raw)
    return head if len(rows) == len(hits) else stacked(head, hits)


def standardised(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores with mean 0 and standard deviation 1; zeros where all are equal."""
    deviation = float(scores.std())
    flat = deviation <= 1e-9 * max(1.0, float(np.abs(scores).max(initial=0)))
    return np.zeros_like(scores) if flat else (scores - scores.mean()) / deviation
