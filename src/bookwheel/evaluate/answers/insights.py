"""Insight coverage and citation of a summary.

Source: Laban et al., "Summary of a Haystack: A Challenge to Long-Context LLMs and RAG Systems" (2024).

Coverage: the share of the insights that a sentence of the summary has. Citation: of each insight that is covered, the F1 of the
documents that this sentence cites against those that have the insight. Joint: coverage times citation. All are means over
insights, of all questions together. A judge that knows partial coverage counts it one half; ours says yes or no. In the paper
a model also writes the documents that repeat the insights; here they come with the file of what is right.
"""

from __future__ import annotations

from collections.abc import Sequence

from .base import AnswerMeasure, Claim, Insight, Judged, mean
from .containment import contains

__all__ = ["KINDS", "insight_scores"]


def insight_scores(one: Judged) -> list[tuple[float, float | None]]:
    """For each insight its coverage, 0 or 1, and where it is covered, the F1 of its citations."""
    found: list[tuple[float, float | None]] = []
    for insight in one.gold.insights:
        cited = [_f1(one, claim, insight) for claim in one.claims if _has(one, claim, insight)] if not one.refused else []
        found.append((1.0, max(cited)) if cited else (0.0, None))
    return found


def _has(one: Judged, claim: Claim, insight: Insight) -> bool:
    wordings = (insight.text, *insight.aliases)
    if contains(claim.text, wordings, one.gold.language):
        return True
    return any(one.entailment.entails([(claim.text, wording) for wording in wordings]))


def _f1(one: Judged, claim: Claim, insight: Insight) -> float:
    cited = {one.documents[number] for number in claim.citations if number in one.documents}
    shared = len(cited & insight.documents)
    return 2 * shared / (len(cited) + len(insight.documents)) if shared else 0.0


def _coverage(every: Sequence[Judged]) -> float | None:
    return mean([covered for one in every for covered, _ in insight_scores(one)])


def _citation(every: Sequence[Judged]) -> float | None:
    return mean([cited for one in every for _, cited in insight_scores(one) if cited is not None])


def _joint(every: Sequence[Judged]) -> float | None:
    return mean([covered * (cited or 0.0) for one in every for covered, cited in insight_scores(one)])


SUMMHAY = "SummHay (Laban et al., 2024)"
KINDS = (
    AnswerMeasure("insight_coverage", "insights that a sentence has", SUMMHAY, over=_coverage),
    AnswerMeasure("insight_citation", "F1 of the documents cited for those", SUMMHAY, over=_citation),
    AnswerMeasure("insight_joint", "coverage times citation", SUMMHAY, over=_joint),
)
