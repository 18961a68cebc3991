"""The measures of answers. To add one: a file with its function and its ``KIND`` or ``KINDS``, and a line here."""

from __future__ import annotations

from . import abstention, calibration, citations, containment, exact_match, insights, nuggets, overlap
from .base import AnswerMeasure

__all__ = ["MEASURES"]

MEASURES: dict[str, AnswerMeasure] = {
    kind.name: kind
    for kind in (
        exact_match.KIND,
        *containment.KINDS,
        *overlap.KINDS,
        *citations.KINDS,
        *nuggets.KINDS,
        *insights.KINDS,
        *abstention.KINDS,
        *calibration.KINDS,
    )
}
