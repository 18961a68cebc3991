"""The IVF index of a segment of many millions of vectors: sketches in inverted lists on disk, list centroids in memory.

The vectors are clustered into lists of about a thousand: Chen et al., "SPANN: Highly-efficient Billion-scale Approximate Nearest
Neighbor Search" (2021); in part: a vector is in one list here, not in those on both sides of a boundary. Each vector is sketched
relative to the centroid of its list, so that the same number of bits is more precise. A query probes the lists closest to it, as
many as calibration found necessary, and verifies its candidates as a `DenseIndex` does.

Arrays in addition to those of `DenseIndex`: ``centroids`` float32 (lists, d); ``starts`` int64 (lists + 1,), the first group of
each list; ``numbers`` uint32 (groups, 64), the row at each place of ``sketch`` and ``factors``, 2**32 - 1 for an empty place;
``known`` uint64 (n / 64,), one bit for each row that is not all zero.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .depth import SearchDepth
from .flat import DenseIndex
from .reader import RowReader
from .size import GROUP
from .sketch import Sketches

__all__ = ["PENALTIES", "IvfDenseIndex", "IvfLists"]

PENALTIES = (0.0, 0.5, 1.0)
"""The share of a centroid's half squared length subtracted from its dot product: 1 ranks by distance, 0 by dot product."""
_NONE = np.empty(0, dtype=np.uint64)
_NO_FACTORS = np.empty(0, dtype=np.uint16)


@dataclass(frozen=True, slots=True, eq=False)
class IvfLists:
    """Sketches in inverted lists."""

    sketches: Sketches
    centroids: NDArray[np.float32]
    starts: NDArray[np.int64]
    numbers: NDArray[np.uint32]
    halves: NDArray[np.float32]
    """Half the squared length of each centroid."""
    penalty: float

    @classmethod
    def of(
        cls,
        sketches: Sketches,
        centroids: NDArray[np.float32],
        starts: NDArray[np.int64],
        numbers: NDArray[np.uint32],
        penalty: float,
    ) -> IvfLists:
        """The lists of these arrays, with the values computed from them."""
        with np.errstate(over="ignore", invalid="ignore"):
            halves = (centroids * centroids).sum(axis=1, dtype=np.float32) / np.float32(2)
        return cls(sketches, centroids, starts, numbers, halves, penalty)

    def __len__(self) -> int:
        return len(self.centroids)

    def closest(self, query: NDArray[np.float32], count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The ``count`` lists to probe first, best first, and the dot products of their centroids with ``query`` (d,)."""
        with np.errstate(over="ignore", invalid="ignore"):
            products = self.centroids @ query
            order = products - np.float32(self.penalty * np.linalg.norm(query)) * self.halves
        if count < len(order):
            chosen = np.argpartition(-order, count)[:count]
            chosen = chosen[np.argsort(-order[chosen], kind="stable")]
        else:
            chosen = np.argsort(-order, kind="stable")
        return chosen, products[chosen]

    def runs(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """The groups of each chosen list, (lists, 2): the first one, and the first one after it."""
        return np.stack([self.starts[chosen], self.starts[chosen + 1]], axis=1)

    def candidates(
        self,
        query: NDArray[np.float32],
        want: int,
        count: int,
        *,
        slack: float = 0.0,
        floor: float = -np.inf,
        mask: NDArray[np.uint64] = _NONE,
        reader: RowReader | None = None,
        pool: ThreadPoolExecutor | None = None,
        threads: int = 1,
    ) -> NDArray[np.uint64]:
        """Keys of the best ``want`` places in the ``count`` closest lists, as `Sketches.candidates` returns them."""
        from ...kernels.dense.cluster import gather_mask

        chosen, products = self.closest(query, count)
        runs = self.runs(chosen)
        words = _NONE
        if len(mask):
            words = np.zeros(len(self.sketches.codes), dtype=np.uint64)
            gather_mask(mask, self.numbers, runs, words)
        if reader is not None:
            reader.prefetch_runs(runs[np.argsort(runs[:, 0], kind="stable")])
        return self.sketches.candidates(
            query[None],
            want,
            words,
            slack=slack,
            floors=np.array([floor], dtype=np.float32),
            biases=products[None],
            runs=runs,
            pool=pool,
            threads=threads,
        )[0]


class IvfDenseIndex(DenseIndex):
    """A finished segment of vectors in inverted lists, searched like any `DenseIndex`."""

    kind = "dense lists"

    def _fits(self, groups: int) -> bool:
        centroids, starts = self._array("centroids", np.float32, 2), self._array("starts", np.int64, 1)
        numbers, known = self._array("numbers", np.uint32, 2), self._array("known", np.uint64, 1)
        sound = centroids.shape[1] == self.dimension and len(starts) == len(centroids) + 1 and numbers.shape == (groups, GROUP)
        sound = sound and len(known) == -(-self.rows // GROUP) and self.sketches.factors.shape == numbers.shape
        sound = sound and bool(np.all(np.diff(starts) >= 0)) and len(starts) > 0
        if not sound or starts[0] != 0 or starts[-1] != groups:
            return False
        try:
            penalty = float(self.folder.attributes["penalty"])
        except (KeyError, TypeError, ValueError):
            return False
        self._numbers, self._known = numbers.reshape(-1), known
        self.lists = IvfLists.of(self.sketches, centroids, starts, self._numbers, penalty)
        self._list_reader = RowReader(self.folder, "sketch")
        return True

    @property
    def hot_bytes(self) -> int:
        """Bytes that every search reads: the centroids of the lists, not their sketches."""
        lists = self.lists
        return lists.centroids.nbytes + lists.starts.nbytes + lists.halves.nbytes + self.sketches.rotation.nbytes

    @property
    def _factors(self) -> NDArray[np.uint16]:
        return _NO_FACTORS

    def _allowed(self, mask: NDArray[np.uint64]) -> NDArray[np.uint64]:
        return mask & self._known if len(mask) else np.ascontiguousarray(self._known)

    def _candidates(
        self,
        queries: NDArray[np.float32],
        k: int,
        depth: SearchDepth,
        mask: NDArray[np.uint64],
        floor: float,
        pool: ThreadPoolExecutor | None,
        threads: int,
    ) -> list[NDArray[np.uint64]]:
        count, bounded = len(self.lists), np.isfinite(depth.slack)
        if bounded:
            count = depth.probes
            if len(mask):
                # Among a share of the rows, the best k lie as deep as the best k / share among all rows.
                share = max(int(np.bitwise_count(mask).sum()), 1) / self.rows
                deeper = self.search_depth(max(k, round(k / share)))
                count = len(self.lists) if deeper is None else max(count, deeper.probes)
        return [
            self.lists.candidates(
                query,
                depth.candidates,
                min(count, len(self.lists)),
                slack=depth.slack if bounded else 0.0,
                floor=floor if bounded else -np.inf,
                mask=mask,
                reader=self._list_reader,
                pool=pool,
                threads=threads,
            )
            for query in queries
        ]

    def warm(self) -> None:
        """Before the first search, read the centroids ahead; the lists themselves are read as queries need them."""
        if self._cold:
            self._cold = False
            self.folder.scattered("vectors")
            for name in ("centroids", "rotation", "starts"):
                self.folder.advise(name, 0, self.folder.array(name).nbytes)
