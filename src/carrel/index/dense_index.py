"""Dense search over one immutable segment: sketches in memory pick candidates, float16 vectors on disk decide.

Arrays of the folder: ``vectors`` float16 (n, d); ``sketch`` uint32 (groups, bits * words, 64) and ``factors`` float16
(groups, 64), see `dense_sketch`; ``rotation`` float32 (d, d); ``centre`` float32 (d,). Rows are local passage ids.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._errors import LibraryDamaged, LibraryFormat
from ..rank.hits import Hits
from .dense_calibrate import candidates_for
from .dense_exact import best_by_exact
from .dense_keys import numbers_of
from .dense_reader import RowReader
from .dense_sketch import BITS, GROUP, Sketches, sketch_words
from .files import REMEDY, ArrayFolder

__all__ = ["FORMAT", "DenseIndex"]

FORMAT = 1
EXACT_ROWS = 2048
"""Segments of up to this many rows are searched by brute force: it is as fast, and exact."""
_BATCH = 64
"""Queries that share a scan."""
_NONE = np.empty(0, dtype=np.uint64)


def shaped_vectors(vectors: ArrayLike, dimension: int, what: str) -> NDArray[np.float32]:
    """``vectors`` as a contiguous float32 array (n, dimension). Raises `ValueError` for another shape."""
    array = np.ascontiguousarray(vectors, dtype=np.float32)
    if array.ndim != 2 or array.shape[1] != dimension:
        raise ValueError(f"{what} of shape {array.shape} where (n, {dimension}) was expected; use the encoder of this index")
    return array


def checked_mask(mask: NDArray[np.uint64] | None, rows: int) -> NDArray[np.uint64]:
    """The words of ``mask`` that cover ``rows``, none for None. Raises `ValueError` for another type or too few."""
    if mask is None:
        return _NONE
    words = -(-rows // GROUP)
    if mask.dtype != np.uint64 or mask.ndim != 1 or len(mask) < words:
        raise ValueError(f"a mask of {mask.dtype} {mask.shape} where uint64 ({words},) was expected")
    return np.ascontiguousarray(mask[:words])


def _queries(queries: ArrayLike, dimension: int) -> NDArray[np.float32]:
    """`shaped_vectors` that also raises `ValueError` for NaN and infinity."""
    array = shaped_vectors(queries, dimension, "queries")
    if not np.isfinite(array).all():
        raise ValueError("queries: NaN or infinity in a query vector; the encoder that made it is faulty")
    return array


class DenseIndex:
    """A finished segment of vectors.

    Opening maps the files and reads none of the vectors. Raises `LibraryDamaged` where the arrays do not fit each other,
    `LibraryFormat` for a format of another carrel.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = ArrayFolder(folder)
        try:
            attributes = dict(self.folder.attributes)
            written = int(attributes["format"])
            self.dimension = int(attributes["dimension"])
            self.bits = int(attributes["bits"])
            self.seed = int(attributes["seed"])
            self._table = [(int(k), int(count)) for k, count in attributes["candidates"]]
            sound = all(k > 0 and count > 0 for k, count in self._table)
        except (KeyError, TypeError, ValueError) as error:
            raise LibraryDamaged(f"{folder / 'index.json'} does not describe a dense index; {REMEDY}") from error
        if written != FORMAT:
            raise LibraryFormat(
                f"{folder} holds a dense index of format {written} where this carrel reads {FORMAT}; "
                "install the carrel that wrote it, or index the sources again"
            )
        self._vectors: NDArray[np.float16] = self._array("vectors", np.float16, 2)
        self.rows = len(self._vectors)
        groups, d = -(-self.rows // GROUP), self.dimension
        self.centre: NDArray[np.float32] = self._array("centre", np.float32, 1)
        codes, factors = self._array("sketch", np.uint32, 3), self._array("factors", np.float16, 2)
        rotation = self._array("rotation", np.float32, 2)
        sound = sound and self.bits in BITS and d > 0 and d % 8 == 0 and self.rows < 2**32
        sound = sound and codes.shape == (groups, self.bits * sketch_words(d), GROUP) and factors.shape == (groups, GROUP)
        sound = sound and self._vectors.shape[1] == d and rotation.shape == (d, d) and self.centre.shape == (d,)
        if not sound:
            raise LibraryDamaged(f"the arrays of {folder} do not fit each other; {REMEDY}")
        self.sketches = Sketches(rotation, codes, factors.view(np.uint16), self.bits)
        self._halves: NDArray[np.uint16] = self._vectors.view(np.uint16)
        self._reader = RowReader(self.folder, "vectors")
        self._cold = True
        self._wanted: dict[int, int] = {}

    def _array(self, name: str, dtype: type[Any], ndim: int) -> NDArray[Any]:
        array = self.folder.array(name)
        if array.dtype != dtype or array.ndim != ndim:
            raise LibraryDamaged(
                f"{self.folder.path(name)} holds {array.ndim}-dimensional {array.dtype} where {ndim}-dimensional "
                f"{np.dtype(dtype)} was written; {REMEDY}"
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
        """Bytes of the mapped arrays that a search reads whole: these count for a memory budget."""
        return self.sketches.nbytes

    def sizes(self) -> dict[str, int]:
        """Bytes on disk by array."""
        return self.folder.sizes()

    def candidates(self, k: int) -> int:
        """Rows to verify for a recall of `dense_calibrate.RECALL` at ``k``, as measured when the segment was written."""
        if k not in self._wanted:
            self._wanted[k] = min(self.rows, candidates_for(self._table, k)) if self._table else self.rows
        return self._wanted[k]

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        *,
        candidates: int | None = None,
        mask: NDArray[np.uint64] | None = None,
        threshold: float | None = None,
    ) -> Hits:
        """The best ``k`` rows by dot product with ``query`` (d,), scores exact, found among ``candidates`` sketched ones.

        ``candidates`` None takes what was measured (`candidates`). ``mask`` has a bit for each row that may be returned, in
        little-endian words of 64 (None = all). Only scores of at least ``threshold`` are returned. All-zero rows never are,
        and an all-zero query finds nothing. Raises `ValueError` for a query of another shape or with NaN in it.
        """
        return self.scan(query[None], k, candidates=candidates, mask=mask, threshold=threshold)[0]

    def scan(
        self,
        queries: NDArray[np.float32],
        k: int,
        *,
        candidates: int | None = None,
        mask: NDArray[np.uint64] | None = None,
        threshold: float | None = None,
    ) -> list[Hits]:
        """What `search` finds for each of the queries (m, d); they share the reading of the sketches."""
        queries = _queries(queries, self.dimension)
        words = checked_mask(mask, self.rows)
        if k < 1 or not self.rows:
            return [Hits.empty() for _ in queries]
        want = self.candidates(k) if candidates is None else max(candidates, k)
        if want >= self.rows or self.rows <= EXACT_ROWS:
            return [self._above(self._exact(query, k, words), threshold) for query in queries]
        self._warm()
        hits = []
        for start in range(0, len(queries), _BATCH):
            batch = queries[start : start + _BATCH]
            for query, keys in zip(batch, self.sketches.candidates(batch, want, words), strict=True):
                hits.append(self._above(self._verify(query, keys, k), threshold))
        return hits

    def exact(self, query: NDArray[np.float32], k: int, mask: NDArray[np.uint64] | None = None) -> Hits:
        """The best ``k`` rows by dot product with ``query`` (d,), by computing all of them."""
        (query,) = _queries(query[None], self.dimension)
        return self._exact(query, k, checked_mask(mask, self.rows)) if k > 0 and self.rows else Hits.empty()

    def score(self, query: NDArray[np.float32], rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """Exact dot products of ``query`` (d,) with rows in any order; 0 for an all-zero row.

        Raises `IndexError` for a row that there is not.
        """
        (query,) = _queries(query[None], self.dimension)
        rows = np.asarray(rows, dtype=np.int64)
        if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < self.rows:
            raise IndexError(f"rows {int(rows.min())} to {int(rows.max())} where the index has {self.rows}")
        order = np.argsort(rows, kind="stable")
        scores = np.empty(len(rows), dtype=np.float32)
        scores[order] = self._scores(query, rows[order].astype(np.uint32))
        return scores

    def recall(self, queries: NDArray[np.float32], k: int, *, candidates: int | None = None) -> float:
        """Mean share of the exact best ``k`` that `search` returns for queries (m, d). Rows of equal scores count alike."""
        queries = _queries(queries, self.dimension)
        queries = queries[queries.any(axis=1)]
        true = best_by_exact(self._vectors, self.sketches.factors, queries, k)
        shares = [
            float((hits.scores >= wanted.scores[-1]).sum()) / len(wanted)
            for hits, wanted in zip(self.scan(queries, k, candidates=candidates), true, strict=True)
            if len(wanted)
        ]
        return float(np.mean(shares)) if shares else 1.0

    def _warm(self) -> None:
        """Before the first scan, ask for all sketches at once."""
        if self._cold:
            self._cold = False
            for name in ("sketch", "factors", "rotation"):
                self.folder.advise(name, 0, self.folder.array(name).nbytes)

    def _scores(self, query: NDArray[np.float32], rows: NDArray[np.uint32]) -> NDArray[np.float32]:
        """Exact scores of ascending rows."""
        from ..kernels.dense_verify import score_rows

        scores = np.empty(len(rows), dtype=np.float32)
        self._reader.prefetch(rows)
        score_rows(self._halves, rows, query, scores)
        return scores

    def _verify(self, query: NDArray[np.float32], keys: NDArray[np.uint64], k: int) -> Hits:
        if not query.any():
            return Hits.empty()
        rows = np.sort(numbers_of(keys))
        scores = self._scores(query, rows)
        if len(rows) > k:
            kept = np.flatnonzero(scores >= np.partition(scores, len(rows) - k)[len(rows) - k])
            rows, scores = rows[kept], scores[kept]
        return Hits.ranked(rows, scores, k)

    def _exact(self, query: NDArray[np.float32], k: int, mask: NDArray[np.uint64]) -> Hits:
        if not query.any():
            return Hits.empty()

        def ahead(first: int, rows: int) -> None:
            self.folder.advise("vectors", 2 * first * self.dimension, 2 * rows * self.dimension)

        return best_by_exact(self._vectors, self.sketches.factors, query[None], k, mask, ahead)[0]

    @staticmethod
    def _above(hits: Hits, threshold: float | None) -> Hits:
        if threshold is None:
            return hits
        return hits.top(int((hits.scores >= threshold).sum()))
