"""Refusals: how many are right, and how many that were due were given.

Sources: Rajpurkar, Jia and Liang, SQuAD 2.0, 2018; Nguyen et al., "VLSP 2021 - ViMRC Challenge: Vietnamese Machine Reading
Comprehension" (2022), the shared task of UIT-ViQuAD 2.0.
"""

from __future__ import annotations

from collections.abc import Sequence

from .base import AnswerMeasure, Judged, mean

__all__ = ["KINDS"]


def _answered(one: Judged) -> float | None:
    return float(not one.refused) if one.gold.answerable else None


def _refused(one: Judged) -> float | None:
    return None if one.gold.answerable else float(one.refused)


def _precision(every: Sequence[Judged]) -> float | None:
    return mean([float(not one.gold.answerable) for one in every if one.refused])


def _recall(every: Sequence[Judged]) -> float | None:
    return mean([float(one.refused) for one in every if not one.gold.answerable])


def _f1(every: Sequence[Judged]) -> float | None:
    precision, recall = _precision(every), _recall(every)
    if recall is None:
        return None
    return 2 * precision * recall / (precision + recall) if precision and recall else 0.0


SQUAD2 = "SQuAD 2.0 (Rajpurkar et al., 2018)"
KINDS = (
    AnswerMeasure("answered", "answered, of those with an answer", SQUAD2, _answered),
    AnswerMeasure("refused", "refused, of those without one", SQUAD2, _refused),
    AnswerMeasure("abstention_precision", "refusals that were right", SQUAD2, over=_precision),
    AnswerMeasure("abstention_recall", "refused, of those without an answer", SQUAD2, over=_recall),
    AnswerMeasure("abstention_f1", "F1 of both", SQUAD2, over=_f1),
)
