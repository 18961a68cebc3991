"""Which document to judge next. Every strategy is a function from what is known to the number of a pair of the pool.

A person who is shown another query each time loses the thread: a query is left only when another has twice as much to gain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .order import Order

__all__ = ["STRATEGIES", "Choice"]

STAY = 0.5
"""A query is stayed with while its best document is worth this share of the best of all."""
RUN = 10
"""Judgments of a query in a row, by the strategies that look for relevant documents."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a strategy sees."""

    order: Order
    open: NDArray[np.bool_]
    """The pairs that may be judged: not judged, not skipped, and of use."""
    worth: NDArray[np.float64]
    """See `Order.worth`."""
    history: tuple[int, ...]
    """The pairs judged so far, oldest first."""


def minimal(choice: Choice) -> int:
    """The document that moves undecided differences most (Carterette et al., SIGIR 2006)."""
    worth = np.where(choice.open, choice.worth, 0.0)
    best = int(worth.argmax())
    if choice.history:
        queries = choice.order.pool.query
        here = np.where(queries == queries[choice.history[-1]], worth, 0.0)
        at = int(here.argmax())
        if here[at] > 0 and here[at] >= STAY * worth[best]:
            return at
    return best


def maxmean(choice: Choice) -> int:
    """The next document of the recipe that has found most relevant ones for this query.

    A bandit with the recipes as its arms and Beta(1, 1) before anything is seen: Losada, Parapar and Barreiro, "Feeling Lucky?
    Multi-armed Bandits for Ordering Judgements in Pooling-based Evaluation" (SAC 2016), MaxMean.
    """

    def arm(at: NDArray[np.int64], ranks: NDArray[np.int64]) -> int:
        relevant = choice.order.grades[at] > 0
        found = ranks > 0
        means = (1 + (found & relevant).sum(1)) / (2 + found.sum(1))
        return _first(means)

    return _by_arm(choice, arm)


def move_to_front(choice: Choice) -> int:
    """The next document of the recipe whose last one was relevant (Cormack, Palmer and Clarke, SIGIR 1998)."""

    def arm(at: NDArray[np.int64], ranks: NDArray[np.int64]) -> int:
        standing = np.zeros(len(ranks))
        for time, (pair, column) in enumerate(zip(at, ranks.T, strict=True), 1):
            standing[column > 0] = time if choice.order.grades[pair] > 0 else -time
        return _first(standing)

    return _by_arm(choice, arm)


def by_depth(choice: Choice) -> int:
    """Query by query, what some recipe ranks highest: no strategy, to compare with."""
    ranks = choice.order.pool.ranks
    best = np.where(ranks > 0, ranks, np.iinfo(np.int64).max).min(0)
    queries = choice.order.pool.query
    first = int(np.flatnonzero(choice.open)[0])
    here = choice.open & (queries == queries[first])
    return int(np.where(here, best, np.iinfo(np.int64).max).argmin())


STRATEGIES: Mapping[str, Callable[[Choice], int]] = {
    "minimal": minimal,
    "maxmean": maxmean,
    "move-to-front": move_to_front,
    "depth": by_depth,
}
"""By name; the first is the one meant where none is named."""


def _first(standing: NDArray[np.float64]) -> int:
    return int(np.argmax(standing))


def _by_arm(choice: Choice, arm: Callable[[NDArray[np.int64], NDArray[np.int64]], int]) -> int:
    """The highest open document of the best arm of the query in turn: the last one for `RUN` judgments, then the least judged."""
    queries, ranks = choice.order.pool.query, choice.order.pool.ranks
    counts = np.bincount(queries[list(choice.history)], minlength=int(queries.max()) + 1)
    waiting = np.unique(queries[choice.open])
    query = int(waiting[np.argmin(counts[waiting])])
    if choice.history and (last := int(queries[choice.history[-1]])) in waiting and counts[last] % RUN:
        query = last
    here = np.flatnonzero(choice.open & (queries == query))
    judged = np.array([at for at in choice.history if queries[at] == query], np.int64)
    arms = np.flatnonzero((ranks[:, here] > 0).any(1))
    chosen = arms[arm(judged, ranks[arms][:, judged])]
    there = np.where(ranks[chosen, here] > 0, ranks[chosen, here], np.iinfo(np.int64).max)
    return int(here[there.argmin()])
