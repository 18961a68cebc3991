"""Whether the evidence answers a question at all: an absolute estimate, and in words why not.

Scores that rank do not tell: the best of nothing is still the best. What is comparable between questions: the BM25 score as a
share of what its words could reach, and the share of the question's weight that a passage and that one sentence of it have
(words that the library lacks weigh most; a word that looks alike counts in part), each with one word more than the question
has, that nothing has. Where on the sum of these the questions begin that a library answers differs between libraries and
languages, and is estimated on the library itself, without judgments (`bookwheel.library.retrieval.cutoff`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..analysis.question_words import QUESTION_WORDS
from .evidence import Evidence
from .likeness import ABSENT, coverage
from .matching import Matches
from .protocols import Wording

__all__ = ["REFUSED", "Fitted", "Verdict", "features", "judged", "passage_features", "sums"]

SHARES = (1.0, 0.5, 0.5)
"""What the BM25 score, the passage and its best sentence count in the sum; equal weights, or fitted ones, rank questions no better."""
SLOPE, REFUSED = 8.5, 0.3
"""Log odds for each 1 above a library's start, and the probability there, below which a question is refused. A logistic
regression of the questions of judged collections (English, German, Spanish, Romanian, Russian, Greek, Turkish, Arabic, Hindi,
Vietnamese, Chinese) against questions of others and those whose documents are taken out, with even odds."""
SHOWN = 3
"""Words that a reason names at most."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was fitted on a library."""

    start: float
    """The sum of features below which about one in twenty of the questions that the library answers are."""
    threshold: float = REFUSED
    """The probability there."""

    def probabilities(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of each row of features, with even prior odds."""
        odds = SLOPE * (sums(rows) - self.start) + np.log(REFUSED / (1 - REFUSED))
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


def passage_features(collection: Wording, found: Matches, strength: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each passage: (m, 3). ``strength``: its BM25 score as a share of the greatest possible, (m,)."""
    share = coverage(collection, found)
    best = np.zeros(len(found.evidence))
    np.maximum.at(best, found.at, share.sentences)
    return np.column_stack([strength, share.passages, best]).astype(np.float64)


def features(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of a question, from those of its passages: the greatest of each. (1, 3)."""
    return np.asarray(rows.max(axis=0, keepdims=True), np.float64)


def sums(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """What rows of features add up to: (n,)."""
    return np.asarray(rows @ np.array(SHARES), np.float64)


def judged(collection: Wording, found: Matches, probability: float | None, fitted: float, threshold: float | None) -> Verdict:
    """Whether to answer. ``fitted``: the library's own threshold, for which ``threshold`` stands where it is given."""
    least = fitted if threshold is None else threshold
    if probability is None:
        if least > 0 and not found.passages_met.any():
            return Verdict(True, None, _reason(collection, found), TOO_SMALL)
        return Verdict(False, None, note=TOO_SMALL)
    if probability >= least:
        return Verdict(False, probability)
    return Verdict(True, probability, _reason(collection, found))


TOO_SMALL = "the library is too small to tell whether a question is answered in it"


def _reason(collection: Wording, found: Matches) -> str:
    """Which words of the question are in no passage, in none near it, or not together in one, and what is nearest."""
    words = found.question.words
    if not words:
        return "the question has no words to look for"
    words = tuple(one for one in words if one[0].casefold() not in QUESTION_WORDS) or words
    near: NDArray[np.bool_] = np.asarray(found.passages_met.any(axis=0))
    covered = found.passages_met @ found.question.weights
    best = int(np.argmax(covered)) if len(covered) else 0
    missing = [(word, terms) for word, terms in words if not near[list(terms)].any()]
    names = list(found.question.terms)
    idf = collection.idf([*names, ABSENT])
    nowhere = [word for word, terms in missing if all(idf[names[term]] >= idf[ABSENT] for term in terms)]
    if nowhere:
        told = f"no passage has {_listed(_named(nowhere, found), 'or')}"
    elif missing:
        told = f"no passage near the question has {_listed(_named([word for word, _ in missing], found), 'or')}"
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
    place = one.place or (one.id if one.source in ("", "-") else one.source)
    return f"{one.title} ({place})" if one.title and one.title not in place else place
