"""Words in common: with the right answer (F1, recall), and with the evidence (precision: is the answer made of what was read?).

Sources: Rajpurkar et al., SQuAD, 2016 (F1); Adlakha et al., "Evaluating Correctness and Faithfulness of Instruction-Following Models
for Question Answering" (2024) (recall for correctness, K-Precision for faithfulness).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from .base import AnswerMeasure, Judged
from .text import words

__all__ = ["KINDS", "f1", "token_precision", "token_recall"]


def f1(answer: str, golds: Iterable[str], language: str = "english") -> float:
    """The best F1 of words of ``answer`` against one of ``golds``; of characters where there are no spaces."""
    mine = Counter(words(answer, language))
    best = 0.0
    for gold in golds:
        wanted = Counter(words(gold, language))
        if not mine or not wanted:
            best = max(best, float(mine == wanted))
            continue
        if shared := sum((mine & wanted).values()):
            best = max(best, 2 * shared / (sum(mine.values()) + sum(wanted.values())))
    return best


def token_recall(wanted: str, text: str, language: str = "english") -> float:
    """The share of the words of ``wanted`` that ``text`` has; 1 where none is wanted."""
    every = Counter(words(wanted, language))
    return sum((every & Counter(words(text, language))).values()) / sum(every.values()) if every else 1.0


def token_precision(text: str, known: str, language: str = "english") -> float:
    """The share of the words of ``text`` that ``known`` has; 0 for a text without words."""
    every = Counter(words(text, language))
    return sum((every & Counter(words(known, language))).values()) / sum(every.values()) if every else 0.0


def _f1(one: Judged) -> float | None:
    return f1(one.text, one.gold.answers, one.gold.language) if one.gold.answers else None


def _recall(one: Judged) -> float | None:
    golds = one.gold.answers
    return max(token_recall(gold, one.text, one.gold.language) for gold in golds) if golds else None


def _faithful(one: Judged) -> float | None:
    """Of answers alone: a refusal says nothing that could be unfaithful."""
    if one.refused or not one.evidence:
        return None
    return token_precision(one.text, _joined(list(one.evidence.values())), one.gold.language)


def _shown(one: Judged) -> str:
    """What is cited: the words quoted, or else the passages."""
    return _joined(one.quotes or [one.evidence[number] for number in one.cited if number in one.evidence])


def _evidence_recall(one: Judged) -> float | None:
    return token_recall(_joined(one.gold.evidence), _shown(one), one.gold.language) if one.gold.evidence else None


def _evidence_precision(one: Judged) -> float | None:
    if not one.gold.evidence or one.refused:
        return None
    return token_precision(_shown(one), _joined(one.gold.evidence), one.gold.language)


def _joined(texts: Sequence[str]) -> str:
    return "\n".join(texts)


ADLAKHA = "Adlakha et al., 2024"
KINDS = (
    AnswerMeasure("f1", "F1 of words", "SQuAD (Rajpurkar et al., 2016)", _f1),
    AnswerMeasure("token_recall", "words of a gold answer that the answer has", f"{ADLAKHA} (Recall)", _recall),
    AnswerMeasure("faithful", "words of the answer that the evidence has", f"{ADLAKHA} (K-Precision)", _faithful),
    AnswerMeasure("evidence_recall", "words of the gold evidence that are cited", ADLAKHA, _evidence_recall),
    AnswerMeasure("evidence_precision", "words cited that are in the gold evidence", ADLAKHA, _evidence_precision),
)
