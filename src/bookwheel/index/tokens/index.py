"""Token vectors of passages, compressed, for late interaction over candidates.

A token vector is kept as the number of its nearest centroid and what remains, rotated and quantised to 1, 2 or 4 bits a dimension
with one factor a vector. Centroid and residual are those of ColBERTv2 (Santhanam et al. 2022); the rotation, the levels for normally
distributed numbers (Max 1960) and the factor a vector are those of the quantisers of RaBitQ's family (Gao & Long 2024) and lose
less at the same bytes (``docs/embedding.md``). Centroids are trained on the first part of a representation and kept by those that
follow, so that parts merge without loss.

Arrays: ``indptr`` int64 (n + 1,); ``codes`` uint8 (tokens, d * bits / 8); ``factors`` float16 (tokens,); ``owners`` uint16 (tokens,);
``spans`` uint16 (tokens, 2), characters of the passage; ``centroids`` float32 (k, d), ``rotation`` float32 (d, d).
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
from ..storage import REMEDY, ArrayFolder
from .codes import BITS, Codebook, CodedTokens, byte_table

__all__ = ["FORMAT", "TokenIndex"]

FORMAT = 1
LANES = 16
ROWS_A_THREAD = 8
"""Passages (times 16 query tokens) that are worth a thread."""
_GAP = 1 << 15
"""Candidates with fewer bytes than this between them are asked for as one run."""


class TokenIndex:
    """A finished part. Opening maps the files. Raises `LibraryDamaged` where they do not fit, `LibraryFormat`."""

    def __init__(self, folder: Path) -> None:
        self.folder = ArrayFolder(folder)
        try:
            attributes = dict(self.folder.attributes)
            written, self.bits = int(attributes["format"]), int(attributes["bits"])
        except (KeyError, TypeError, ValueError) as error:
            raise LibraryDamaged(f"{folder / 'index.json'} does not describe token vectors; {REMEDY}") from error
        if written != FORMAT:
            raise LibraryFormat(
                f"{folder} holds token vectors of format {written} where this bookwheel reads {FORMAT}; "
                "install the bookwheel that wrote it, or forget this representation and add it again"
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
            raise LibraryDamaged(f"the arrays of {folder} do not fit each other; {REMEDY}")
        self.codebook = Codebook(centroids, rotation, self.bits)
        self._turned: _Turned | None = None

    def _array(self, name: str, dtype: type[Any], ndim: int) -> NDArray[Any]:
        array = self.folder.array(name)
        if array.dtype != dtype or array.ndim != ndim:
            raise LibraryDamaged(f"{self.folder.path(name)} holds {array.ndim}-dimensional {array.dtype}; {REMEDY}")
        return array

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def tokens(self) -> int:
        """Token vectors held."""
        return len(self.owners)

    @property
    def hot_bytes(self) -> int:
        """Bytes that every search reads: centroids, rotation and where passages begin."""
        return self.codebook.centroids.nbytes + self.codebook.rotation.nbytes + self.indptr.nbytes

    def gather(self, rows: NDArray[np.int64]) -> CodedTokens:
        """Passages as they are kept."""
        counts = self.indptr[rows + 1] - self.indptr[rows]
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        at = np.repeat(self.indptr[rows] - indptr[:-1], counts) + np.arange(indptr[-1])
        return CodedTokens(indptr, self.codes[at], self.factors[at], self.owners[at], self.spans[at], self.codebook)

    def vectors(self, rows: NDArray[np.int64]) -> list[NDArray[np.float32]]:
        """Token vectors (tokens, d) of passages, as far as they were kept."""
        return self.gather(rows).vectors()

    def prefetch(self, rows: NDArray[np.int64]) -> None:
        """Ask the system for the codes of ``rows``, neighbours in one go, before they are needed."""
        if not len(rows):
            return
        ordered = np.sort(rows)
        # Within what there is, whatever a damaged file says.
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
        """For each of ``rows`` and each token of ``query`` (m, d) the best score (n, m), and the token that has it (n, m).

        A passage without tokens scores 0 and has token -1. Raises `IndexError` for a row that there is not, `ValueError` for a
        query of another dimension.
        """
        rows = np.ascontiguousarray(rows, np.int64)
        if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < len(self):
            raise IndexError(f"rows {int(rows.min())} to {int(rows.max())} where there are {len(self)}")
        self.prefetch(rows)
        # A reranker asks for some candidates at a time: scoring the centroids takes longer than scoring those.
        turned = self._turned
        if turned is None or not np.array_equal(turned.query, query):
            self._turned = turned = _turn(query, self.codebook)
        return self._best(turned, rows)

    def _best(self, query: _Turned, rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        from ...kernels.tokens.score import LANES, max_sim

        count, blocks = len(query.query), len(query.columns)
        best = np.empty((len(rows), blocks * LANES), np.float32)
        places = np.empty((len(rows), blocks * LANES), np.int32)
        values, factors = byte_table(self.codebook.bits), self.factors.view(np.uint16)

        def some(part: slice) -> None:
            max_sim(
                self.indptr, self.codes, factors, self.owners, rows[part], values, query.columns, query.bias, best[part], places[part]
            )  # fmt: skip

        # About 0.3 ms of work a thread at least, which is more than starting it costs.
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
class _Turned:
    """A query as the kernel takes it."""

    query: NDArray[np.float32]
    """(m, d), as it was given."""
    columns: NDArray[np.float32]
    """Rotated, (blocks, d, 16)."""
    bias: NDArray[np.float32]
    """Scores of the centroids, (centroids, 16 blocks)."""


def _turn(query: NDArray[np.float32], codebook: Codebook) -> _Turned:
    given = np.array(query, np.float32)
    dimension = codebook.centroids.shape[1]
    if given.ndim != 2 or given.shape[1] != dimension or not np.isfinite(given).all():
        raise ValueError(f"a query of shape {given.shape} where finite (tokens, {dimension}) was expected")
    blocks = -(-max(len(given), 1) // LANES)
    padded = np.zeros((blocks * LANES, dimension), np.float32)
    padded[: len(given)] = given
    rotated = padded @ codebook.rotation
    columns = np.ascontiguousarray(rotated.reshape(blocks, LANES, dimension).transpose(0, 2, 1))
    return _Turned(given, columns, np.ascontiguousarray(codebook.centroids @ padded.T))
