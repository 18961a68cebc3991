"""Whether a gold answer stands in the answer, and how many of several short answers do (ALCE's STR-EM)."""

from __future__ import annotations

from collections.abc import Iterable

from .base import AnswerMeasure, Judged
from .text import normalised

__all__ = ["KINDS", "contains"]


def contains(answer: str, golds: Iterable[str], language: str = "english") -> bool:
    """Whether one of ``golds`` is in ``answer``, word for word, normalised."""
    text = f" {normalised(answer, language)} "
    return any((plain := normalised(gold, language)) != "" and f" {plain} " in text for gold in golds)


def _contained(one: Judged) -> float | None:
    return float(contains(one.text, one.gold.answers, one.gold.language)) if one.gold.answers else None


def _cited(one: Judged) -> float | None:
    if not one.gold.answers:
        return None
    return float(not one.refused and any(contains(quote, one.gold.answers, one.gold.language) for quote in one.quotes))


def _parts(one: Judged) -> float | None:
    """By characters, not words, as ALCE has it: "cat" is in "concatenate"."""
    if not one.gold.parts:
        return None
    text = normalised(one.text, one.gold.language)
    return sum(any(normalised(form, one.gold.language) in text for form in part) for part in one.gold.parts) / len(
        one.gold.parts
    )


def _all_parts(one: Judged) -> float | None:
    share = _parts(one)
    return None if share is None else float(share == 1)


ALCE = "ALCE (Gao et al., 2023), after ASQA (Stelmakh et al., 2022)"
KINDS = (
    AnswerMeasure("contained", "the answer contains a gold answer", "Adlakha et al., 2024; word for word", _contained),
    AnswerMeasure("cited", "a quote contains a gold answer", "bookwheel", _cited),
    AnswerMeasure("str_em", "short answers that the answer has, of several", ALCE, _parts),
    AnswerMeasure("str_hit", "the answer has all of several short answers", ALCE, _all_parts),
)
