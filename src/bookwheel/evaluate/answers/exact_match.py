"""Exact match (Rajpurkar et al., SQuAD, 2016)."""

from __future__ import annotations

from collections.abc import Iterable

from .base import AnswerMeasure, Judged
from .text import words

__all__ = ["KIND", "exact"]


def exact(answer: str, golds: Iterable[str], language: str = "english") -> bool:
    """Whether ``answer`` is one of ``golds``, normalised."""
    text = words(answer, language)
    return any(text == words(gold, language) for gold in golds)


def _each(one: Judged) -> float | None:
    return float(exact(one.text, one.gold.answers, one.gold.language)) if one.gold.answers else None


KIND = AnswerMeasure("exact", "the answer is a gold answer", "SQuAD (Rajpurkar et al., 2016)", _each)
