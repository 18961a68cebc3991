"""``bm25 >> neighbours("dense", weight=0.5)``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ....hits import Hits
from ...query import Query
from ...rerank.base import standard
from ...rerank.collaborative import propagated, similarity_graph
from ..base import Context, Rerank, bounded, dense_named, stacked, whole

__all__ = ["Neighbours"]


@dataclass(frozen=True, slots=True)
class Neighbours(Rerank):
    """Re-scores candidates by their own scores and, with ``weight``, those of the candidates most similar to them."""

    name = "neighbours"
    summary = "re-scores candidates from how similar they are to each other; needs no model"
    source = "Diaz, Regularizing ad hoc retrieval scores, CIKM 2005"
    cost = "about 2 ms for 100 candidates"

    by: str = "dense"
    candidates: int = 100
    count: int = 8
    weight: float = 0.5

    def __post_init__(self) -> None:
        whole("candidates", self.candidates, 1, 2000)
        whole("count", self.count, 1, 1000)
        bounded("weight", self.weight, 0, 0.99)

    def representations(self) -> tuple[str, ...]:
        """The dense one."""
        return (self.by,)

    def validate(self, representations: Mapping[str, str]) -> None:
        """The representation is one of vectors."""
        dense_named(self.name, self.by, representations)

    def depth(self, want: int) -> int:
        """The candidates compared, or what is wanted."""
        return max(self.candidates, want)

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        """The hits in the new order."""
        head = hits.top(self.candidates)
        if len(head) < 3:
            return hits
        own = standard(head.scores.astype(np.float64))
        graph = similarity_graph(context.vectors(self.by, head.ids), self.count)
        best = Hits.ranked(head.ids, propagated(own, graph, self.weight))
        return best if len(best) == len(hits) else stacked(best, hits)
