"""The sparse (BM25) index of one immutable segment: exact top-k over memory-mapped postings with 8-bit impacts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import LibraryDamaged
from ...hits import Hits
from ...kernels.bm25 import Bm25, norm
from ..storage import REMEDY, ArrayFolder
from .lists import Lists, Query

__all__ = ["SparseIndex"]


class SparseIndex(Lists):
    """Searches what `SparseBuilder`, `merge` or `reweigh` wrote. Safe to use from several threads.

    Passages have local ids 0 … ``passages`` - 1. Collection statistics come from the caller, as weights (query term
    frequency times `kernels.bm25.idf`) and average length, so that the passages of several segments are scored alike.
    """

    def __init__(self, folder: Path, impacts_folder: Path) -> None:
        self.impacts = ArrayFolder(impacts_folder)
        super().__init__(ArrayFolder(folder), self.impacts, {"lengths": np.uint16, "long_lengths": np.uint32})
        try:
            attributes, impacts = self.structure.attributes, self.impacts.attributes
            self.tokens = int(attributes["tokens"])
            self._extremes = np.array([int(attributes["shortest"]), int(attributes["longest"])], np.float64)
            self.bm25 = Bm25(float(impacts["k1"]), float(impacts["b"]))
            self.average_length = float(impacts["average_length"])
        except (KeyError, ValueError) as error:
            raise LibraryDamaged(f"{folder} or {impacts_folder} is not a sparse index ({error}); {REMEDY}") from error
        self._check_sizes({"lengths": self.passages}, self.impacts)
        self._parameters = (self.bm25, self.average_length, self._factors(self.bm25, self.average_length))

    @cached_property
    def lengths(self) -> NDArray[np.uint32]:
        """Number of terms of each passage."""
        lengths = self.arrays["lengths"].astype(np.uint32)
        long = self.arrays["long_lengths"]
        if len(long):
            inside = long[0::2] < self.passages
            lengths[long[0::2][inside]] = long[1::2][inside[: len(long) // 2]]
        return lengths

    def search(
        self,
        terms: Sequence[str],
        weights: Sequence[float] | NDArray[np.floating[Any]],
        k: int,
        *,
        bm25: Bm25 | None = None,
        average_length: float | None = None,
        mask: NDArray[np.uint64] | None = None,
        threshold: float = 0.0,
        approximate: float = 1.0,
    ) -> Hits:
        """The ``k`` best passages by BM25, exactly; fewer where fewer have any of the terms.

        The score is the sum of weight * tf / (tf + k1 (1 - b + b length / average length)), in float64 in the order of
        ``terms``, rounded to float32. Terms must differ; unknown ones and those of weight 0 are ignored. ``bm25`` and
        ``average_length`` are those of the impacts where None; others are exact too, and a little slower. ``mask`` is a
        bitmap of the passages that may be found: bit i % 64 of word i // 64. Passages that score less than ``threshold``
        (the k-th best score of segments searched before, say) are left out. ``approximate`` below 1 lets what a passage
        may still gain from terms not summed up yet count for that share only: faster, the scores told still exact, but some
        passages may be missed.
        """
        parameters = self._parameters_for(bm25, average_length, threshold, approximate)
        return self._run([self._query(terms, weights)], k, parameters, mask)[0]

    def search_many(
        self,
        queries: Sequence[Query],
        k: int,
        *,
        bm25: Bm25 | None = None,
        average_length: float | None = None,
        mask: NDArray[np.uint64] | None = None,
        approximate: float = 1.0,
        threads: int = 1,
    ) -> list[Hits]:
        """What `search` gives for each of ``queries``, all in one compiled call a thread."""
        parameters = self._parameters_for(bm25, average_length, 0.0, approximate)
        return self._run([self._query(*query) for query in queries], k, parameters, mask, threads)

    def score(
        self,
        terms: Sequence[str],
        weights: Sequence[float] | NDArray[np.floating[Any]],
        ids: NDArray[np.integer[Any]],
        *,
        bm25: Bm25 | None = None,
        average_length: float | None = None,
    ) -> NDArray[np.float32]:
        """The exact scores that `search` would give to the passages ``ids`` (any order); 0 without any of the terms."""
        return self._scores(self._query(terms, weights), ids, self._parameters_for(bm25, average_length, 0.0, 1.0))

    def _lengths(self) -> tuple[NDArray[np.uint16], NDArray[np.uint32]]:
        return self.arrays["lengths"], self.arrays["long_lengths"]

    def _parameters_for(
        self, bm25: Bm25 | None, average_length: float | None, threshold: float, approximate: float
    ) -> NDArray[np.float64]:
        bm25 = self.bm25 if bm25 is None else bm25
        average_length = self.average_length if average_length is None else average_length
        known = self._parameters
        if known[:2] != (bm25, average_length):
            self._parameters = known = (bm25, average_length, self._factors(bm25, average_length))
        return np.array([*known[2].tolist(), threshold, approximate], np.float64)

    def _factors(self, bm25: Bm25, average_length: float) -> NDArray[np.float64]:
        """k1, b, average length, and the least and greatest score of a posting by its score at the impacts' parameters.

        That factor, (tf + old norm) / (tf + new norm), is monotone in length and tends to 1 with growing tf, so that its
        extremes are at tf = 1 and the shortest or longest passage, or 1.
        """
        new = bm25.parameters(average_length)
        old = self.bm25.parameters(self.average_length)
        factors = (1.0 + norm(self._extremes, *old.tolist())) / (1.0 + norm(self._extremes, *new.tolist()))
        low, high = min(1.0, float(factors.min())), max(1.0, float(factors.max()))
        if low != high:
            low, high = low * (1.0 - 1e-12), high * (1.0 + 1e-12)
        return np.array([*new, low, high], np.float64)
