"""How much a question needs: a small classifier, trained on questions of which it is known which way answered them.

A label is the simplest way that answered rightly, as in Adaptive-RAG (Jeong et al., 2024): 0 the quotes alone, 1 one prompt, 2 several
searches. Two logistic models decide, one for "more than quotes" and one for "more than one prompt". ``bench/methods.py --train``
makes labels from its own results.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import InputError, UsageError
from .evidence import Evidence
from .matching import Question, matches
from .protocols import Collection

__all__ = ["EASY", "FEATURES", "HARD", "Difficulty", "described", "trained"]

EASY, HARD = 0, 2
FEATURES = ("probability", "coverage", "margin", "words", "passages")
"""Of a question and its evidence: that it is answered; best share of its words in a sentence; by how much the best passage's score
leads; logarithm of the number of its words; how many passages meet half of it."""
MAX_BYTES = 1 << 16
RIDGE = 0.1


@dataclass(frozen=True, slots=True)
class Difficulty:
    """What was trained: for each of two steps an intercept, and a weight for each of `FEATURES`."""

    steps: tuple[tuple[float, ...], tuple[float, ...]]

    def __post_init__(self) -> None:
        if any(len(step) != 1 + len(FEATURES) or not np.isfinite(step).all() for step in self.steps):
            raise UsageError(f"a trained difficulty has two rows of {1 + len(FEATURES)} numbers; train it again")

    @classmethod
    def of(cls, given: Any) -> Difficulty | None:
        """``given`` itself, or read from a file of that name. Raises `InputError` for what is neither."""
        if given is None or isinstance(given, cls):
            return given
        path = Path(given)
        try:
            with path.open("rb") as file:
                told = json.loads(file.read(MAX_BYTES))
            first, second = told["steps"]
            return cls((tuple(map(float, first)), tuple(map(float, second))))
        except OSError as error:
            raise InputError(
                f"the trained difficulty {str(path)!r:.200} cannot be read: {error.strerror}; train it again"
            ) from None
        except (ValueError, TypeError, KeyError, RecursionError):
            raise InputError(f"{str(path)!r:.200} is no trained difficulty; give a file that `Difficulty.save` wrote") from None

    def save(self, path: str | Path) -> None:
        """Write it to a file of JSON."""
        Path(path).write_text(json.dumps({"features": FEATURES, "steps": self.steps}) + "\n", encoding="utf-8")

    def level(self, row: NDArray[np.float64]) -> int:
        """0, 1 or 2 for the features (columns,) of a question."""
        return sum(float(step[0] + row @ np.array(step[1:])) > 0 for step in self.steps)


def described(
    collection: Collection, question: str, evidence: Sequence[Evidence], probability: float | None
) -> NDArray[np.float64]:
    """The `FEATURES` of a question: float64 (5,)."""
    found = matches(collection, Question.of(collection, question), evidence)
    scores = sorted((one.score for one in evidence), reverse=True)
    margin = (scores[0] - scores[1]) / scores[0] if len(scores) > 1 and scores[0] > 0 else 0.0
    met = found.passages_met @ found.question.weights
    row = [
        0.5 if probability is None else probability,
        float(np.max(found.coverage, initial=0.0)),
        margin,
        float(np.log1p(len(found.question.terms))),
        float(np.mean(met >= 0.5)) if len(met) else 0.0,
    ]
    return np.asarray(np.nan_to_num(np.array(row)), np.float64)


def trained(rows: NDArray[np.float64], levels: Sequence[int]) -> Difficulty:
    """Fitted on the features (n, columns) of questions and the level that each needs. Raises `UsageError` where one is lacking."""
    known = np.asarray(levels)
    if len(known) != len(rows) or not set(known.tolist()) <= {0, 1, 2}:
        raise UsageError(f"each of the {len(rows)} questions needs a level of 0, 1 or 2")
    steps = []
    for step in (1, 2):
        above = (known >= step).astype(np.float64)
        if not 0 < above.sum() < len(above):
            raise UsageError(f"no question, or every one, needs more than level {step - 1}; label more questions")
        steps.append(tuple(map(float, _logistic(np.asarray(rows, np.float64), above))))
    return Difficulty((steps[0], steps[1]))


def _logistic(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intercept and weights of a logistic regression, held small by a ridge; by Newton's method."""
    full = np.concatenate([np.ones((len(x), 1)), x], axis=1)
    ridge = RIDGE * np.eye(full.shape[1])
    weights = np.zeros(full.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(full @ weights, -30, 30)))
        curvature = full.T @ (full * (chance * (1 - chance))[:, None]) + ridge
        step = np.linalg.solve(curvature, full.T @ (chance - y) + ridge @ weights)
        weights = weights - step
        if np.abs(step).max() < 1e-9:
            break
    return np.asarray(weights, np.float64)
