"""Success: whether the head of a ranking holds a relevant document."""

from __future__ import annotations

from .base import JUDGED_ONLY, REL, REQUIRED_CUTOFF, JudgedRanking, MeasureKind

__all__ = ["KIND"]


def success(ranking: JudgedRanking, cutoff: int, rel: int = 1) -> float:
    """1 where one of the first ``cutoff`` documents is relevant, else 0. Some papers call this
    recall at k.
    """
    return float(ranking.relevant(rel, cutoff).any())


KIND = MeasureKind(
    "Success",
    success,
    (REL, JUDGED_ONLY, REQUIRED_CUTOFF),
    "1 where a relevant document is among the first k, else 0",
)
