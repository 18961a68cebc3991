"""What a trained encoder has forgotten of other subjects: everyday questions, each answered among the answers to all of them.

A model that is fitted to one collection may lose what it knew of everything else (McCloskey and Cohen, Catastrophic Interference in
Connectionist Networks, 1989), which held-out queries of that collection do not show. The questions, in English, and their answers
(``general_questions.tsv``) were written for bookwheel, about the house, nature, health, technology, history, money and sport; several
are about each subject, and an answer hardly repeats the words of its question.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from ..encode.protocols import DenseEncoder, encode_queries
from ..evaluate.measures import measure
from .safety import MEASURE, Change, judged

__all__ = ["GENERAL", "LARGE", "forgetting", "general_questions", "warning"]

GENERAL = "general questions"
LARGE = 0.05
"""Of `MEASURE`: what a model loses at least to be warned of, where the loss is significant."""


@cache
def general_questions() -> tuple[tuple[str, str], ...]:
    """The questions, each with its answer."""
    lines = Path(__file__).with_name("general_questions.tsv").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t") for line in lines]
    return tuple((question, answer) for question, answer in pairs)


def forgetting(before: DenseEncoder, after: DenseEncoder) -> Change:
    """How both encoders rank the answers to each question, by `MEASURE`. Raises `ModelError` for vectors that are not finite."""
    return judged({GENERAL: (_values(before), _values(after))}, {}).changes[0]


def warning(change: Change | None) -> str:
    """A sentence where ``change`` is a significant loss of more than `LARGE`; else nothing. No model is refused for it."""
    if change is None or not change.worse or change.difference > -LARGE:
        return ""
    return (
        f"Warning: the model has forgotten much about other subjects ({change.difference:+.3f} on general questions); "
        "do not use it for another library."
    )


def _values(encoder: DenseEncoder) -> dict[str, float]:
    questions, answers = zip(*general_questions(), strict=True)
    scores = encode_queries(encoder, questions) @ encoder.encode(answers).T
    run = {
        str(number): [(str(at), float(row[at])) for at in np.argsort(-row, kind="stable")[:10].tolist()]
        for number, row in enumerate(scores)
    }
    qrels = {str(number): {str(number): 1} for number in range(len(questions))}
    return dict(measure(run, qrels, [MEASURE]).of(MEASURE))
