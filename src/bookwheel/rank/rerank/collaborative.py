"""Re-scoring candidates from how similar they are to each other: no model beside the vectors that are stored."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..._errors import UsageError

__all__ = ["propagated", "similarity_graph"]


def propagated(
    scores: NDArray[np.floating], graph: NDArray[np.floating], weight: float = 0.5, rounds: int = 0
) -> NDArray[np.float64]:
    """Scores smoothed over a graph of the candidates: float64 (n,).

    Diaz, "Regularizing ad hoc retrieval scores" (CIKM 2005): similar passages should have similar scores. ``graph`` has rows
    that add up to 1 or less (`similarity_graph`). The solution of ``f = (1 - weight) s + weight G f``, or that of so many
    ``rounds`` of it; one round is the passage's own score mixed with its neighbours' mean.
    """
    if not 0 <= weight < 1:
        raise UsageError(f"the neighbours' share is a number from 0 up to, not including, 1, not {weight}")
    own = np.asarray(scores, np.float64)
    if not rounds:
        # Diagonally dominant, since the rows' sums times weight stay below 1: never singular.
        return np.asarray(np.linalg.solve(np.eye(len(own)) - weight * graph, (1 - weight) * own))
    mixed = own
    for _ in range(rounds):
        mixed = (1 - weight) * own + weight * (graph @ mixed)
    return mixed


def similarity_graph(vectors: NDArray[np.floating], neighbours: int = 8) -> NDArray[np.float64]:
    """The ``neighbours`` most similar of each vector (n, d), with weights that add up to 1: float64 (n, n).

    Only what two vectors have in common beyond the mean of all candidates counts: candidates of one query are all alike. A
    passage without a vector (all zeros), or with no neighbour above the mean, has itself as its only neighbour.
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
    keep = min(neighbours, count - 1)
    if keep > 0:
        least = np.partition(similar, count - keep, axis=1)[:, count - keep]
        similar[similar < least[:, None]] = 0
    sums = similar.sum(1)
    alone = sums <= 1e-9
    graph: NDArray[np.float64] = np.divide(similar, sums[:, None], out=np.zeros_like(similar), where=~alone[:, None])
    graph[alone, alone] = 1
    return graph
