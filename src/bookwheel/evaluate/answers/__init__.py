"""Answers measured against the right ones: a log of answers, and a file of what is right."""

from .base import AnswerMeasure, Claim, Gold, Insight, Judged, Nugget
from .calibration import brier, calibration_error
from .citations import citation_scores
from .containment import contains
from .entailment import CrossEntailment, Entailment, Words, WrittenEntailment, entailment
from .exact_match import exact
from .gold import read_gold
from .log import judged, read_answers
from .overlap import f1, token_precision, token_recall
from .registry import MEASURES
from .scores import AnswerScores, Stored, answer_scores
from .text import normalised, words

__all__ = [
    "MEASURES",
    "AnswerMeasure",
    "AnswerScores",
    "Claim",
    "CrossEntailment",
    "Entailment",
    "Gold",
    "Insight",
    "Judged",
    "Nugget",
    "Stored",
    "Words",
    "WrittenEntailment",
    "answer_scores",
    "brier",
    "calibration_error",
    "citation_scores",
    "contains",
    "entailment",
    "exact",
    "f1",
    "judged",
    "normalised",
    "read_answers",
    "read_gold",
    "token_precision",
    "token_recall",
    "words",
]
