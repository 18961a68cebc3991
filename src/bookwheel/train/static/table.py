"""The table of vectors while it is trained: sums of bags, and Adam over the rows that a batch touches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .bags import Bags

__all__ = ["Forward", "Table"]

FIRST, SECOND = 0.9, 0.99


@dataclass(frozen=True)
class Forward:
    """The unit vectors of a batch, and what `Table.step` needs to go back from them."""

    units: NDArray[np.float32]
    rows: NDArray[np.int64]
    bags: Bags
    """With the places of rows in ``rows``."""
    lengths: NDArray[np.float32]


@dataclass
class Table:
    """Vectors (rows, dimension), float32, with the moments of Adam (Kingma and Ba, 2015); the second is one number a row."""

    vectors: NDArray[np.float32]
    first: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))
    second: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    steps: int = 0
    """Of Adam."""
    steps_of_fit: int = 0
    """Of the fit, which may have made several of Adam each."""

    def __post_init__(self) -> None:
        if not len(self.first):
            self.first = np.zeros_like(self.vectors)
            self.second = np.zeros(len(self.vectors), np.float32)

    def forward(self, bags: Bags) -> Forward:
        """Unit vectors of ``bags``; zeros for an empty one."""
        from ...kernels.bags import sum_rows

        rows, places = np.unique(bags.rows, return_inverse=True)
        local = Bags(bags.indptr, places.astype(np.int32), bags.counts)
        sums = np.empty((len(bags), self.vectors.shape[1]), np.float32)
        sum_rows(local.indptr, local.rows, local.counts, self.vectors[rows], sums)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True) + np.float32(1e-6)
        return Forward(sums / lengths, rows.astype(np.int64), local, lengths)

    def step(self, made: Sequence[tuple[Forward, NDArray[np.float32]]], rate: float) -> None:
        """One step down the sum of gradients, each (n, dimension) and by the unit vectors of a forward pass."""
        from ...kernels.bags import scatter_rows

        rows = made[0][0].rows if len(made) == 1 else np.unique(np.concatenate([one.rows for one, _ in made]))
        slope = np.zeros((len(rows), self.vectors.shape[1]), np.float32)
        for one, gradient in made:
            units = one.units
            slopes = (gradient - units * (gradient * units).sum(1, keepdims=True)) / one.lengths
            places = np.searchsorted(rows, one.rows).astype(np.int32)[one.bags.rows]
            scatter_rows(one.bags.indptr, places, one.bags.counts, np.ascontiguousarray(slopes, np.float32), slope)
        self.steps += 1
        first = self.first[rows] * np.float32(FIRST) + np.float32(1 - FIRST) * slope
        second = self.second[rows] * np.float32(SECOND) + np.float32(1 - SECOND) * np.square(slope).mean(1)
        self.first[rows], self.second[rows] = first, second
        size = np.sqrt(second / np.float32(1 - SECOND**self.steps)) + np.float32(1e-8)
        self.vectors[rows] -= np.float32(rate / (1 - FIRST**self.steps)) * first / size[:, None]
