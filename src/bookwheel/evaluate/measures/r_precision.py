"""Rprec: R-precision (Buckley and Voorhees, "Retrieval System Evaluation", 2005)."""

from __future__ import annotations

from .base import JUDGED_ONLY, REL, JudgedRanking, MeasureKind

__all__ = ["KIND"]


def r_precision(ranking: JudgedRanking, rel: int = 1) -> float:
    """Precision among the first R documents, for a query with R relevant ones; 0 where R is 0."""
    total = ranking.relevant_count(rel)
    return int(ranking.relevant(rel, total).sum()) / total if total else 0.0


KIND = MeasureKind(
    "Rprec",
    r_precision,
    (REL, JUDGED_ONLY),
    "precision among the first R, where R is the number of relevant documents",
    aliases=("RPrec",),
)
