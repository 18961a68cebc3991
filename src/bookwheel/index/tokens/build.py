"""Writing an index of token vectors, in memory that does not grow with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..builder import FolderBuilder
from ..storage import FolderWriter
from .codes import BITS, Codebook, CodedTokens, train
from .index import FORMAT

__all__ = ["TokenBuilder"]


class TokenBuilder(FolderBuilder):
    """Writes one `TokenIndex`. The first rows train the codebook, unless one is given or they are already compressed.

    ``bits`` is 1, 2 or 4. As a context manager, it closes the index when the block ends normally, and abandons it otherwise.
    """

    def __init__(self, folder: Path, bits: int, *, seed: int, codebook: Codebook | None = None) -> None:
        if bits not in BITS:
            raise ValueError(f"bits per dimension must be 1, 2 or 4, not {bits}")
        self.bits = bits
        self.seed = seed
        self.codebook = codebook
        self._writer = FolderWriter(folder, format=FORMAT, kind="tokens", bits=bits)
        self._indptr = self._writer.stream("indptr", np.int64)
        self._indptr.append(np.zeros(1, np.int64))
        self._end = 0
        self._opened = False

    def append(self, indptr: NDArray[np.int64], vectors: NDArray[np.float32], spans: NDArray[np.int32]) -> None:
        """Add passages: tokens ``indptr[i]:indptr[i + 1]`` of ``vectors`` (tokens, d), ``spans`` (tokens, 2) in the passage.

        Raises `ValueError` for NaN, infinity, or a dimension that is not a multiple of 8.
        """
        if not np.isfinite(vectors.sum(dtype=np.float64)):
            raise ValueError("a token vector contains NaN or infinity")
        if self.codebook is None:
            self.codebook = train(vectors, self.bits, self.seed)
        clipped = np.clip(spans, 0, np.iinfo(np.uint16).max).astype(np.uint16)
        self.append_coded(CodedTokens(indptr, *self.codebook.encode(vectors), clipped, self.codebook))

    def append_coded(self, coded: CodedTokens) -> None:
        """Add passages that are already compressed."""
        if self.codebook is None:
            self.codebook = coded.codebook
        coded = coded.recoded(self.codebook)
        if not self._opened:
            self._opened = True
            wide = coded.codes.shape[1]
            self._codes = self._writer.stream("codes", np.uint8, (wide,))
            self._factors = self._writer.stream("factors", np.float16)
            self._owners = self._writer.stream("owners", np.uint16)
            self._spans = self._writer.stream("spans", np.uint16, (2,))
        for stream, array in (
            (self._codes, coded.codes),
            (self._factors, coded.factors),
            (self._owners, coded.owners),
            (self._spans, coded.spans),
            (self._indptr, self._end + coded.indptr[1:] - coded.indptr[0]),
        ):
            stream.append(array)
        self._end += int(coded.indptr[-1] - coded.indptr[0])

    def close(self) -> None:
        """Finish the folder. Raises `ValueError` if nothing was added."""
        if self.codebook is None:
            raise ValueError("no token vectors were added")
        self._writer.write("centroids", self.codebook.centroids)
        self._writer.write("rotation", self.codebook.rotation)
        self._writer.close()
