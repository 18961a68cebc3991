"""Passages' scores as those of documents: a document has that of its best passage."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["best_documents"]


def best_documents(
    scores: NDArray[np.float32], documents: NDArray[np.int64], most: int
) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """For each query the numbers of at most ``most`` documents, best first, of equal ones the lower, with their scores.

    ``scores``: of passages, (queries, n); ``documents``: the number of each passage's document, (n,), n > 0. Passages become documents
    before any are left out: those of one long document would take the places of all others.
    """
    if (np.diff(documents) < 0).any():
        order = np.argsort(documents, kind="stable")
        scores, documents = scores[:, order], documents[order]
    numbers, firsts = np.unique(documents, return_index=True)
    best = np.maximum.reduceat(scores, firsts, axis=1)
    most = min(most, len(numbers))
    least = np.partition(best, len(numbers) - most, axis=1)[:, len(numbers) - most]
    found = []
    for row, bound in zip(best, least, strict=True):
        some = np.flatnonzero(row >= bound)
        some = some[np.argsort(-row[some], kind="stable")][:most]
        found.append((numbers[some], row[some]))
    return found
