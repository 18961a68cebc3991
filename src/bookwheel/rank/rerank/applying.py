"""What the stages of rerankers have in common: which hits they read, how long they may, and what becomes of a failure."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from ..._errors import ModelError
from ...hits import Hits
from ..query import Query
from ..stages.base import Context, stacked
from .base import Reranker, applied

__all__ = ["reranked"]

SLOW = 1.0
"""Seconds from which on the loading of a model is told."""


def reranked(
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
    """The first ``candidates`` of ``hits`` in the order of a reranker, the others behind them in theirs.

    A reranker that cannot be made is an error, since the recipe asks for what is not there; one that fails while it works costs
    its work only: the hits come back as they were, with a note.
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
        context.note(f"{name}: loading its model took {loading:.1f} s, once a process")
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
    best = applied(head, found, weight, name)
    return best if len(best) == len(hits) else stacked(best, hits)
