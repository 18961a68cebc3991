"""``bm25 >> neighbours("dense", weight=0.5)``: smooths scores over similar candidates, without a
model.

Judging a passage by its similarities to the other candidates is half of Zhang et al., "Hybrid and
Collaborative Passage Reranking" (2023). In part: theirs is a transformer that learns it, of sparse
and dense similarities together.
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
from ..reranking import standardised

__all__ = ["Neighbours", "propagated", "similarity_graph"]


def propagated(scores: NDArray[np.floating], graph: NDArray[np.floating], weight: float) -> NDArray[np.float64]:
    """Scores smoothed over a graph of n candidates: float64 (n,).

    Diaz, "Regularizing ad hoc retrieval scores" (CIKM 2005): similar passages should have similar
    scores. ``graph`` (n, n) has rows that add up to 1 or less (`similarity_graph`); the result
    solves ``f = (1 - weight) * scores + weight * graph @ f``, for a ``weight`` from 0 to below 1.
    """
    own = np.asarray(scores, np.float64)
    # Diagonally dominant, since the rows' sums times the weight stay below 1, so never singular.
    return np.asarray(np.linalg.solve(np.eye(len(own)) - weight * graph, (1 - weight) * own))


def similarity_graph(vectors: NDArray[np.floating], neighbours: int = 8) -> NDArray[np.float64]:
    """The ``neighbours`` most similar vectors of each of n vectors (n, d), with weights that add up
    to 1: float64 (n, n).

    Similarity is the cosine after the mean of all candidates is subtracted, since candidates of one
    query are all alike. A passage without a vector (all zeros), or without a neighbour above 0, has
    itself as its only neighbour.
    """
    count = len(vectors)
    rows = np.asarray(vectors, np.float64)
    present = np.linalg.norm(rows, axis=1) > 0
    if present.any():
        rows = np.where(present[:, None], rows - rows[present].mean(0), 0)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    # Identical vectors differ from their mean by rounding only.
    rows = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-6)
    similar = np.maximum(rows @ rows.T, 0)
    np.fill_diagonal(similar, 0)
    most = min(neighbours, count - 1)
    if most > 0:
        least = np.partition(similar, count - most, axis=1)[:, count - most]
        similar[similar < least[:, None]] = 0
    sums = similar.sum(1)
    alone = sums <= 1e-9
    graph: NDArray[np.float64] = np.divide(similar, sums[:, None], out=np.zeros_like(similar), where=~alone[:, None])
    graph[alone, alone] = 1
    return graph


@dataclass(frozen=True, slots=True)
class Neighbours(Rerank):
    """Re-scores ``candidates`` by their own scores and, with ``weight``, those of the ``count``
    candidates most like them.

    ``by``: the dense representation that tells how similar passages are.
    """

    name = "neighbours"
    summary = "smooths the scores of candidates that are similar to each other; needs no model"
    source = "Diaz, Regularizing ad hoc retrieval scores, CIKM 2005"
    needs = ("vectors",)
    cost = "about 2 ms for 100 candidates"

    by: str = "dense"
    candidates: int = 100
    count: int = 8
    weight: float = 0.5

    def check_parameters(self) -> None:
        """Check all but the representation."""
        check_whole("candidates", self.candidates, 1, 2000)
        check_whole("count", self.count, 1, 1000)
        check_number("weight", self.weight, 0, 0.99)

    def representations(self) -> tuple[str, ...]:
        """The vectors that tell how similar passages are."""
        return (self.by,)

    def validate(self, representations: Mapping[str, str]) -> None:
        """Raise `RecipeError` unless the representation is dense."""
        check_dense(self.name, self.by, representations)

    def depth(self, want: int) -> int:
        """The candidates that are compared, or ``want`` if that is more."""
        return max(self.candidates, want)

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        """The hits in the new order."""
        head = hits.top(self.candidates)
        if len(head) < 3:
            return hits
        own = standardised(head.scores.astype(np.float64))
        graph = similarity_graph(context.vectors(self.by, head.ids), self.count)
        best = Hits.ranked(head.ids, propagated(own, graph, self.weight))
        return best if len(best) == len(hits) else stacked(best, hits)
