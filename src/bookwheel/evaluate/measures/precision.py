"""P: precision."""

from __future__ import annotations

from .base import JUDGED_ONLY, REL, REQUIRED_CUTOFF, JudgedRanking, MeasureKind

__all__ = ["KIND"]


def precision(ranking: JudgedRanking, cutoff: int, rel: int = 1) -> float:
    """The share of relevant documents among the first ``cutoff``; ranks that the ranking does not
    fill count as not relevant.
    """
    return int(ranking.relevant(rel, cutoff).sum()) / cutoff


KIND = MeasureKind(
    "P",
    precision,
    (REL, JUDGED_ONLY, REQUIRED_CUTOFF),
    "precision: the share of relevant documents among the first k",
    aliases=("Precision",),
)
