"""Sketches of vectors: centred, rotated, a bit (or 2, 4) a dimension, and a factor that corrects the estimate.

A vector ``x`` becomes ``y = (x - c) R``, with ``c`` the centre of the segment and ``R`` a random rotation, and ``y`` the vector
``z`` nearest in angle of odd whole numbers of at most ``2^bits - 1``: its signs for 1 bit. ``<q, x>`` is estimated as
``<q, c> + <q R, z> |y|² / <y, z>``, which has no bias over the choice of ``R``.
Sources: RaBitQ (Gao & Long, SIGMOD 2024), its extension to more bits (Gao et al., SIGMOD 2025).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BITS", "GROUP", "Sketches", "encode", "random_rotation", "sketch_words"]

BITS = (1, 2, 4)
GROUP = 64
"""Vectors of a group (`kernels.dense_scan`)."""
_PLANES = 4
_ROUNDS = 4
_STEPS = {2: 0.9957, 4: 0.3352}
"""Quantisation steps, in standard deviations, that suit normally distributed numbers (Max 1960)."""
_TRIES = np.array([0.7, 0.8, 0.9, 1.0, 1.1, 1.25], dtype=np.float32)
"""Multiples of the step tried for each vector."""


def random_rotation(dimension: int, seed: int) -> NDArray[np.float32]:
    """A random orthogonal matrix (dimension, dimension): rounds of random signs, permutation and Hadamard transform.

    Where the dimension is no power of 2, the transform goes over the first and then the last so many coordinates, which overlap
    (the rotation of the authors' RaBitQ library; three rounds do, Andoni et al., NIPS 2015). No linear algebra package is
    asked, so that it is quick on a busy machine, and the same on every one.
    """
    generator = np.random.default_rng(seed)
    power = 1 << (dimension.bit_length() - 1)
    rotation = np.eye(dimension)
    for _ in range(_ROUNDS):
        for start in sorted({0, dimension - power}):
            rotation = rotation[:, generator.permutation(dimension)] * generator.choice([-1.0, 1.0], dimension)
            rotation[:, start : start + power] = _hadamard(rotation[:, start : start + power])
    return np.ascontiguousarray(rotation, dtype=np.float32)


def _hadamard(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The normalised Walsh-Hadamard transform of each row; their length is a power of 2."""
    n, length = rows.shape
    width = 1
    while width < length:
        pairs = rows.reshape(n, length // (2 * width), 2, width)
        rows = np.stack([pairs[:, :, 0] + pairs[:, :, 1], pairs[:, :, 0] - pairs[:, :, 1]], axis=2).reshape(n, length)
        width *= 2
    rows /= np.sqrt(length)
    return rows


def sketch_words(dimension: int) -> int:
    """32-bit words of one bit plane: an even number."""
    return (dimension + 63) // 64 * 2


def _levels(y: NDArray[np.float32], bits: int) -> NDArray[np.uint8]:
    """The code of each number, 0 … 2^bits - 1, of rows ``y``; code ``u`` stands for ``2 u - (2^bits - 1)``."""
    if bits == 1:
        return (y > 0).view(np.uint8)
    top = 2 ** (bits - 1)
    scale = np.sqrt((y * y).mean(axis=1, keepdims=True)) * np.float32(_STEPS[bits])
    scale[scale == 0] = 1
    best = np.full(len(y), -1, dtype=np.float32)
    chosen = np.empty(y.shape, dtype=np.uint8)
    for step in _TRIES:
        levels = np.clip(np.floor(y / (scale * step)) + top, 0, 2 * top - 1)
        z = 2 * levels - (2 * top - 1)
        cosine = np.einsum("ij,ij->i", y, z) / np.sqrt(np.einsum("ij,ij->i", z, z))
        better = cosine > best
        best[better] = cosine[better]
        chosen[better] = levels[better]
    return chosen


def encode(
    vectors: NDArray[np.floating], centre: NDArray[np.float32], rotation: NDArray[np.float32], bits: int
) -> tuple[NDArray[np.uint32], NDArray[np.float16]]:
    """Sketch rows (n, d): codes of shape (groups, bits * words, 64), factors of shape (groups, 64), both padded with zeros.

    The factor of a row is 0 if and only if the row is all zero.
    """
    n, dimension = vectors.shape
    groups, words = -(-n // GROUP), sketch_words(dimension)
    x = vectors.astype(np.float32)
    y: NDArray[np.float32] = np.matmul(x - centre, rotation, dtype=np.float32)
    levels = _levels(y, bits)
    z = 2 * levels.astype(np.float32) - (2**bits - 1)
    along = np.einsum("ij,ij->i", y, z)
    factors = np.zeros(groups * GROUP, dtype=np.float16)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(along > 0, np.einsum("ij,ij->i", y, y) / along, 0)
    tiny, huge = np.finfo(np.float16).smallest_subnormal, np.finfo(np.float16).max
    factors[:n] = np.where(x.any(axis=1), np.clip(factor, tiny, huge), 0)
    planes = np.zeros((groups * GROUP, bits, words * 32), dtype=np.uint8)
    for bit in range(bits):
        planes[:n, bit, :dimension] = (levels >> bit) & 1
    packed = np.packbits(planes, axis=2, bitorder="little").view("<u4").reshape(groups, GROUP, bits * words)
    return np.ascontiguousarray(packed.transpose(0, 2, 1)), factors.reshape(groups, GROUP)


@dataclass(frozen=True, slots=True, eq=False)
class Sketches:
    """The part of an index that stays in memory, and its scan."""

    rotation: NDArray[np.float32]
    codes: NDArray[np.uint32]
    factors: NDArray[np.uint16]
    bits: int

    def candidates(self, queries: NDArray[np.float32], want: int, mask: NDArray[np.uint64]) -> list[NDArray[np.uint64]]:
        """For each of the queries (m, d) the keys of the best ``want`` rows by estimate, unsorted (`kernels.dense_select`).

        ``mask`` has a bit for each row, in words of 64, or no word at all for all rows.
        """
        from ..kernels.dense_scan import room, scan_sketches

        m, words = len(queries), self.codes.shape[1] // self.bits
        planes = np.empty(_PLANES * words * m, dtype=np.uint32)
        keys = np.empty((m, room(want)), dtype=np.uint64)
        counts = np.empty(m, dtype=np.int64)
        scan_sketches(self.rotation, queries, self.codes, self.factors, self.bits, mask, want, planes, keys, counts)
        return [keys[row, : counts[row]] for row in range(m)]

    @property
    def nbytes(self) -> int:
        """Bytes that a scan reads."""
        return self.codes.nbytes + self.factors.nbytes + self.rotation.nbytes
