"""What each attention head of a model gives each passage of a list, read once and kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...rank.stages.rerank.attention import AttentionReranker, head_scores
from ..kept import Kept

__all__ = ["HeadTables"]


class HeadTables:
    """``heads`` of ``model``, pairs of a layer and a head, read as the stage `attention` reads passages: apart from each other."""

    def __init__(self, model: Any, heads: Sequence[tuple[int, int]], kept: Kept) -> None:
        self.heads, self.kept = tuple(heads), kept
        self._reader = AttentionReranker(model, heads=self.heads, calibrate=False, standardise=True)
        self._seconds, self._passages = 0.0, 0

    def table(self, key: str, query: str, texts: Sequence[str]) -> NDArray[np.float64]:
        """Each head's attention from ``query`` to each of ``texts``, on one scale, float64 (heads, passages); kept under ``key``."""
        known = self.kept.read(f"heads-{key}")
        if known is not None and known.get("table", np.empty(0)).shape == (len(self.heads), len(texts)):
            return known["table"].astype(np.float64)
        began = time.monotonic()
        found = np.zeros((len(self.heads), len(texts)))
        if texts:
            asked, _, _ = self._reader.weights(query, texts)
            found = head_scores(asked, None, reduce="mean", standardise=True)
        self._seconds += time.monotonic() - began
        self._passages += len(texts)
        self.kept.write(f"heads-{key}", {"table": found.astype(np.float32)})
        return found.astype(np.float32).astype(np.float64)

    @property
    def pace(self) -> float:
        """Seconds for a passage, of those that were read; 0 before any."""
        return self._seconds / max(1, self._passages)
