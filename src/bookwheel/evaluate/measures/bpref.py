"""Bpref: binary preference (Buckley and Voorhees, "Retrieval evaluation with incomplete
information", SIGIR 2004).
"""

from __future__ import annotations

import numpy as np

from .base import REL, JudgedRanking, MeasureKind

__all__ = ["KIND"]


def bpref(ranking: JudgedRanking, rel: int = 1) -> float:
    """The share of pairs of a relevant and a judged non-relevant document that the ranking has in
    the right order.

    As trec_eval has it: of the non-relevant documents the first R count, for a query with R
    relevant ones. Documents without a judgment, or with a negative grade, are skipped.
    """
    total = ranking.relevant_count(rel)
    if not total:
        return 0.0
    not_relevant = ranking.relevant_count(0) - total
    judged = ranking.judged_only().relevant(rel)
    before = np.cumsum(~judged)[judged]
    # Without a judged non-relevant document there is no pair to get wrong.
    wrong = np.minimum(before, total) / max(1, min(not_relevant, total))
    return float((1 - wrong).sum()) / total


KIND = MeasureKind(
    "Bpref",
    bpref,
    (REL,),
    "binary preference: relevant before judged non-relevant documents; for incomplete judgments",
    aliases=("BPref",),
)
