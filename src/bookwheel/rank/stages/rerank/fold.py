"""``fold(threshold=0.8)``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....documents.duplicates import duplicates_of
from ....hits import Hits
from ...query import Query
from ..base import Context, Rerank, bounded

__all__ = ["Fold"]


@dataclass(frozen=True, slots=True)
class Fold(Rerank):
    """Leaves out passages that say nearly the same as a better one: three-word shingles in common by ``threshold``."""

    name = "fold"
    summary = "leaves out passages that repeat a better one nearly word for word"
    source = "Broder, On the resemblance and containment of documents, 1997 (MinHash)"
    needs = ("texts",)
    cost = "about 0.2 ms a passage of 120 words"

    threshold: float = 0.8

    def __post_init__(self) -> None:
        bounded("threshold", self.threshold, 0.05, 1)

    def depth(self, want: int) -> int | None:
        """Some more than wanted, since some fall out."""
        return 2 * want

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        """The hits without repeats, in their order."""
        kept: list[int] = []
        step = max(want, 10)
        texts: list[str] = []
        for start in range(0, len(hits), step):
            texts += context.texts(hits.ids[start : start + step])
            first = duplicates_of(texts, self.threshold)
            kept = np.flatnonzero(first == np.arange(len(texts))).tolist()
            if len(kept) >= want:
                break
        if len(texts) > len(kept):
            context.note(f"fold left out {len(texts) - len(kept)} near-duplicates")
        return Hits(hits.ids[kept], hits.scores[kept])
