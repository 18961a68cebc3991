"""R: recall."""

from __future__ import annotations

from .base import JUDGED_ONLY, REL, REQUIRED_CUTOFF, JudgedRanking, MeasureKind

__all__ = ["KIND"]


def recall(ranking: JudgedRanking, cutoff: int, rel: int = 1) -> float:
    """The share of the relevant documents that the first ``cutoff`` hold; 0 for a query without
    relevant documents.
    """
    total = ranking.relevant_count(rel)
    return int(ranking.relevant(rel, cutoff).sum()) / total if total else 0.0


KIND = MeasureKind(
    "R",
    recall,
    (REL, JUDGED_ONLY, REQUIRED_CUTOFF),
    "recall: the share of the relevant documents found among the first k",
    aliases=("Recall",),
)
