"""The BM25 index of one immutable segment: exact top-k over memory-mapped postings with 8-bit impacts."""

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
from ..storage import REMEDY, ArrayFolder, opened
from .base import InvertedIndex, WeightedTerms

__all__ = ["Bm25Index"]


class Bm25Index(InvertedIndex):
    """A finished BM25 index, as `Bm25Builder`, `merge` or `reweigh` write it. Safe to use from several threads.

    Passages have local ids 0 … ``passages`` - 1. The caller passes the statistics of the collection, as weights (query
    term frequency times `kernels.bm25.idf`) and average length, so that passages of several segments get comparable scores.
    """

    def __init__(self, folder: Path | ArrayFolder, impacts_folder: Path | ArrayFolder) -> None:
        self.impacts = opened(impacts_folder)
        super().__init__(opened(folder), self.impacts, {"lengths": np.uint16, "long_lengths": np.uint32})
        try:
            attributes, impacts = self.structure.attributes, self.impacts.attributes
            self.tokens = int(attributes["tokens"])
            self._extremes = np.array([int(attributes["shortest"]), int(attributes["longest"])], np.float64)
            self.bm25 = Bm25(float(impacts["k1"]), float(impacts["b"]))
            self.average_length = float(impacts["average_length"])
        except (KeyError, ValueError) as error:
            raise LibraryDamaged(
                f"{self.structure.folder} or {self.impacts.folder} is not a BM25 index ({error}); {REMEDY}"
            ) from error
        self._check_sizes({"lengths": self.passages}, self.impacts)
        self._parameters = (self.bm25, self.average_length, self._factors(self.bm25, self.average_length))

    @cached_property
    def lengths(self) -> NDArray[np.uint32]:
        """Number of terms in each passage: uint32 (passages,)."""
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
        """The ``k`` best passages by BM25, exactly; fewer if fewer contain any of the terms.

        The score is the sum of weight * saturation(tf, norm) (`kernels.bm25`), in float64 in the order of ``terms``, rounded to
        float32. Terms must differ; unknown terms and terms of weight 0 are ignored. ``bm25`` and ``average_length`` default to
        those of the impacts; other values are exact too, and a little slower. ``mask`` is a bitmap of the passages that may be
        returned: bit i % 64 of word i // 64. Passages that score less than ``threshold`` (such as the k-th best score of the
        segments searched so far) are left out. With ``approximate`` below 1, only this share of what a passage may still gain
        from the remaining terms counts: faster, with exact scores, but some passages may be missed.
        """
        parameters = self._parameters_for(bm25, average_length, threshold, approximate)
        return self._run([self._query(terms, weights)], k, parameters, mask)[0]

    def search_many(
        self,
        queries: Sequence[WeightedTerms],
        k: int,
        *,
        bm25: Bm25 | None = None,
        average_length: float | None = None,
        mask: NDArray[np.uint64] | None = None,
        approximate: float = 1.0,
        threads: int = 1,
    ) -> list[Hits]:
        """The result of `search` for each of ``queries``, in one compiled call per thread."""
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
        """The exact scores of the passages ``ids`` (in any order), as `search` computes them; 0 for passages without any term."""
        return self._scores(self._query(terms, weights), ids, self._parameters_for(bm25, average_length, 0.0, 1.0))

    def _lengths(self) -> tuple[NDArray[np.uint16], NDArray[np.uint32]]:
        return self.arrays["lengths"], self.arrays["long_lengths"]

    def _parameters_for(
        self, bm25: Bm25 | None, average_length: float | None, threshold: float, approximate: float
    ) -> NDArray[np.float64]:
        bm25 = self.bm25 if bm25 is None else bm25
        average_length = self.average_length if average_length is None else average_length
        known = self._parameters
        if (known[0] is not bm25 and known[0] != bm25) or known[1] != average_length:
            self._parameters = known = (bm25, average_length, self._factors(bm25, average_length))
        parameters = known[2].copy()
        parameters[5:] = threshold, approximate
        return parameters

    def _factors(self, bm25: Bm25, average_length: float) -> NDArray[np.float64]:
        """k1, b, average length, and the bounds on the ratio of a posting's score to its score at the impacts' parameters;
        and room for a threshold and a share.

        The ratio, (tf + old norm) / (tf + new norm), is monotone in length and tends to 1 as tf grows, so its extremes are at
        tf = 1 and the shortest or longest passage, or 1.
        """
        new = bm25.parameters(average_length)
        old = self.bm25.parameters(self.average_length)
        factors = (1.0 + norm(self._extremes, *old.tolist())) / (1.0 + norm(self._extremes, *new.tolist()))
        low, high = min(1.0, float(factors.min())), max(1.0, float(factors.max()))
        if low != high:
            low, high = low * (1.0 - 1e-12), high * (1.0 + 1e-12)
        return np.array([*new, low, high, 0.0, 1.0], np.float64)
