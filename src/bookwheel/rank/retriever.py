"""What a retriever is to a recipe."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..hits import Hits

__all__ = ["Retriever"]


class Retriever(Protocol):
    """One representation of a library with a query and a filter."""

    @property
    def floor(self) -> float:
        """The lowest score it can give: 0 for BM25, -1 for a cosine (used by the normalisation
        ``tmm``).
        """

    def retrieve(self, depth: int) -> Hits:
        """The best ``depth`` passages."""

    def score(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Exact scores of any passages, float32 (n,)."""
