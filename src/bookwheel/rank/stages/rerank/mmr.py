"""``mmr(balance=0.7, hits=50, on="dense")``: maximal marginal relevance (Carbonell and Goldstein,
SIGIR 1998).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....hits import Hits
from ...query import Query
from ..base import Rerank, stacked
from ..context import Context
from ..parameters import check_dense, check_number, check_whole

__all__ = ["Mmr", "marginal_order"]


def marginal_order(relevance: NDArray[np.floating], similarities: NDArray[np.floating], balance: float) -> NDArray[np.int64]:
    """The order in which to show n candidates, int64 (n,).

    The next one is always the one with the largest ``balance`` * relevance - (1 - balance) *
    similarity to the nearest one chosen before; of equal values the earlier candidate.
    ``relevance`` (n,) from 0 to 1, ``similarities`` (n, n).
    """
    n = len(relevance)
    left = np.ones(n, np.bool_)
    nearest = np.full(n, -np.inf)
    order = np.empty(n, np.int64)
    for place in range(n):
        value = balance * relevance - (1 - balance) * np.where(np.isfinite(nearest), nearest, 0.0)
        best = int(np.argmax(np.where(left, value, -np.inf)))
        order[place] = best
        left[best] = False
        nearest = np.maximum(nearest, similarities[best])
    return order


@dataclass(frozen=True, slots=True)
class Mmr(Rerank):
    """Orders the best ``hits`` candidates so that each adds something to those before it.

    ``balance``: 1 is relevance alone, 0 diversity alone. ``on``: the dense representation that
    tells how similar passages are.
    """

    name = "mmr"
    summary = "puts passages first that add something to those before them"
    source = "Carbonell and Goldstein, maximal marginal relevance, SIGIR 1998"
    needs = ("vectors",)
    cost = "about 0.5 ms for 50 candidates"

    balance: float = 0.7
    hits: int = 50
    on: str = "dense"

    def check_parameters(self) -> None:
        """Check all but the representation."""
        check_number("balance", self.balance, 0, 1)
        check_whole("hits", self.hits, 2, 2000)

    def representations(self) -> tuple[str, ...]:
        """The vectors that tell how similar passages are."""
        return (self.on,)

    def validate(self, representations: Mapping[str, str]) -> None:
        """Raise `RecipeError` unless the representation is dense."""
        check_dense(self.name, self.on, representations)

    def depth(self, want: int) -> int | None:
        """The candidates, or ``want`` if that is more."""
        return max(self.hits, want)

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        """The first candidates in their new order, the others below."""
        head = hits.top(self.hits)
        if len(head) < 2:
            return hits
        vectors = context.vectors(self.on, head.ids)
        low, high = float(head.scores[-1]), float(head.scores[0])
        relevance = (head.scores - low) / (high - low) if high > low else np.ones(len(head))
        order = marginal_order(relevance, vectors @ vectors.T, self.balance)
        # The greedy values may rise further down the list, so scores are made of the places.
        scores = (1.0 - np.arange(len(order)) / len(order)).astype(np.float32)
        return stacked(Hits(head.ids[order], scores), hits)
