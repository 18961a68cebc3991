"""What a teacher says of texts: bags, and its unit vectors, mapped to the directions of the student.

After Zhao et al., "Compressing Sentence Representation for Semantic Retrieval via Homomorphic Projective Distillation" (2022): a small
model imitates a large one's vectors through a linear projection. In part: the student is a table of word vectors, and the projection
is fitted to where the student is rather than learned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...encode.protocols import unit
from .bags import Bags

__all__ = ["Taught", "aligned"]

RIDGE = 1e-2


@dataclass(frozen=True)
class Taught:
    """Bags of n texts, the teacher's unit ``vectors`` (n, its dimension), float16, and the ``map`` to the student's dimensions."""

    bags: Bags
    vectors: NDArray[np.float16]
    map: NDArray[np.float32]

    def targets(self, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
        """Unit vectors (n, the student's dimension) of the texts ``chosen``."""
        return unit(self.vectors[chosen].astype(np.float32) @ self.map)


def aligned(teacher: NDArray[np.float16], student: NDArray[np.float32]) -> NDArray[np.float32]:
    """The linear map (teacher's, student's dimension) from the teacher's vectors to the student's of the same texts: ridge regression."""
    rows = teacher.astype(np.float32)
    square = rows.T @ rows
    square[np.diag_indices_from(square)] += RIDGE * float(np.trace(square)) / len(square)
    found: NDArray[np.float32] = np.linalg.solve(square, rows.T @ student).astype(np.float32)
    return found
