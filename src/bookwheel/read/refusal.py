"""Whether the evidence answers a question at all: an absolute estimate, and in words why not.

Scores that rank do not tell: the best of nothing is still the best. What is comparable between questions: the BM25 score as a
share of what its words could reach, the share of the question's weight that a passage and that one sentence of it have (words
that the library lacks weigh most), neighbouring words of the question that are neighbours there, and cosines. A logistic model
of them is fitted on the library itself, without judgments (`bookwheel.library.retrieval.cutoff`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .evidence import Evidence
from .matching import Matches

__all__ = ["Fitted", "Verdict", "features", "judged", "logistic", "passage_features"]

RIDGE = 1e-3
SHOWN = 3
"""Words that a reason names at most."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was fitted on a library."""

    weights: tuple[float, ...]
    """Intercept, and one for each feature."""
    threshold: float
    """The probability that only few of the questions made of the library's own sentences stay below."""

    def probabilities(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of each row of features, with even prior odds."""
        odds = rows @ np.array(self.weights[1:]) + self.weights[0]
        chances: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
        return chances


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a question is answered."""

    refused: bool
    probability: float | None
    """None in a library that is too small to tell."""
    reason: str = ""
    note: str = ""


def passage_features(found: Matches, strength: NDArray[np.float64], cosines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each passage: (m, 5), and more columns for vectors.

    ``strength``: its BM25 score as a share of the greatest possible, (m,). ``cosines``: of vectors of whole passages, (m, any).
    """
    count = len(found.evidence)
    best = np.zeros((count, 3))
    columns = [
        found.coverage,
        found.pairs,
        np.zeros(len(found.at)) if found.cosines is None else np.maximum(found.cosines, 0.0),
    ]
    np.maximum.at(best, found.at, np.stack(columns, axis=1))
    covered = found.passages_met @ found.question.weights
    length = np.full(count, np.log1p(len(found.question.terms)))  # a long question is met by a smaller share
    made = np.column_stack([strength, covered, best[:, :2], length, best[:, 2], cosines])
    return made.astype(np.float64)


def features(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of a question, from those of its passages: the greatest of each. (1, columns)."""
    return np.asarray(rows.max(axis=0, keepdims=True), np.float64)


def logistic(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intercept and weights of a logistic regression in which both outcomes count the same; by Newton's method."""
    full = np.concatenate([np.ones((len(x), 1)), x], axis=1)
    counts = np.where(y > 0, 0.5 / max(y.sum(), 1), 0.5 / max((1 - y).sum(), 1))
    weights = np.zeros(full.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(full @ weights, -30, 30)))
        gradient = full.T @ (counts * (chance - y)) + RIDGE * weights
        curvature = (full * (counts * chance * (1 - chance))[:, None]).T @ full + RIDGE * np.eye(len(weights))
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    return weights


def judged(found: Matches, probability: float | None, fitted: float, threshold: float | None) -> Verdict:
    """Whether to answer. ``fitted``: the library's own threshold, for which ``threshold`` stands where it is given."""
    least = fitted if threshold is None else threshold
    if probability is None:
        if least > 0 and not found.passages_met.any():
            return Verdict(True, None, _reason(found), TOO_SMALL)
        return Verdict(False, None, note=TOO_SMALL)
    if probability >= least:
        return Verdict(False, probability)
    return Verdict(True, probability, _reason(found))


TOO_SMALL = "the library is too small to tell whether a question is answered in it"


def _reason(found: Matches) -> str:
    """Which words of the question are in no passage, or not together in one, and what is nearest."""
    words = found.question.words
    if not words:
        return "the question has no words to look for"
    together: NDArray[np.bool_] = np.asarray(found.passages_met.any(axis=0))
    covered = found.passages_met @ found.question.weights
    best = int(np.argmax(covered)) if len(covered) else 0
    lacking = _named([word for word, terms in words if not together[list(terms)].any()], found)
    if lacking:
        told = f"no passage has {_listed(lacking, 'or')}"
    else:
        apart = _named([word for word, terms in words if not found.passages_met[best, list(terms)].any()], found)
        told = (
            f"no passage has {_listed(apart, 'and')} with the rest of the question"
            if apart
            else "no passage answers this closely enough"
        )
    return f"{told}; nearest: {_where(found.evidence[best])}" if len(covered) else told


def _named(words: Sequence[str], found: Matches) -> list[str]:
    """The weightiest of ``words``, in the order of the question."""
    weights = {word: sum(float(found.question.weights[term]) for term in terms) for word, terms in found.question.words}
    most = sorted(dict.fromkeys(words), key=lambda word: -weights[word])[:SHOWN]
    return [word for word in dict.fromkeys(words) if word in most]


def _listed(words: Sequence[str], last: str) -> str:
    quoted = [f"'{word}'" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {last} {quoted[-1]}"


def _where(one: Evidence) -> str:
    place = one.place or one.source or one.id
    return f"{one.title} ({place})" if one.title and one.title not in place else place if place != "-" else one.id
