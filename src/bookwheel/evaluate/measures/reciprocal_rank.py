"""RR: reciprocal rank (Kantor and Voorhees, "The TREC-5 Confusion Track", Information Retrieval 2,
2000).
"""

from __future__ import annotations

import numpy as np

from .base import CUTOFF, JUDGED_ONLY, REL, JudgedRanking, MeasureKind

__all__ = ["KIND"]


def reciprocal_rank(ranking: JudgedRanking, cutoff: int | None = None, rel: int = 1) -> float:
    """One over the rank of the first relevant document; 0 where the first ``cutoff`` hold none."""
    ranks = np.flatnonzero(ranking.relevant(rel, cutoff))
    return 1 / (int(ranks[0]) + 1) if len(ranks) else 0.0


KIND = MeasureKind(
    "RR",
    reciprocal_rank,
    (REL, JUDGED_ONLY, CUTOFF),
    "reciprocal rank of the first relevant document",
    aliases=("MRR",),
)
