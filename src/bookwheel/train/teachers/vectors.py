"""Teachers that encode texts: dense and sparse encoders. What they made of a text is kept for the batches that follow."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...encode.protocols import DenseEncoder, SparseEncoder, encode_queries

__all__ = ["DenseTeacher", "SparseTeacher"]

REMEMBERED = 20_000
"""Texts whose vectors are kept."""
Vector = TypeVar("Vector")


class _Remembered(Generic[Vector]):
    """Vectors of texts, by the texts' hashes."""

    def __init__(self, encode: Callable[[Sequence[str]], Sequence[Vector]]) -> None:
        self._encode = encode
        self._known: dict[bytes, Vector] = {}

    def of(self, texts: Sequence[str]) -> list[Vector]:
        """Of each text; those that are not known are encoded together."""
        keys = [hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        if len(self._known) + len(new) > REMEMBERED:
            self._known.clear()
            new = dict(zip(keys, texts, strict=True))
        if new:
            self._known.update(zip(new, self._encode(list(new.values())), strict=True))
        return [self._known[key] for key in keys]


class DenseTeacher:
    """The cosines of a dense encoder. See `Teacher`."""

    quick = True
    cosines = True

    def __init__(self, encoder: DenseEncoder, name: str | None = None) -> None:
        self.encoder = encoder
        self.name = Path(encoder.name).name if name is None else name
        self.sha256 = encoder.sha256
        self._texts = _Remembered[NDArray[np.float32]](lambda texts: list(encoder.encode(texts)))

    def scores(self, queries: Sequence[str], texts: Sequence[str], which: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Teacher`."""
        asked = encode_queries(self.encoder, list(queries))
        told = np.stack(self._texts.of(texts))
        found: NDArray[np.float32] = np.einsum("nd,nd->n", asked[which[:, 0]], told[which[:, 1]], dtype=np.float32)
        return found


class SparseTeacher:
    """The products of a learned sparse encoder's weights (SPLADE). See `Teacher`."""

    quick = True
    cosines = False

    def __init__(self, encoder: SparseEncoder, name: str) -> None:
        self.encoder, self.name, self.sha256 = encoder, name, encoder.sha256
        self._texts = _Remembered[tuple[NDArray[np.int32], NDArray[np.float32]]](self._rows)

    def _rows(self, texts: Sequence[str]) -> list[tuple[NDArray[np.int32], NDArray[np.float32]]]:
        found = self.encoder.encode(texts)
        return [found.row(at) for at in range(len(found))]

    def scores(self, queries: Sequence[str], texts: Sequence[str], which: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Teacher`."""
        asked = self.encoder.encode_queries(list(queries))
        told = self._texts.of(texts)
        weights = np.zeros(len(self.encoder.vocabulary), np.float32)
        out = np.zeros(len(which), np.float32)
        for query in np.unique(which[:, 0]).tolist():
            terms, values = asked.row(query)
            weights[terms] = values
            for at in np.flatnonzero(which[:, 0] == query).tolist():
                theirs, their_values = told[which[at, 1]]
                out[at] = weights[theirs] @ their_values
            weights[terms] = 0
        return out
