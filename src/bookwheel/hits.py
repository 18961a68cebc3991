"""The one type that runs between the stages of a recipe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Hits"]


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Passages with scores, best first.

    ``ids`` is int64 of shape (n,), ``scores`` float32 of shape (n,). Sorted by falling score, equal scores by rising id,
    so that a ranking is the same whatever segments it came from.
    """

    ids: NDArray[np.int64]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def ranked(cls, ids: NDArray[np.integer], scores: NDArray[np.floating], k: int | None = None) -> Hits:
        """Sort ``ids`` by ``scores`` and keep the best ``k`` (all where None)."""
        wide, single = np.asarray(ids, dtype=np.int64), np.asarray(scores, dtype=np.float32)
        order = np.lexsort((wide, -single))[:k]
        return cls(wide[order], single[order])

    @classmethod
    def merged(cls, parts: Iterable[Hits], k: int | None = None) -> Hits:
        """One ranking of several that share no passage (those of the segments, say)."""
        parts = [part for part in parts if len(part.ids)]
        if not parts:
            return cls.empty()
        if len(parts) == 1:
            return parts[0].top(k)
        return cls.ranked(np.concatenate([p.ids for p in parts]), np.concatenate([p.scores for p in parts]), k)

    @classmethod
    def empty(cls) -> Hits:
        """No hits."""
        return cls(np.empty(0, np.int64), np.empty(0, np.float32))

    def top(self, k: int | None) -> Hits:
        """The best ``k`` (all where None)."""
        return self if k is None or k >= len(self) else Hits(self.ids[:k], self.scores[:k])
