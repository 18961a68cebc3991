"""infAP: inferred average precision (Yilmaz and Aslam, "Estimating Average Precision with
Incomplete and Imperfect Judgments", CIKM 2006).
"""

from __future__ import annotations

import numpy as np

from .base import REL, JudgedRanking, MeasureKind

__all__ = ["KIND"]

EPSILON = 0.00001
"""What trec_eval adds to each count, so that no share is 0 / 0."""


def inferred_ap(ranking: JudgedRanking, rel: int = 1) -> float:
    """Average precision estimated from a judged sample of the pool.

    Documents of the pool that were not judged, which have a negative grade, count as relevant as
    often as the judged ones; documents without any grade were not in the pool and count as not
    relevant.
    """
    total = ranking.relevant_count(rel)
    if not total:
        return 0.0
    relevant = ranking.relevant(rel)
    at = np.flatnonzero(relevant)
    relevant_before = np.cumsum(relevant)[at] - 1
    judged_before = np.cumsum(ranking.grades >= 0)[at] - 1
    pooled_before = np.cumsum(~np.isnan(ranking.grades))[at] - 1
    share = (relevant_before + EPSILON) / (judged_before + 2 * EPSILON)
    return float(((1 + pooled_before * share) / (at + 1)).sum()) / total


KIND = MeasureKind("infAP", inferred_ap, (REL,), "inferred average precision, where only a sample of the pool is judged")
