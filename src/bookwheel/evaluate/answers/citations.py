"""Citation recall and precision: Gao et al., "Enabling Large Language Models to Generate Text with Citations" (2023), ALCE.

Recall: the share of an answer's sentences that follow from all that they cite together; a sentence that cites nothing, or what there is
not, does not count as supported. Precision: the share of the citations that are needed: of a supported sentence with several of
them, one is not where the sentence does not follow from it alone but follows from the others. Of a sentence no more than three
citations count. Whether a sentence follows is for the `Entailment` to say: ALCE asks a T5 of 11 billion weights.

Tang et al., "L-CiteEval: Do Long-Context Models Truly Leverage Context for Responding?" (2024), measure answers from long contexts by
the same, with a smaller model.
"""

from __future__ import annotations

from collections.abc import Sequence

from .base import AnswerMeasure, Claim, Judged

__all__ = ["KINDS", "MOST", "citation_scores"]

MOST = 3
"""Citations of a sentence that count."""


def citation_scores(one: Judged) -> tuple[float, float] | None:
    """Recall and precision; None for an answer without a sentence."""
    if not one.claims or one.refused:
        return None
    supported = needed = total = 0
    for claim in one.claims:
        cited = list(claim.citations)
        if not cited or any(number not in one.evidence for number in cited):
            continue
        cited = cited[:MOST]
        total += len(cited)
        if not _follows(one, claim, cited):
            continue
        supported += 1
        needed += 1 if len(cited) == 1 else sum(_needed(one, claim, cited, at) for at in range(len(cited)))
    return supported / len(one.claims), needed / total if total else 0.0


def _needed(one: Judged, claim: Claim, cited: Sequence[int], at: int) -> bool:
    if _follows(one, claim, [cited[at]]):
        return True
    return not _follows(one, claim, [*cited[:at], *cited[at + 1 :]])


def _follows(one: Judged, claim: Claim, cited: Sequence[int]) -> bool:
    return one.entailment.entails([("\n".join(one.evidence[number] for number in cited), claim.text)])[0]


def _recall(one: Judged) -> float | None:
    scores = citation_scores(one)
    return None if scores is None else scores[0]


def _precision(one: Judged) -> float | None:
    scores = citation_scores(one)
    return None if scores is None else scores[1]


ALCE = "ALCE (Gao et al., 2023); Bai et al., L-CiteEval, 2024"
KINDS = (
    AnswerMeasure("citation_recall", "sentences that follow from what they cite", ALCE, _recall),
    AnswerMeasure("citation_precision", "citations that are needed", ALCE, _precision),
)
