"""How much is done depends on the question: the quotes alone, one prompt, or several searches.

Source: Jeong et al., "Adaptive-RAG: learning to adapt retrieval-augmented large language models through question complexity" (NAACL 2024).
Its three classes are answering without reading, with one, and with several retrievals. Nothing is ever shown here that stored text
does not support, so the first class is answered without asking the model at all. Without training a question is easy where the
evidence very probably answers it, and hard where it hardly does (`read.refusal`); with ``difficulty=`` a classifier decides
that was trained on labelled questions (`read.difficulty`).
"""

from __future__ import annotations

from collections.abc import Iterator

from ..difficulty import EASY, HARD, Difficulty, described
from ..events import Token
from .base import Run
from .self_ask import draft as several

__all__ = ["draft"]

LIKELY = 0.9
"""Probability that the evidence answers, from which on the quotes are left to stand."""
UNLIKELY = 0.4
"""Probability below which more is searched for."""


def draft(run: Run) -> Iterator[Token]:
    """The answer, made the way that the question needs."""
    chosen = _level(run)
    if chosen == EASY:
        run.stands = True
        run.notes.append("the quotes very probably answer; the model was not asked")
        return iter(())
    if chosen == HARD:
        run.notes.append("the passages hardly answer; the question was split, and each part searched for")
        return several(run)
    return run.final(run.evidence)


def _level(run: Run) -> int:
    trained = Difficulty.of(run.options.difficulty)
    if trained is not None:
        return trained.level(described(run.collection, run.question, run.evidence, run.probability))
    if run.probability is None:
        return 1
    return EASY if run.probability >= LIKELY else HARD if run.probability < UNLIKELY else 1
