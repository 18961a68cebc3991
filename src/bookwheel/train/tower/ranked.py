"""Batches of drawn queries with the passages that a recipe ranks first, which need not be the encoder's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...library.library import Library
from ...library.vectors.stored import passage_vectors
from .queries import QueryBatches

__all__ = ["DEPTH", "RankedBatches", "probable"]

DEPTH = 50
"""Passages of a ranking that are imitated."""


class RankedBatches(QueryBatches):
    """`QueryBatches` with what `QueryRanking` takes: ``recipe`` ranks, ``name`` has the stored vectors, of which ``ids``, rising, are its
    passages.
    """

    def rank_by(self, library: Library, recipe: str, name: str, ids: NDArray[np.int64]) -> RankedBatches:
        """The same, ranked."""
        self.library, self.recipe, self.name, self.ids = library, recipe, name, ids
        return self

    def more(self, queries: Sequence[str]) -> dict[str, Any]:
        """See `QueryBatches`."""
        ranked = [found[0].hits for found in self.library.rank_recipes(queries, [self.recipe], DEPTH)]
        numbers = np.unique(np.concatenate([np.empty(0, np.int64), *(hits.ids for hits in ranked)])).astype(np.int64)
        copy = self.library
        vectors = passage_vectors(copy._encoders, copy._snapshot, self.name, numbers)
        width = vectors.shape[1] if len(numbers) else self.teacher.dimension
        listed = np.zeros((len(queries), DEPTH, width), np.float32)
        wanted = np.zeros((len(queries), 1, DEPTH), np.float32)
        places = np.full((len(queries), 1, DEPTH), len(self.ids), np.int64)
        for row, hits in enumerate(ranked):
            if not len(hits):
                continue
            count = len(hits)
            listed[row, :count] = vectors[np.searchsorted(numbers, hits.ids)]
            wanted[row, 0, :count] = probable(hits.scores)
            at = np.searchsorted(self.ids, hits.ids).clip(max=max(0, len(self.ids) - 1))
            places[row, 0, :count] = np.where(self.ids[at] == hits.ids, at, len(self.ids))
        return {name: torch.from_numpy(value) for name, value in (("listed", listed), ("wanted", wanted), ("places", places))}

    def largest(self, dimension: int) -> dict[str, Any]:
        """See `QueryBatches`."""
        return super().largest(dimension) | {
            "listed": torch.zeros(self.batch, DEPTH, dimension),
            "wanted": torch.full((self.batch, 1, DEPTH), 1 / DEPTH),
            "places": torch.zeros(self.batch, 1, DEPTH, dtype=torch.int64),
        }


def probable(scores: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """How probable passages of a ranking are by their scores (n,), whatever their scale: the softmax of standardised ones."""
    away = scores.astype(np.float64) - scores.mean()
    odds = np.exp(np.minimum(away / max(1e-9, float(away.std())), 30.0))
    return np.asarray(odds / odds.sum(), np.float32)
