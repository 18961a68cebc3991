"""What teaches a model: scores of texts for queries, by whatever ranks best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Teacher"]


class Teacher(Protocol):
    """Says how well texts answer queries."""

    name: str
    """In results and cards."""
    sha256: str
    """Differs where the scores do."""
    quick: bool
    """Whether there is time to score each query of a batch with each text; otherwise it scores what stands with the query alone."""
    cosines: bool
    """Whether the scores are cosines, whose shares mean something."""

    def scores(self, queries: Sequence[str], texts: Sequence[str], which: NDArray[np.int64]) -> NDArray[np.float32]:
        """The score of each pair of a query and a text, whose numbers are the rows of ``which`` (n, 2): float32 (n,).

        Higher is better; scores of one query can be compared. Raises `ModelError`.
        """
