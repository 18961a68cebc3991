"""Fixed-dimensional encodings of token vectors: one vector a text whose inner products approximate late interaction.

Source: MUVERA (Dhulipala, Hadian, Jayaram, Lee, Mirrokni 2024, "Multi-vector retrieval via fixed dimensional encodings"). Space
is cut into 2**bits regions by random hyperplanes (SimHash). Of a query, the vectors of a region are added; of a document they
are averaged, and an empty region takes the document's vector whose region differs in the fewest bits. Regions stand one after
the other, ``repetitions`` times with other hyperplanes; each may be projected to fewer dimensions by random signs.

The inner product approximates Chamfer similarity, the sum over query tokens of the largest product with a document token:
the more repetitions, the less chance in it; the more bits, the fewer unlike tokens share a region. The paper proves a bound;
its loss is measured by `late.py` (``docs/models.md``), and too great for it to ship.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bookwheel import UsageError
from bookwheel.encode.protocols import TokenVectors

__all__ = ["FixedEncoding", "chamfer"]


@dataclass(frozen=True)
class FixedEncoding:
    """The encoding of token vectors of ``dimension``; the same settings and ``seed`` must be used for queries and documents."""

    dimension: int
    bits: int = 4
    """Hyperplanes: 2**bits regions."""
    repetitions: int = 20
    projected: int | None = None
    """Dimensions to which a region's vector is projected; None for all."""
    seed: int = 0
    _planes: NDArray[np.float32] = field(init=False, repr=False, compare=False)
    _signs: NDArray[np.float32] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not (0 <= self.bits <= 16 and self.repetitions > 0 and self.dimension > 0):
            raise UsageError("a fixed encoding has 0 … 16 bits, and at least one repetition and dimension")
        if self.projected is not None and not 0 < self.projected <= self.dimension:
            raise UsageError(f"projected is a number from 1 to {self.dimension}, not {self.projected}")
        rng = np.random.default_rng(self.seed)
        planes = rng.standard_normal((self.repetitions, self.dimension, self.bits)).astype(np.float32)
        signs = None
        if self.projected is not None:
            drawn = rng.integers(0, 2, (self.repetitions, self.dimension, self.projected)) * 2 - 1
            signs = (drawn / np.sqrt(self.projected)).astype(np.float32)
        object.__setattr__(self, "_planes", planes)
        object.__setattr__(self, "_signs", signs)

    @property
    def length(self) -> int:
        """Dimensions of an encoding."""
        return self.repetitions * (1 << self.bits) * (self.projected or self.dimension)

    def queries(self, vectors: TokenVectors) -> NDArray[np.float32]:
        """float32 (n, `length`): the sum of each region's vectors."""
        return self._encode(vectors, document=False)

    def documents(self, vectors: TokenVectors) -> NDArray[np.float32]:
        """float32 (n, `length`): the mean of each region's vectors, empty regions filled. Zeros for a text without tokens."""
        return self._encode(vectors, document=True)

    def _encode(self, vectors: TokenVectors, *, document: bool) -> NDArray[np.float32]:
        out = np.zeros((len(vectors), self.length), np.float32)
        for number in range(len(vectors)):
            rows, _ = vectors.row(number)
            if len(rows):
                out[number] = np.concatenate([self._once(rows, r, document) for r in range(self.repetitions)])
        return out

    def _once(self, rows: NDArray[np.float32], repetition: int, document: bool) -> NDArray[np.float32]:
        above = (rows @ self._planes[repetition]) > 0
        region = above @ (1 << np.arange(self.bits))
        if self._signs is not None:
            rows = rows @ self._signs[repetition]
        sums = np.zeros((2**self.bits, rows.shape[1]), np.float32)
        np.add.at(sums, region, rows)
        if document:
            count = np.bincount(region, minlength=2**self.bits)
            sums /= np.maximum(count, 1)[:, None].astype(np.float32)
            empty = np.flatnonzero(count == 0)
            if len(empty):
                bits = (empty[:, None] >> np.arange(self.bits)) & 1
                apart = (bits[:, None, :] != above[None]).sum(2)
                sums[empty] = rows[apart.argmin(1)]
        return sums.reshape(-1)


def chamfer(query: NDArray[np.float32], document: NDArray[np.float32]) -> float:
    """The sum over the rows of ``query`` of the largest inner product with a row of ``document``; 0 without rows."""
    if not len(query) or not len(document):
        return 0.0
    return float((query @ document.T).max(1).sum())
