"""AP: average precision (Harman, "Evaluation issues in information retrieval", IP&M 28(4), 1992)."""

from __future__ import annotations

import numpy as np

from .base import CUTOFF, JUDGED_ONLY, REL, JudgedRanking, MeasureKind

__all__ = ["KIND"]


def average_precision(ranking: JudgedRanking, cutoff: int | None = None, rel: int = 1) -> float:
    """The mean, over all relevant documents, of the precision at each one's rank; 0 for one that is
    not retrieved.
    """
    total = ranking.relevant_count(rel)
    ranks = np.flatnonzero(ranking.relevant(rel, cutoff)) + 1
    return float((np.arange(1, len(ranks) + 1) / ranks).sum()) / total if total else 0.0


KIND = MeasureKind(
    "AP",
    average_precision,
    (REL, JUDGED_ONLY, CUTOFF),
    "average precision: the mean precision at the ranks of the relevant documents",
    aliases=("MAP",),
)
