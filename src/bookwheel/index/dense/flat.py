"""The flat dense index of one immutable segment: a scan of all sketches picks candidates, float16 vectors on disk decide.

Codes in memory for candidates, and the query's own vector to rank them: Yamada, Asai and Hajishirzi, "Efficient Passage Retrieval with
Hashing for Open-domain Question Answering" (2021). Full vectors on disk to verify them: Xiao et al., "Progressively Optimized
Bi-Granular Document Representation for Scalable Embedding Based Retrieval" (2022). In part: neither the codes nor the vectors are
trained for each other here; codes are `sketch`es of any encoder's vectors.

Arrays of the folder: ``vectors`` float16 (n, d); ``sketch`` uint8 (groups, bits * columns, 64) and ``factors`` float16
(groups, 64), see `sketch`; ``rotation`` float32 (d, d); ``centre`` float32 (d,). Rows are local passage ids. The attribute
``reach`` holds the measured search depths (see `depth`).
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..._errors import LibraryDamaged, LibraryFormat
from ...hits import Hits
from ..storage import REMEDY, ArrayFolder, opened
from .depth import RECALL, SearchDepth, SearchDepthTable
from .exact import exact_search
from .keys import numbers_of, scores_of
from .reader import RowReader
from .size import BITS, GROUP, sketch_columns
from .sketch import Sketches

__all__ = ["FORMAT", "DenseIndex"]

FORMAT = 2
EXACT_ROWS = 2048
"""Segments of up to this many rows are searched exactly, which is as fast."""
_BATCH = 64
"""Queries that share a scan."""
_FIRST = 256
"""Candidates sorted, and read together if on disk, before the first one is verified; each further batch is twice as large."""
_SORTED = 4096
"""So many candidates are sorted at once, which is quicker than selecting the first of them several times."""
_NEAR, _NEAR_EACH = 1024, 24
"""Candidates selected at first: at least so many, and so many for each of the k.

If `SearchDepth.candidates` is less than twice as many, all of those are selected at once."""
_SWEEP = 4096
"""Batches of this many candidates on disk are verified in the order of their rows."""
_NONE = np.empty(0, dtype=np.uint64)
_UNBOUNDED = np.uint64(0xFF80000000000000)
"""Set in a key, these bits make its score infinite."""


def shaped_vectors(vectors: ArrayLike, dimension: int, what: str) -> NDArray[np.float32]:
    """``vectors`` as a contiguous float32 array (n, dimension). Raises `ValueError` for another shape."""
    array = np.ascontiguousarray(vectors, dtype=np.float32)
    if array.ndim != 2 or array.shape[1] != dimension:
        raise ValueError(f"{what} must have shape (n, {dimension}), not {array.shape}; use the encoder of this index")
    return array


def checked_mask(mask: NDArray[np.uint64] | None, rows: int) -> NDArray[np.uint64]:
    """The words of ``mask`` that cover ``rows``; empty for None. Raises `ValueError` for another dtype or too few words."""
    if mask is None:
        return _NONE
    words = -(-rows // GROUP)
    if mask.dtype != np.uint64 or mask.ndim != 1 or len(mask) < words:
        raise ValueError(f"a mask must be uint64 of shape ({words},), not {mask.dtype} {mask.shape}")
    return np.ascontiguousarray(mask[:words])


def _queries(queries: ArrayLike, dimension: int) -> NDArray[np.float32]:
    """`shaped_vectors` that also raises `ValueError` for NaN and infinity."""
    array = shaped_vectors(queries, dimension, "queries")
    flat = array.reshape(-1)
    # The product with itself, which is the quickest to compute, is finite only where all values are; their sum is too where
    # their squares are too large.
    if not math.isfinite(np.dot(flat, flat)) and not math.isfinite(array.sum(dtype=np.float64)):
        raise ValueError("queries: NaN or infinity in a query vector; the encoder that made it is faulty")
    return array


class DenseIndex:
    """A finished segment of vectors. Safe to use from several threads.

    Opening maps the files and reads none of the vectors. Raises `LibraryDamaged` where the arrays do not fit together,
    `LibraryFormat` for a format that another version of bookwheel wrote.
    """

    recall_target: float = RECALL
    """The recall of searches that request none: the share of the true best k that is found."""
    kind = "dense"
    _numbers: NDArray[np.uint32] = np.empty(0, dtype=np.uint32)
    """The row at each place of the sketches; empty where places are rows."""

    def __init__(self, folder: Path | ArrayFolder) -> None:
        self.folder = opened(folder)
        folder = self.folder.folder
        try:
            attributes = dict(self.folder.attributes)
            written, kind = int(attributes["format"]), str(attributes["kind"])
            self.dimension = int(attributes["dimension"])
            self.bits = int(attributes["bits"])
            self.seed = int(attributes["seed"])
            self._depths = SearchDepthTable(attributes["reach"] if written == FORMAT else [])
        except (KeyError, TypeError, ValueError) as error:
            raise LibraryDamaged(f"{folder / 'index.json'} does not describe a dense index; {REMEDY}") from error
        if written != FORMAT:
            raise LibraryFormat(
                f"{folder} holds a dense index of format {written}, but this version of bookwheel reads format {FORMAT}; "
                "install the version that wrote it, or index the files again"
            )
        self._vectors: NDArray[np.float16] = self._array("vectors", np.float16, 2)
        self.rows = len(self._vectors)
        self.centre: NDArray[np.float32] = self._array("centre", np.float32, 1)
        codes, factors = self._array("sketch", np.uint8, 3), self._array("factors", np.float16, 2)
        rotation, d, groups = self._array("rotation", np.float32, 2), self.dimension, len(codes)
        sound = kind == self.kind and self.bits in BITS and d > 0 and d % 8 == 0 and self.rows < 2**32
        sound = sound and codes.shape == (groups, self.bits * sketch_columns(d), GROUP) and factors.shape == (groups, GROUP)
        sound = sound and self._vectors.shape[1] == d and rotation.shape == (d, d) and self.centre.shape == (d,)
        self.sketches = Sketches(rotation, codes, factors.view(np.uint16), self.bits)
        if not sound or not self._fits(groups):
            raise LibraryDamaged(f"the arrays of {folder} do not fit together; {REMEDY}")
        self._halves: NDArray[np.uint16] = self._vectors.view(np.uint16)
        self._reader = RowReader(self.folder, "vectors")
        self._cold = True
        self._pool: ThreadPoolExecutor | None = None

    def _fits(self, groups: int) -> bool:
        """Whether ``groups`` groups of sketches are the right number; subclasses check their own arrays here."""
        return groups == -(-self.rows // GROUP)

    def _array(self, name: str, dtype: type[Any], ndim: int) -> NDArray[Any]:
        array = self.folder.array(name)
        if array.dtype != dtype or array.ndim != ndim:
            raise LibraryDamaged(
                f"{self.folder.path(name)} holds {array.ndim}-dimensional {array.dtype} instead of {ndim}-dimensional "
                f"{np.dtype(dtype)}; {REMEDY}"
            )
        return array

    def __len__(self) -> int:
        return self.rows

    @property
    def vectors(self) -> NDArray[np.float16]:
        """All vectors (n, d), memory-mapped."""
        return self._vectors

    @property
    def hot_bytes(self) -> int:
        """Bytes of the mapped arrays that every search reads; these count towards a memory budget."""
        return self.sketches.nbytes

    def search_depth(self, k: int, recall: float | None = None) -> SearchDepth | None:
        """The search depth for ``k`` and a recall, as measured when the segment was written; None: every row is searched."""
        return self._depths.search_depth(k, self.recall_target if recall is None else recall)

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        *,
        candidates: int | None = None,
        mask: NDArray[np.uint64] | None = None,
        threshold: float | None = None,
        recall: float | None = None,
        threads: int = 1,
    ) -> Hits:
        """The best ``k`` rows by dot product with ``query`` (d,); their scores are exact.

        ``recall`` is the share of the true best k to find (None: `recall_target`; 1: all of them, by exact search).
        ``candidates`` sets the number of candidates instead. ``mask`` has a bit for each row that may be returned, in words of
        64 (None: all). Scores below ``threshold`` are not returned, and rows whose bound is below it are not verified. Rows of
        zeros are never returned, and a query of zeros finds nothing. ``threads`` share the scan. Raises `ValueError` for a
        query of another shape or with NaN, or a recall outside (0, 1].
        """
        return self.search_many(
            query[None], k, candidates=candidates, mask=mask, threshold=threshold, recall=recall, threads=threads
        )[0]

    def search_many(
        self,
        queries: NDArray[np.float32],
        k: int,
        *,
        candidates: int | None = None,
        mask: NDArray[np.uint64] | None = None,
        threshold: float | None = None,
        recall: float | None = None,
        threads: int = 1,
    ) -> list[Hits]:
        """The result of `search` for each of the queries (m, d), which share one scan of the sketches."""
        queries = _queries(queries, self.dimension)
        words = checked_mask(mask, self.rows)
        if recall is not None and not 0 < recall <= 1:
            raise ValueError(f"recall must be above 0 and at most 1, not {recall}")
        if k < 1 or not self.rows:
            return [Hits.empty() for _ in queries]
        depth = self.search_depth(k, recall) if candidates is None else SearchDepth(max(candidates, k), np.inf)
        if depth is None or depth.candidates >= self.rows or self.rows <= EXACT_ROWS:
            return [self._above(self._exact(query, k, words), threshold) for query in queries]
        self.warm()
        pool = self._threads(threads)
        floor = -np.inf if threshold is None else threshold
        # Most queries stop long before the last candidate: selecting a few is cheaper, and the rest scan a second time.
        near = max(_NEAR, _NEAR_EACH * k)
        nearer = (
            SearchDepth(near, depth.slack, depth.probes)
            if math.isfinite(depth.slack) and 2 * near <= depth.candidates
            else depth
        )
        hits = []
        for start in range(0, len(queries), _BATCH):
            batch = queries[start : start + _BATCH]
            found = self._candidates(batch, k, nearer, words, floor, pool, threads)
            if pool is None or len(batch) == 1:
                seen = [self._verify(query, keys, k, nearer, floor) for query, keys in zip(batch, found, strict=True)]
            else:
                seen = list(pool.map(lambda query, keys: self._verify(query, keys, k, nearer, floor), batch, found))
            for query, (best, more) in zip(batch, seen, strict=True):
                if more and nearer is not depth:
                    least = float(best.scores[-1]) if len(best) == k else floor
                    (keys,) = self._candidates(query[None], k, depth, words, least, pool, threads)
                    best, _ = self._verify(query, keys, k, depth, least)
                hits.append(best)
        return [self._above(each, threshold) for each in hits]

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
        """For each query the keys of its candidates, with the bounds on their scores."""
        biases = (queries @ self.centre)[:, None]
        bounded = math.isfinite(depth.slack)
        return self.sketches.candidates(
            queries,
            depth.candidates,
            mask,
            slack=depth.slack if bounded else 0.0,
            floors=np.full(len(queries), floor if bounded else -np.inf, dtype=np.float32),
            biases=biases,
            pool=pool,
            threads=threads,
        )

    def _threads(self, threads: int) -> ThreadPoolExecutor | None:
        if threads < 2:
            return None
        if self._pool is None or self._pool._max_workers < threads:
            self._pool = ThreadPoolExecutor(threads)
        return self._pool

    @property
    def _factors(self) -> NDArray[np.uint16]:
        """The factor of each row, 0 for rows never returned; empty where `_allowed` excludes those."""
        return self.sketches.factors

    def _allowed(self, mask: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """``mask`` without the rows never returned, where `_factors` does not exclude those."""
        return mask

    def exact(self, query: NDArray[np.float32], k: int, mask: NDArray[np.uint64] | None = None) -> Hits:
        """The best ``k`` rows by dot product with ``query`` (d,), from all dot products."""
        (query,) = _queries(query[None], self.dimension)
        return self._exact(query, k, checked_mask(mask, self.rows)) if k > 0 and self.rows else Hits.empty()

    def score(self, query: NDArray[np.float32], rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """Exact dot products of ``query`` (d,) with rows in any order; 0 for an all-zero row.

        Raises `IndexError` for a row out of range.
        """
        (query,) = _queries(query[None], self.dimension)
        rows = np.asarray(rows, dtype=np.int64)
        if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < self.rows:
            raise IndexError(f"rows {int(rows.min())} to {int(rows.max())} are not all in an index of {self.rows} rows")
        order = np.argsort(rows, kind="stable")
        scores = np.empty(len(rows), dtype=np.float32)
        scores[order] = self._scores(query, rows[order].astype(np.uint32))
        return scores

    def warm(self) -> None:
        """Before the first scan, read all sketches ahead; the earlier this is called, the more are in memory by then."""
        if self._cold:
            self._cold = False
            self.folder.scattered("vectors")
            for name in ("sketch", "factors", "rotation"):
                self.folder.advise(name, 0, self.folder.array(name).nbytes)

    def _scores(self, query: NDArray[np.float32], rows: NDArray[np.uint32]) -> NDArray[np.float32]:
        """Exact scores of ascending rows."""
        from ...kernels.dense.verify import score_rows

        scores = np.empty(len(rows), dtype=np.float32)
        self._reader.prefetch(rows)
        score_rows(self._halves, rows, query, scores)
        return scores

    def _verify(
        self, query: NDArray[np.float32], keys: NDArray[np.uint64], k: int, depth: SearchDepth, floor: float
    ) -> tuple[Hits, bool]:
        """The best ``k`` of the candidates by exact scores, verified in the order of their bounds and no further than needed.

        ``keys`` are sorted in place. Also returns whether further candidates, had there been any, would have been verified.
        """
        if not len(keys) or not np.count_nonzero(query):
            return Hits.empty(), False
        from ...kernels.dense.verify import verify_rows

        best = np.empty(2 * k, dtype=np.uint64)
        bounded, take, count, cold = math.isfinite(depth.slack), max(_FIRST, 2 * k), 0, False
        more = len(keys) >= depth.candidates
        if ordered := len(keys) <= _SORTED:
            keys.sort()
        while len(keys):
            if cold and take >= _SWEEP:
                count = self._sweep(query, keys, k, floor, best, count, bounded=bounded)
                break
            # Few queries need more than the first batch: the others are not read before they are needed, and of many not sorted.
            take = min(take, len(keys))
            if not ordered and take < len(keys):
                keys = np.partition(keys, len(keys) - take)
            piece, keys = keys[len(keys) - take :], keys[: len(keys) - take]
            piece = (piece if ordered else np.sort(piece))[::-1]
            numbers = self._numbers[numbers_of(piece)] if len(self._numbers) else numbers_of(piece)
            cold = self._reader.cold(numbers)
            if cold:
                self._reader.prefetch(np.sort(numbers))
            bounds = np.ascontiguousarray(piece) if bounded else piece | _UNBOUNDED
            done, count = verify_rows(self._halves, self._numbers, bounds, 0, take, query, k, floor, count, best)
            if done < take:
                more = False
                break
            take = 2 * take
        found = best[:count]
        found.sort()
        found = found[::-1]
        return Hits(numbers_of(found).astype(np.int64), scores_of(found)), more

    def _sweep(
        self,
        query: NDArray[np.float32],
        keys: NDArray[np.uint64],
        k: int,
        floor: float,
        best: NDArray[np.uint64],
        count: int,
        *,
        bounded: bool,
    ) -> int:
        """Verify candidates in the order of their rows, reading each page once and skipping those that can no longer win.

        This many candidates lie close together on disk. In the order of their bounds, nearly every page would be read several
        times if memory cannot hold it until the next candidate on it. Returns the new ``count``.
        """
        from ...kernels.dense.verify import verify_rows

        numbers = self._numbers[numbers_of(keys)] if len(self._numbers) else numbers_of(keys)
        order = np.argsort(numbers, kind="stable")
        for start in range(0, len(order), _SWEEP):
            some = order[start : start + _SWEEP]
            if bounded and count >= k:
                # At equal scores the smaller id wins: compare scores only.
                least = np.partition(best[:count], count - k)[count - k] >> np.uint64(32)
                some = some[keys[some] >> np.uint64(32) >= least]
            self._reader.prefetch(numbers[some])
            piece = keys[some] | _UNBOUNDED
            _, count = verify_rows(self._halves, self._numbers, piece, 0, len(piece), query, k, floor, count, best)
        return count

    def _exact(self, query: NDArray[np.float32], k: int, mask: NDArray[np.uint64]) -> Hits:
        if not query.any():
            return Hits.empty()

        def ahead(first: int, rows: int) -> None:
            self.folder.advise("vectors", 2 * first * self.dimension, 2 * rows * self.dimension)

        return exact_search(self._vectors, self._factors, query[None], k, self._allowed(mask), ahead)[0]

    @staticmethod
    def _above(hits: Hits, threshold: float | None) -> Hits:
        if threshold is None or not len(hits) or hits.scores[-1] >= threshold:  # sorted: the last is the lowest
            return hits
        return hits.top(int((hits.scores >= threshold).sum()))
