"""``fold(threshold=0.8)``: leaves out near-duplicates of better passages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....documents.duplicates import duplicates_of
from ....hits import Hits
from ...query import Query
from ..base import Rerank
from ..context import Context
from ..parameters import check_number

__all__ = ["Fold"]


@dataclass(frozen=True, slots=True)
class Fold(Rerank):
    """Leaves out passages that share at least ``threshold`` of their three-word shingles with a
    better one.
    """

    name = "fold"
    summary = "leaves out passages that repeat a better one nearly word for word"
    source = "Broder, On the resemblance and containment of documents, 1997 (MinHash)"
    needs = ("texts",)
    cost = "about 0.2 ms per passage of 120 words"

    threshold: float = 0.8

    def check_parameters(self) -> None:
        """Check the threshold."""
        check_number("threshold", self.threshold, 0.05, 1)

    def depth(self, want: int) -> int | None:
        """Twice ``want``, since some are left out."""
        return 2 * want

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        """The hits without near-duplicates, in their order."""
        unique: list[int] = []
        step = max(want, 10)
        texts: list[str] = []
        for start in range(0, len(hits), step):
            texts += context.texts(hits.ids[start : start + step])
            first = duplicates_of(texts, self.threshold)
            unique = np.flatnonzero(first == np.arange(len(texts))).tolist()
            if len(unique) >= want:
                break
        if len(texts) > len(unique):
            context.note(f"fold left out {len(texts) - len(unique)} near-duplicates")
        return Hits(hits.ids[unique], hits.scores[unique])
