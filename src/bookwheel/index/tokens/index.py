"""The index of token vectors: compressed multi-vector representations, for late interaction over candidates.

A token vector is stored as the number of its nearest centroid and the residual, rotated and quantised to 1, 2 or 4 bits per
dimension, with one factor per vector. Centroids and residuals follow ColBERTv2 (Santhanam et al. 2022); the rotation, the levels
for normally distributed numbers (Max 1960) and the factor follow RaBitQ (Gao & Long 2024) and are more precise at the same size
(see the guide to encoders). The table lies on disk, and the rows of all candidates are requested at once before any is scored, as in
Shrestha et al., "ESPN: Memory-Efficient Multi-Vector Information Retrieval" (2023); in part: nothing is fetched before the first
stage has ended. Centroids are trained on the first part of a representation and reused by later parts, so that parts merge without
loss.

Arrays: ``indptr`` int64 (n + 1,); ``codes`` uint8 (tokens, d * bits / 8); ``factors`` float16 (tokens,); ``owners`` uint16
(tokens,), centroid numbers; ``spans`` uint16 (tokens, 2), characters of the passage; ``centroids`` float32 (k, d); ``rotation``
float32 (d, d).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import LibraryDamaged, LibraryFormat
from ..._system import cores
from ..storage import REMEDY, ArrayFolder, opened
from .codes import BITS, Codebook, CodedTokens, byte_table

__all__ = ["FORMAT", "TokenIndex"]

FORMAT = 1
LANES = 16
ROWS_A_THREAD = 8
"""The least number of passages (times 16 query tokens) for which a thread pays off."""
_GAP = 1 << 15
"""Candidates with fewer bytes than this between them are requested as one run."""


class TokenIndex:
    """A finished index of token vectors; opening it maps the files.

    Raises `LibraryDamaged` where the arrays do not fit together, `LibraryFormat` for a format of another version.
    """

    def __init__(self, folder: Path | ArrayFolder) -> None:
        self.folder = opened(folder)
        folder = self.folder.folder
        try:
            attributes = dict(self.folder.attributes)
            written, self.bits = int(attributes["format"]), int(attributes["bits"])
        except (KeyError, TypeError, ValueError) as error:
            raise LibraryDamaged(f"{folder / 'index.json'} does not describe token vectors; {REMEDY}") from error
        if written != FORMAT:
            raise LibraryFormat(
                f"{folder} holds token vectors of format {written}, but this version of bookwheel reads format {FORMAT}; "
                "install the version that wrote it, or remove this encoder and add it again"
            )
        self.indptr: NDArray[np.int64] = self._array("indptr", np.int64, 1)
        self.codes: NDArray[np.uint8] = self._array("codes", np.uint8, 2)
        self.factors: NDArray[np.float16] = self._array("factors", np.float16, 1)
        self.owners: NDArray[np.uint16] = self._array("owners", np.uint16, 1)
        self.spans: NDArray[np.uint16] = self._array("spans", np.uint16, 2)
        centroids, rotation = self._array("centroids", np.float32, 2), self._array("rotation", np.float32, 2)
        self.dimension = centroids.shape[1]
        tokens = len(self.owners)
        sound = self.bits in BITS and rotation.shape == (self.dimension, self.dimension) and self.dimension % 8 == 0
        sound = sound and self.codes.shape == (tokens, self.dimension * self.bits // 8) and self.factors.shape == (tokens,)
        sound = sound and self.spans.shape == (tokens, 2) and len(self.indptr) > 0 and int(self.indptr[-1]) == tokens
        if not sound:
            raise LibraryDamaged(f"the arrays of {folder} do not fit together; {REMEDY}")
        self.codebook = Codebook(centroids, rotation, self.bits)
        self._prepared: _PreparedQuery | None = None

    def _array(self, name: str, dtype: type[Any], ndim: int) -> NDArray[Any]:
        array = self.folder.array(name)
        if array.dtype != dtype or array.ndim != ndim:
            raise LibraryDamaged(f"{self.folder.path(name)} holds {array.ndim}-dimensional {array.dtype}; {REMEDY}")
        return array

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def tokens(self) -> int:
        """The number of token vectors."""
        return len(self.owners)

    @property
    def hot_bytes(self) -> int:
        """Bytes that every search reads: centroids, rotation, and the offsets of passages."""
        return self.codebook.centroids.nbytes + self.codebook.rotation.nbytes + self.indptr.nbytes

    def gather(self, rows: NDArray[np.int64]) -> CodedTokens:
        """The passages ``rows``, as they are stored."""
        counts = self.indptr[rows + 1] - self.indptr[rows]
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        at = np.repeat(self.indptr[rows] - indptr[:-1], counts) + np.arange(indptr[-1])
        return CodedTokens(indptr, self.codes[at], self.factors[at], self.owners[at], self.spans[at], self.codebook)

    def vectors(self, rows: NDArray[np.int64]) -> list[NDArray[np.float32]]:
        """The decoded token vectors (tokens, d) of the passages ``rows``."""
        return self.gather(rows).vectors()

    def prefetch(self, rows: NDArray[np.int64]) -> None:
        """Read the codes of ``rows`` ahead, neighbouring passages in one request."""
        if not len(rows):
            return
        ordered = np.sort(rows)
        # A damaged file may point anywhere: stay within the arrays.
        starts = np.clip(self.indptr[ordered], 0, self.tokens)
        ends = np.maximum(np.clip(self.indptr[ordered + 1], 0, self.tokens), starts)
        wide = self.codes.shape[1]
        breaks = np.flatnonzero((starts[1:] - ends[:-1]) * wide > _GAP) + 1
        firsts = starts[np.concatenate([[0], breaks])]
        lasts = ends[np.concatenate([breaks - 1, [len(ends) - 1]])]
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
            if last <= first:
                continue
            for name, size in (("codes", wide), ("factors", 2), ("owners", 2)):
                self.folder.advise(name, first * size, (last - first) * size)

    def max_sim(self, query: NDArray[np.float32], rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """The best score (n, m) for each of ``rows`` and each token of ``query`` (m, d), and the token with that score (n, m).

        A passage without tokens scores 0 with token -1. Raises `IndexError` for a row out of range, `ValueError` for a query of
        another dimension.
        """
        rows = np.ascontiguousarray(rows, np.int64)
        if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < len(self):
            raise IndexError(f"rows {int(rows.min())} to {int(rows.max())} are not all in an index of {len(self)} rows")
        self.prefetch(rows)
        # A reranker passes a few candidates at a time: scoring the centroids would take longer than scoring those.
        prepared = self._prepared
        if prepared is None or not np.array_equal(prepared.query, query):
            self._prepared = prepared = _prepare(query, self.codebook)
        return self._best(prepared, rows)

    def _best(self, query: _PreparedQuery, rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        from ...kernels.tokens.score import LANES, max_sim

        count, blocks = len(query.query), len(query.columns)
        best = np.empty((len(rows), blocks * LANES), np.float32)
        places = np.empty((len(rows), blocks * LANES), np.int32)
        values, factors = byte_table(self.codebook.bits), self.factors.view(np.uint16)

        def some(part: slice) -> None:
            max_sim(
                self.indptr, self.codes, factors, self.owners, rows[part], values, query.columns, query.bias, best[part], places[part]
            )  # fmt: skip

        # At least about 0.3 ms of work per thread, which is more than starting a thread costs.
        threads = min(cores(), len(rows) * blocks // ROWS_A_THREAD)
        if threads > 1:
            ends = [len(rows) * number // threads for number in range(threads + 1)]
            with ThreadPoolExecutor(threads, thread_name_prefix="bookwheel-late") as pool:
                list(pool.map(some, [slice(low, high) for low, high in pairwise(ends)]))
        else:
            some(slice(0, len(rows)))
        best, places = best[:, :count], places[:, :count]
        return np.where(places < 0, np.float32(0), best), places


@dataclass(frozen=True, slots=True, eq=False)
class _PreparedQuery:
    """A query in the form the kernel takes."""

    query: NDArray[np.float32]
    """(m, d), as passed by the caller."""
    columns: NDArray[np.float32]
    """Rotated, (blocks, d, 16)."""
    bias: NDArray[np.float32]
    """Scores of the centroids, (centroids, 16 blocks)."""


def _prepare(query: NDArray[np.float32], codebook: Codebook) -> _PreparedQuery:
    given = np.array(query, np.float32)
    dimension = codebook.centroids.shape[1]
    if given.ndim != 2 or given.shape[1] != dimension or not np.isfinite(given).all():
        raise ValueError(f"a query must be finite and of shape (tokens, {dimension}), not {given.shape}")
    blocks = -(-max(len(given), 1) // LANES)
    padded = np.zeros((blocks * LANES, dimension), np.float32)
    padded[: len(given)] = given
    rotated = padded @ codebook.rotation
    columns = np.ascontiguousarray(rotated.reshape(blocks, LANES, dimension).transpose(0, 2, 1))
    return _PreparedQuery(given, columns, np.ascontiguousarray(codebook.centroids @ padded.T))
