"""Sketches of vectors: centred, rotated, quantised to 1, 2 or 4 bits per dimension, with a factor that corrects the estimate.

A vector ``x`` becomes ``y = (x - c) R``, with ``c`` the centre of the segment and ``R`` a random rotation, or none
(`chosen_rotation`). Its sketch is the vector ``z`` of odd integers of magnitude at most ``2^bits - 1`` closest to ``y`` in angle: its
signs for 1 bit. ``<q, x>`` is estimated as ``<q, c> + <q R, z> |y|² / <y, z>``, which is unbiased over the choice of ``R``.
Sources: RaBitQ (Gao & Long, SIGMOD 2024), its extension to more bits (Gao et al., SIGMOD 2025).

A vector as a sum of binary vectors, with as many bits a dimension as memory has: Gan et al., "Binary Embedding-based Retrieval at
Tencent" (2023). In part: theirs are learned by a network; these follow from a random rotation.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .size import GROUP, sketch_columns

__all__ = ["Sketches", "chosen_rotation", "encode", "encode_rows", "grouped", "random_rotation"]

_ORDER = np.arange(GROUP).reshape(2, GROUP // 2).T.reshape(-1)
"""The vector of a group at each place (`kernels.dense.scan`)."""
_ROUNDS = 4
_STEPS = {2: 0.9957, 4: 0.3352}
"""Quantisation steps, in standard deviations, that suit normally distributed numbers (Max 1960)."""
_TRIES = np.array([0.7, 0.8, 0.9, 1.0, 1.1, 1.25], dtype=np.float32)
"""Multiples of the step tried for each vector."""
_SAMPLE = 1024
"""Rows by which a rotation is chosen."""
_CLOSER = 0.01
"""How much closer to their sketches unrotated rows must be, as a squared cosine, to be left as they are."""


def random_rotation(dimension: int, seed: int) -> NDArray[np.float32]:
    """A random orthogonal matrix (dimension, dimension): rounds of random signs, permutation and Hadamard transform.

    Where the dimension is not a power of 2, the transform covers the first and then the last coordinates of the largest smaller
    power of 2, which overlap (the rotation of the authors' RaBitQ library; three rounds suffice, Andoni et al., NIPS 2015). It
    needs no linear algebra package, so it is fast on a busy machine and the same on every machine.
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


def chosen_rotation(vectors: NDArray[np.floating], centre: NDArray[np.float32], bits: int, seed: int) -> NDArray[np.float32]:
    """The rotation (d, d) of a segment of rows (n, d): none where their encoder was made for sketches, else a random one.

    Codes that are learned with the encoder (`train.projection`) are signs of its own dimensions, which a random rotation would mix
    up again. They show in the vectors themselves: the squared cosine between a row and its sketch, which the estimate's error
    falls with, is higher without it, in the mean of a sample of rows.
    """
    rotation = random_rotation(len(centre), seed)
    rows = np.unique(np.linspace(0, len(vectors) - 1, min(_SAMPLE, len(vectors))).astype(np.int64))
    sample = vectors[rows].astype(np.float32)
    y: NDArray[np.float32] = (sample - centre)[sample.any(axis=1)]
    same = np.eye(len(centre), dtype=np.float32)
    if len(y) and _closeness(y, bits) > _closeness(np.matmul(y, rotation, dtype=np.float32), bits) + _CLOSER:
        return same
    return rotation


def _closeness(y: NDArray[np.float32], bits: int) -> float:
    """The mean squared cosine between rows ``y`` and their sketches."""
    z = 2 * _levels(y, bits).astype(np.float32) - (2**bits - 1)
    lengths = np.einsum("ij,ij->i", y, y) * np.einsum("ij,ij->i", z, z)
    return float((np.einsum("ij,ij->i", y, z) ** 2 / np.maximum(lengths, np.float32(1e-30))).mean())


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


def encode_rows(
    vectors: NDArray[np.floating], centre: NDArray[np.float32], rotation: NDArray[np.float32], bits: int
) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """Sketch rows (n, d): codes (n, bits * columns) and factors (n,).

    The factor of a row is 0 if and only if the row is all zero. ``centre`` is (d,), or (n, d) with one centre per row.
    """
    n, columns = len(vectors), sketch_columns(vectors.shape[1])
    x = vectors.astype(np.float32)
    y: NDArray[np.float32] = np.matmul(x - centre, rotation, dtype=np.float32)
    levels = _levels(y, bits)
    z = 2 * levels.astype(np.float32) - (2**bits - 1)
    along = np.einsum("ij,ij->i", y, z)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(along > 0, np.einsum("ij,ij->i", y, y) / along, 0)
    tiny, huge = np.finfo(np.float16).smallest_subnormal, np.finfo(np.float16).max
    factors = np.where(x.any(axis=1), np.clip(factor, tiny, huge), 0).astype(np.float16)
    planes = np.zeros((n, bits, columns), dtype=np.uint8)
    for bit in range(bits):
        packed = np.packbits((levels >> bit) & 1, axis=1, bitorder="little")
        planes[:, bit, : packed.shape[1]] = packed
    return planes.reshape(n, bits * columns), factors


def grouped(
    codes: NDArray[np.uint8], factors: NDArray[np.float16], places: NDArray[np.int64] | None = None, groups: int | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """Codes (n, width) and factors (n,) as groups (g, width, 64) and (g, 64): row i at ``places[i]`` (None: i), else zeros."""
    n, width = codes.shape
    groups = -(-n // GROUP) if groups is None else groups
    where = slice(0, n) if places is None else places
    rows, kept = np.zeros((groups * GROUP, width), dtype=np.uint8), np.zeros(groups * GROUP, dtype=np.float16)
    rows[where], kept[where] = codes, factors
    return np.ascontiguousarray(rows.reshape(groups, GROUP, width)[:, _ORDER].transpose(0, 2, 1)), kept.reshape(groups, GROUP)


def encode(
    vectors: NDArray[np.floating], centre: NDArray[np.float32], rotation: NDArray[np.float32], bits: int
) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """`encode_rows` in groups: codes of shape (groups, bits * columns, 64), factors of shape (groups, 64)."""
    return grouped(*encode_rows(vectors, centre, rotation, bits))


@dataclass(frozen=True, slots=True, eq=False)
class Sketches:
    """The part of a dense index that stays in memory, and its scan."""

    rotation: NDArray[np.float32]
    codes: NDArray[np.uint8]
    factors: NDArray[np.uint16]
    bits: int

    def candidates(
        self,
        queries: NDArray[np.float32],
        want: int,
        mask: NDArray[np.uint64],
        *,
        slack: float = 0.0,
        floors: NDArray[np.float32] | None = None,
        biases: NDArray[np.float32] | None = None,
        runs: NDArray[np.int64] | None = None,
        pool: ThreadPoolExecutor | None = None,
        threads: int = 1,
    ) -> list[NDArray[np.uint64]]:
        """For each of the queries (m, d) the keys of the best ``want`` rows, unsorted (`kernels.dense.select`).

        Rows rank by their estimate plus ``slack`` times the query's length times the row's factor: an upper bound on the true
        dot product for all but a share of rows that depends on ``slack``. ``mask`` has a bit for each row, in words of 64, or is
        empty to allow all rows. Rows that rank below ``floors`` (m,) are not returned (None: no floor). ``runs`` (r, 2) are the
        groups to scan (None: all), ``biases`` (m, r) the values to add to the estimates of each run. With ``threads`` above 1
        the queries, or the groups of a single query, are divided among the threads of ``pool``.
        """
        from ...kernels.dense.scan import room, scan_sketches, tabulate

        m, columns = len(queries), self.codes.shape[1] // self.bits
        tables = np.empty((m, 32 * columns), dtype=np.uint8)
        lines = np.empty((m, 2), dtype=np.float32)
        tabulate(self.rotation, queries, self.bits, slack, tables, lines)
        if runs is None:
            runs = np.array([[0, len(self.codes)]], dtype=np.int64)
        if biases is None:
            biases = np.zeros((m, len(runs)), dtype=np.float32)
        floors = np.full(m, -np.inf, dtype=np.float32) if floors is None else np.nextafter(floors, np.float32(-np.inf))
        keys = np.empty((m, room(want)), dtype=np.uint64)
        counts = np.empty(m, dtype=np.int64)

        def scan(part: slice, some: NDArray[np.int64], keys: NDArray[np.uint64], counts: NDArray[np.int64]) -> None:
            scan_sketches(
                self.codes, self.factors, self.bits, mask, tables[part], lines[part], some, biases[part], floors[part], want,
                keys, counts,
            )  # fmt: skip

        every = slice(0, m)
        if pool is None or threads < 2 or not m:
            scan(every, runs, keys, counts)
        elif m > 1:
            parts = [slice(m * i // threads, m * (i + 1) // threads) for i in range(threads)]
            list(pool.map(lambda part: scan(part, runs, keys[part], counts[part]), parts))
        else:
            lengths = runs[:, 1] - runs[:, 0]
            spare = [(keys, counts), *((np.empty_like(keys), np.empty_like(counts)) for _ in range(threads - 1))]
            pieces = [
                np.stack([runs[:, 0] + lengths * i // threads, runs[:, 0] + lengths * (i + 1) // threads], axis=1)
                for i in range(threads)
            ]
            list(pool.map(lambda piece, own: scan(every, piece, *own), pieces, spare))
            found = np.concatenate([own[0, : count[0]] for own, count in spare])
            return [np.partition(found, len(found) - want)[len(found) - want :] if len(found) > want else found]
        return [keys[row, : counts[row]] for row in range(m)]

    @property
    def nbytes(self) -> int:
        """Bytes that a scan reads."""
        return self.codes.nbytes + self.factors.nbytes + self.rotation.nbytes
