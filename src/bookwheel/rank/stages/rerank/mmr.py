"""``mmr(balance=0.7, hits=50, on="dense")``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ....hits import Hits
from ...diversity.marginal import marginal_order
from ...query import Query
from ..base import Context, Rerank, bounded, dense_named, stacked, whole

__all__ = ["Mmr"]


@dataclass(frozen=True, slots=True)
class Mmr(Rerank):
    """Orders the best ``hits`` candidates so that each adds to those before: ``balance`` 1 is relevance alone."""

    name = "mmr"
    summary = "puts passages first that add something to those before them"
    source = "Carbonell and Goldstein, maximal marginal relevance, SIGIR 1998"
    needs = ("vectors",)
    cost = "about 0.5 ms for 50 candidates"

    balance: float = 0.7
    hits: int = 50
    on: str = "dense"

    def __post_init__(self) -> None:
        bounded("balance", self.balance, 0, 1)
        whole("hits", self.hits, 2, 2000)

    def representations(self) -> tuple[str, ...]:
        """The vectors that tell how alike passages are."""
        return (self.on,)

    def validate(self, representations: Mapping[str, str]) -> None:
        """The representation is one of vectors."""
        dense_named(self.name, self.on, representations)

    def depth(self, want: int) -> int | None:
        """The candidates, or what is wanted."""
        return max(self.hits, want)

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        """The first candidates in their new order, the others below."""
        head = hits.top(self.hits)
        if len(head) < 2:
            return hits
        vectors = context.vectors(self.on, head.ids)
        low, high = float(head.scores[-1]), float(head.scores[0])
        relevance = (head.scores - low) / (high - low) if high > low else np.ones(len(head))
        order, _ = marginal_order(relevance, vectors @ vectors.T, self.balance, len(head))
        # What a candidate was worth when chosen may rise later in the list; its place is what counts.
        scores = (1.0 - np.arange(len(order)) / len(order)).astype(np.float32)
        return stacked(Hits(head.ids[order], scores), hits)
