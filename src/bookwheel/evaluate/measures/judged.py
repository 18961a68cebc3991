"""Judged: how far the judgments cover a ranking."""

from __future__ import annotations

import numpy as np

from .base import CUTOFF, JudgedRanking, MeasureKind

__all__ = ["KIND"]


def judged(ranking: JudgedRanking, cutoff: int | None = None) -> float:
    """The share of the first ``cutoff`` documents, or of those there are where they are fewer, that
    have a judgment.

    A negative grade counts as a judgment here, as it does in ir-measures.
    """
    head = ranking.grades[:cutoff]
    return int((~np.isnan(head)).sum()) / len(head) if len(head) else 0.0


KIND = MeasureKind("Judged", judged, (CUTOFF,), "the share of the first k documents that have a judgment")
