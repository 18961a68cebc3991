"""A linear map of vectors whose first dimensions, and the signs of whose dimensions, keep the order of dot products.

Principal axes by falling variance, so that the first dimensions alone keep most of every dot product: what Matryoshka
representations train for (Kusupati et al., "Matryoshka Representation Learning", NeurIPS 2022). In part: their encoder is trained
for it, and here its vectors are turned. Within each width, the axes are rotated until the signs of the dimensions are as close to
the vectors as a rotation brings them: iterative quantization (Gong and Lazebnik, "Iterative Quantization: A Procrustean Approach to
Learning Binary Codes", CVPR 2011). A map of all dimensions is orthogonal and changes no dot product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ...encode.protocols import unit
from ...index.dense.sketch import random_rotation

__all__ = ["ROUNDS", "binary_rotation", "fitted_map", "principal_axes"]

ROUNDS = 40
"""Of iterative quantization for each width."""
ROWS = 10_000
"""The most rows that a rotation is fitted to."""
_AT_ONCE = 4096

Vectors = NDArray[np.floating]


def principal_axes(vectors: Vectors) -> NDArray[np.float32]:
    """The orthonormal directions (d, d) of rows (n, d), one a row, by falling variance about their mean."""
    dimension = vectors.shape[1]
    total, products = np.zeros(dimension), np.zeros((dimension, dimension))
    for start in range(0, len(vectors), _AT_ONCE):
        rows = vectors[start : start + _AT_ONCE].astype(np.float64)
        total += rows.sum(0)
        products += rows.T @ rows
    mean = total / max(1, len(vectors))
    axes = np.linalg.eigh(products / max(1, len(vectors)) - np.outer(mean, mean))[1][:, ::-1].T
    largest = np.abs(axes).argmax(1)
    signs = np.sign(axes[np.arange(dimension), largest])  # of an axis and its opposite, always the same one
    return np.ascontiguousarray(axes * signs[:, None], np.float32)


def binary_rotation(
    rows: NDArray[np.float32], seed: int, more: Callable[[], bool] = lambda: True, rounds: int = ROUNDS
) -> NDArray[np.float32]:
    """The rotation (d, d) that brings centred ``rows`` (n, d) closest to their signs, as far as ``rounds`` get from a random one.

    ``more`` is asked before each round whether there is to be one.
    """
    rotation = random_rotation(rows.shape[1], seed)
    for _ in range(rounds):
        if not more():
            break
        signs = np.where(rows @ rotation > 0, np.float32(1), np.float32(-1))
        left, _, right = np.linalg.svd(rows.T @ signs)
        rotation = np.ascontiguousarray(left @ right, np.float32)
    return rotation


def fitted_map(
    vectors: Vectors, widths: Sequence[int], seed: int, more: Callable[[], bool] = lambda: True
) -> NDArray[np.float32]:
    """The map (widths[-1], d), with orthonormal rows, fitted to unit rows (n, d); ``vectors @ map.T`` are the new vectors.

    ``widths`` rise. The first ``widths[i]`` dimensions span the principal axes of the same number, rotated for codes together with
    no others than those beyond ``widths[i - 1]``, so that any of the widths can be cut.
    """
    axes = principal_axes(vectors)
    found = axes[: widths[-1]].copy()
    sample = vectors[np.random.default_rng([seed, 11]).permutation(len(vectors))[:ROWS]].astype(np.float32)
    start = 0
    for width in widths:
        rows = unit(sample @ axes[:width].T)[:, start:]
        rotation = binary_rotation(rows - rows.mean(0), seed, more)
        found[start:width] = rotation.T @ axes[start:width]
        start = width
    return found
