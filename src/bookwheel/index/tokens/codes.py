"""The codebook of token vectors: centroids, and the quantisation of residuals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..dense.sketch import random_rotation

__all__ = ["BITS", "Codebook", "CodedTokens", "byte_table", "join", "level_values", "train"]

BITS = (1, 2, 4)
_LEVELS = {
    1: (0.7978846,),
    2: (0.4527800, 1.5104176),
    4: (0.1283950, 0.3880483, 0.6567591, 0.9423405, 1.2562312, 1.6180464, 2.0690173, 2.7325896),
}
"""The positive quantisation levels of least squared error for normally distributed numbers (Max 1960)."""
ROUNDS = 8
SAMPLE = 64
"""Token vectors per centroid in training."""
PIECE = 16_384
"""Token vectors processed at a time."""


@cache
def level_values(bits: int) -> NDArray[np.float32]:
    """The levels in ascending order, float32 (2 ** bits,)."""
    half = np.array(_LEVELS[bits], np.float32)
    return np.concatenate([-half[::-1], half])


@cache
def byte_table(bits: int) -> NDArray[np.float32]:
    """The values that each byte of a code stands for: float32 (256, 8 / bits)."""
    values = np.arange(256)[:, None] >> (bits * np.arange(8 // bits)) & (2**bits - 1)
    return np.ascontiguousarray(level_values(bits)[values])


@dataclass(frozen=True, eq=False)
class Codebook:
    """How token vectors are encoded: ``centroids`` float32 (k, d), ``rotation`` float32 (d, d), ``bits`` per dimension."""

    centroids: NDArray[np.float32]
    rotation: NDArray[np.float32]
    bits: int

    def same(self, other: Codebook) -> bool:
        """Whether the codes of both codebooks mean the same."""
        return self is other or (
            self.bits == other.bits
            and np.array_equal(self.centroids, other.centroids)
            and np.array_equal(self.rotation, other.rotation)
        )

    def encode(self, vectors: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float16], NDArray[np.uint16]]:
        """Codes, factors and centroids of ``vectors`` (n, d)."""
        from ...kernels.tokens.pack import pack

        codes = np.empty((len(vectors), vectors.shape[1] * self.bits // 8), np.uint8)
        factors, owners = np.empty(len(vectors), np.float32), np.empty(len(vectors), np.uint16)
        levels = level_values(self.bits)
        for start in range(0, len(vectors), PIECE):
            some = np.ascontiguousarray(vectors[start : start + PIECE], np.float32)
            nearest = _nearest(some, self.centroids)
            owners[start : start + PIECE] = nearest
            rotated = np.ascontiguousarray((some - self.centroids[nearest]) @ self.rotation)
            pack(rotated, levels, self.bits, codes[start : start + PIECE], factors[start : start + PIECE])
        return codes, factors.astype(np.float16), owners

    def decode(self, codes: NDArray[np.uint8], factors: NDArray[np.float16], owners: NDArray[np.uint16]) -> NDArray[np.float32]:
        """The vectors (n, d) that the codes stand for."""
        levels = byte_table(self.bits)[codes].reshape(len(codes), self.centroids.shape[1])
        residuals = (levels * factors.astype(np.float32)[:, None]) @ self.rotation.T
        vectors: NDArray[np.float32] = (self.centroids[owners] + residuals).astype(np.float32)
        return vectors


@dataclass(frozen=True, eq=False)
class CodedTokens:
    """Compressed token vectors of n passages; arrays as in `TokenIndex`."""

    indptr: NDArray[np.int64]
    codes: NDArray[np.uint8]
    factors: NDArray[np.float16]
    owners: NDArray[np.uint16]
    spans: NDArray[np.uint16]
    codebook: Codebook

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def vectors(self) -> list[NDArray[np.float32]]:
        """Token vectors (tokens, d) of each passage."""
        return np.split(self.codebook.decode(self.codes, self.factors, self.owners), self.indptr[1:-1]) if len(self) else []

    def take(self, rows: NDArray[np.int64]) -> CodedTokens:
        """The passages ``rows``."""
        counts = self.indptr[rows + 1] - self.indptr[rows]
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        at = np.repeat(self.indptr[rows] - indptr[:-1], counts) + np.arange(indptr[-1])
        return CodedTokens(indptr, self.codes[at], self.factors[at], self.owners[at], self.spans[at], self.codebook)

    def recoded(self, codebook: Codebook) -> CodedTokens:
        """The same passages encoded with another codebook; unchanged if it is the same."""
        if self.codebook.same(codebook):
            return self
        codes, factors, owners = codebook.encode(self.codebook.decode(self.codes, self.factors, self.owners))
        return CodedTokens(self.indptr, codes, factors, owners, self.spans, codebook)


def join(parts: list[CodedTokens]) -> CodedTokens:
    """Join several into one, with the codebook of the first."""
    codebook = parts[0].codebook
    parts = [part.recoded(codebook) for part in parts]
    counts = np.concatenate([np.diff(part.indptr) for part in parts])
    return CodedTokens(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        np.concatenate([part.codes for part in parts]),
        np.concatenate([part.factors for part in parts]),
        np.concatenate([part.owners for part in parts]),
        np.concatenate([part.spans for part in parts]),
        codebook,
    )


def train(vectors: NDArray[np.float32], bits: int, seed: int, most: int = 1024) -> Codebook:
    """A codebook for vectors like these (n, d): k-means (Lloyd 1982) with at most ``most`` centroids, one for every 64 vectors.

    Raises `ValueError` if the dimension is not a multiple of 8.
    """
    if vectors.shape[1] % 8:
        raise ValueError(f"the dimension of token vectors must be a multiple of 8, not {vectors.shape[1]}")
    random = np.random.default_rng(seed)
    count = max(1, min(most, len(vectors) // SAMPLE))
    chosen = np.sort(random.permutation(len(vectors))[: SAMPLE * count])
    sample = np.asarray(vectors[chosen], np.float32)
    if not len(sample):
        centroids = np.zeros((1, vectors.shape[1]), np.float32)
        return Codebook(centroids, random_rotation(vectors.shape[1], seed), bits)
    centroids = sample[random.permutation(len(sample))[:count]].copy()
    for _ in range(ROUNDS if count > 1 else 1):
        nearest = _nearest(sample, centroids) if count > 1 else np.zeros(len(sample), np.int64)
        order = np.argsort(nearest, kind="stable")
        starts = np.searchsorted(nearest[order], np.arange(count))
        sizes = np.diff(np.append(starts, len(sample)))
        filled = sizes > 0
        sums = np.add.reduceat(sample[order], starts[filled], axis=0)
        centroids[filled] = sums / sizes[filled, None]
    return Codebook(centroids, random_rotation(vectors.shape[1], seed), bits)


def _nearest(vectors: NDArray[np.float32], centroids: NDArray[np.float32]) -> NDArray[np.int64]:
    """The number of each vector's nearest centroid: int64 (n,)."""
    if len(centroids) == 1:
        return np.zeros(len(vectors), np.int64)
    lengths = 0.5 * (centroids * centroids).sum(axis=1)
    found = np.empty(len(vectors), np.int64)
    for start in range(0, len(vectors), PIECE):
        found[start : start + PIECE] = np.argmax(vectors[start : start + PIECE] @ centroids.T - lengths, axis=1)
    return found
