"""The built-in measures. To add one: a file with its function and its ``KIND``, and a line here."""

from __future__ import annotations

from . import average_precision, bpref, inferred_ap, judged, ndcg, precision, r_precision, recall, reciprocal_rank, success
from .base import MeasureKind

__all__ = ["BY_NAME", "KINDS"]

KINDS: tuple[MeasureKind, ...] = (
    ndcg.KIND,
    precision.KIND,
    recall.KIND,
    average_precision.KIND,
    reciprocal_rank.KIND,
    success.KIND,
    r_precision.KIND,
    judged.KIND,
    bpref.KIND,
    inferred_ap.KIND,
)
BY_NAME = {name: kind for kind in KINDS for name in (kind.name, *kind.aliases)}
