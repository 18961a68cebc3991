"""A sparse encoder as it is searched with, over texts that no index holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..teachers.vectors import SparseTeacher

__all__ = ["SparseScorer"]


class SparseScorer:
    """The product of the weights of query and text; what a text has is kept for the queries that follow."""

    def __init__(self, encoder: Any) -> None:
        self._products = SparseTeacher(encoder, "")

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Of each text, float32 (texts,)."""
        every = np.arange(len(texts))
        return self._products.scores([query], texts, np.stack([np.zeros_like(every), every], 1))
