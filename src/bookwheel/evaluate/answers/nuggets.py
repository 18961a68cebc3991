"""Nuggets: the facts that a good answer has, vital ones and those that are okay.

Sources: Voorhees, TREC 2003 question answering track, and Lin and Demner-Fushman, 2006 (recall of vital nuggets, an allowance of 100
characters for each that is found, F with beta 3); Pradeep et al., "The Great Nugget Recall" (AutoNuggetizer, TREC 2024 RAG track), 2025:
strict shares, and an okay nugget at half the weight.
"""

from __future__ import annotations

from .base import AnswerMeasure, Judged, Nugget
from .containment import contains

__all__ = ["ALLOWANCE", "BETA", "KINDS", "found"]

ALLOWANCE = 100
"""Characters without white space that an answer may take for each nugget it has."""
BETA = 3.0


def found(one: Judged, nugget: Nugget) -> bool:
    """Whether the answer has ``nugget``: in one of its wordings, word for word, or by what its `Entailment` says."""
    if one.refused or not one.text:
        return False
    if contains(one.text, (nugget.text, *nugget.aliases), one.gold.language):
        return True
    return any(one.entailment.entails([(one.text, wording) for wording in (nugget.text, *nugget.aliases)]))


def _share(one: Judged, nuggets: list[Nugget]) -> float | None:
    return sum(found(one, nugget) for nugget in nuggets) / len(nuggets) if nuggets else None


def _vital(one: Judged) -> float | None:
    """0 where there are nuggets but none is vital, as in the track's script."""
    if not one.gold.nuggets:
        return None
    return _share(one, [nugget for nugget in one.gold.nuggets if nugget.vital]) or 0.0


def _all(one: Judged) -> float | None:
    return _share(one, list(one.gold.nuggets))


def _weighted(one: Judged) -> float | None:
    weights = [1.0 if nugget.vital else 0.5 for nugget in one.gold.nuggets]
    if not weights:
        return None
    return sum(weight * found(one, nugget) for weight, nugget in zip(weights, one.gold.nuggets, strict=True)) / sum(weights)


def _pyramid(one: Judged) -> float | None:
    if not one.gold.nuggets:
        return None
    recall = _vital(one) or 0.0
    allowed = ALLOWANCE * sum(found(one, nugget) for nugget in one.gold.nuggets)
    length = len("".join(one.text.split()))
    precision = 1.0 if length < allowed else 1 - (length - allowed) / length if length else 0.0
    square = BETA * BETA
    return (square + 1) * precision * recall / (square * precision + recall) if precision and recall else 0.0


TREC = "TREC nuggets (Voorhees, 2003); AutoNuggetizer (Pradeep et al., 2025)"
KINDS = (
    AnswerMeasure("nugget_vital", "vital nuggets that the answer has", TREC, _vital),
    AnswerMeasure("nugget_all", "nuggets that the answer has", TREC, _all),
    AnswerMeasure("nugget_weighted", "the same, okay ones at half the weight", TREC, _weighted),
    AnswerMeasure(
        "nugget_f3", "F (beta 3) of vital nuggets and length", "Voorhees, 2003; Lin and Demner-Fushman, 2006", _pyramid
    ),
)
