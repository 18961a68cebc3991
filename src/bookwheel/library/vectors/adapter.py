"""A map from the query vectors of a new model to the document vectors of an old one.

While an encoder is being replaced, queries of the new model search vectors of the old one, through a linear
map fitted by ridge regression on passages encoded with both. Sources: Drift-Adapter (Vejendla 2025) compares
linear, low-rank and residual maps for this purpose. Jang and Lim, "Towards Cross-modal Backward-compatible
Representation Learning for Vision-Language Models" (2024), do so for pictures by what texts alone teach; in
part: a linear map between encoders of texts.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...index.storage import ArrayFolder, FolderWriter

__all__ = ["Adapter", "fit_adapter"]

RIDGE = 1e-2
"""The ridge, as a multiple of the mean square of a column."""


class Adapter:
    """``map`` float32 (new dimension, old dimension), ``shift`` float32 (old dimension,)."""

    def __init__(self, map_: NDArray[np.float32], shift: NDArray[np.float32]) -> None:
        self.map = map_
        self.shift = shift

    def apply(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Vectors (new dimension,) or (n, new dimension) of the new model as the old one's, at unit length."""
        moved = vectors @ self.map + self.shift
        lengths = np.linalg.norm(moved, axis=-1, keepdims=True)
        return (moved / np.where(lengths > 0, lengths, 1)).astype(np.float32)

    def write(self, folder: Path) -> None:
        """Write it as an array folder."""
        with FolderWriter(folder, kind="adapter") as writer:
            writer.write("map", self.map)
            writer.write("shift", self.shift)

    @classmethod
    def open(cls, folder: Path) -> Adapter:
        """Read it; raises `LibraryDamaged`."""
        arrays = ArrayFolder(folder)
        return cls(arrays.array("map"), arrays.array("shift"))


def fit_adapter(new: NDArray[np.float32], old: NDArray[np.float32], ridge: float = RIDGE) -> Adapter:
    """The ridge map from ``new`` (n, d) to ``old`` (n, e), vectors of the same n passages."""
    x, y = np.asarray(new, np.float64), np.asarray(old, np.float64)
    mean_x, mean_y = x.mean(0), y.mean(0)
    gram = (x - mean_x).T @ (x - mean_x)
    gram[np.diag_indices_from(gram)] += ridge * np.trace(gram) / len(gram) + 1e-12
    weights = np.linalg.solve(gram, (x - mean_x).T @ (y - mean_y))
    return Adapter(weights.astype(np.float32), (mean_y - mean_x @ weights).astype(np.float32))
