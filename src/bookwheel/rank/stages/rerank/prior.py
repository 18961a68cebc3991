"""``prior(candidates=100, weight=0.1, length=0.4, …)``: moves up documents that are relevant more often, whatever is asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....hits import Hits
from ...query import Query
from ..base import Rerank, stacked
from ..context import Context
from ..parameters import check_number, check_whole
from ..qualities import QUALITIES
from ..reranking import Reranked, combine

__all__ = ["Prior"]


@dataclass(frozen=True, slots=True)
class Prior(Rerank):
    """Adds ``weight`` of a document's prior log-odds to (1 - ``weight``) of its score, both standardised over the candidates.

    The log-odds are the sum of the document's qualities (see `QUALITIES`) by the weights given; `bookwheel prior` learns them.
    """

    name = "prior"
    summary = "adds how often documents of such length, kind and age are relevant, learned from judgments"
    source = "Kraaij, Westerveld and Hiemstra, The Importance of Prior Probabilities for Entry Page Search, SIGIR 2002"
    needs = ("texts",)
    cost = "about 0.3 ms per candidate"

    candidates: int = 100
    weight: float = 0.1
    length: float = 0.0
    title: float = 0.0
    variety: float = 0.0
    digits: float = 0.0
    sentences: float = 0.0
    links: float = 0.0
    folders: float = 0.0
    date: float = 0.0

    def check_parameters(self) -> None:
        """Check all of them."""
        check_whole("candidates", self.candidates, 1, 10_000)
        check_number("weight", self.weight, 0, 1)
        for name in QUALITIES:
            check_number(name, getattr(self, name), -1000, 1000)

    def depth(self, want: int) -> int:
        """The candidates that are looked at, or ``want`` if that is more."""
        return max(self.candidates, want)

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        """The hits in the new order."""
        head = hits.top(self.candidates)
        if len(head) < 2:
            return hits
        weights = np.array([getattr(self, name) for name in QUALITIES], np.float64)
        odds = context.qualities(head.ids).astype(np.float64) @ weights
        found = Reranked(odds.astype(np.float32), np.ones(len(head), np.bool_))
        best = combine(head, found, self.weight, self.name)
        return best if len(best) == len(hits) else stacked(best, hits)
