"""How much of a question's words sentences and passages have, where a word that looks alike counts in part.

A question says *Amazonasregenwald* where the text says *Regenwald*, and *restaurieren* where it says *Restauration*: parts of
compounds and forms that no stemmer brings together. Words are alike by their trigrams of characters; numbers never are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..analysis.library_analyzer import language_of_term
from ..analysis.question_words import QUESTION_WORDS, UNSPACED_QUESTION_WORDS
from ..analysis.scripts import UNSPACED
from .matching import Matches
from .protocols import Wording

__all__ = ["ABSENT", "Coverage", "coverage"]

ABSENT = "\0"
"""No term of any library."""
ASKING = 0.5
"""What a word that only asks weighs, as a share of what it would weigh otherwise."""
SHORTEST = 4
"""Characters of a word of which another can be a form."""
LEAST, RANGE, MOST = 0.35, 0.5, 0.8
"""Likeness from which a word counts, over which it counts more, and the most that it counts."""
PART = 0.9
"""Likeness of a word that has all trigrams of the other and more."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Shares of a question's weight, with one word more that nothing has: (n,) of sentences and (m,) of passages."""

    sentences: NDArray[np.float64]
    passages: NDArray[np.float64]


def coverage(collection: Wording, found: Matches) -> Coverage:
    """Of each sentence and passage of ``found``.

    The word more keeps two words that are both there from being as much as eight, and weighs as one that the library lacks.
    """
    words = _words(found)
    names = list(found.question.terms)
    idf = collection.idf([*names, ABSENT])
    weights = np.array([_weight(groups, names, idf) * (ASKING if asks else 1.0) for _, groups, asks in words], np.float64)
    whole = float(weights.sum()) + float(idf[ABSENT])
    has = _shares(found.met, words)
    _alike(found, words, has)
    of_passages = _shares(found.titles, words)
    np.maximum.at(of_passages, found.at, has)
    return Coverage(np.asarray(has @ weights / whole), np.asarray(of_passages @ weights / whole))


_Word = tuple[str, tuple[tuple[int, ...], ...], bool]
"""A word, empty for a pair of characters of a script without spaces; the numbers of its terms in each language; whether it only asks."""
_UNSPACED_ASKING = re.compile("|".join(sorted(map(re.escape, UNSPACED_QUESTION_WORDS), key=len, reverse=True)))


def _words(found: Matches) -> list[_Word]:
    """Each word of the question once."""
    names = list(found.question.terms)
    words: dict[tuple[int, ...], _Word] = {}
    for word, terms in found.question.words:
        if UNSPACED.search(word) is not None:
            asking = _asking(word)
            for term in terms:
                words.setdefault((term,), ("", ((term,),), _only_asks(names[term], word, asking)))
            continue
        groups: dict[str | None, list[int]] = {}
        for term in terms:
            groups.setdefault(language_of_term(names[term]), []).append(term)
        words.setdefault(terms, (word, tuple(map(tuple, groups.values())), word.casefold() in QUESTION_WORDS))
    return list(words.values())


def _asking(word: str) -> list[bool]:
    """Which characters of ``word``, of a script without spaces, are those of question words."""
    marked = [False] * len(word)
    for found in _UNSPACED_ASKING.finditer(word):
        marked[found.start() : found.end()] = [True] * len(found[0])
    return marked


def _only_asks(term: str, word: str, asking: list[bool]) -> bool:
    """Whether wherever ``term``, some characters of ``word``, stands in it, it has some of a question word."""
    at = word.find(term)
    if at < 0 or not any(asking):
        return False
    while at >= 0:
        if not any(asking[at : at + len(term)]):
            return False
        at = word.find(term, at + 1)
    return True


def _weight(groups: tuple[tuple[int, ...], ...], names: list[str], idf: Mapping[str, float]) -> float:
    """The greatest of its languages; a word of several parts weighs as much as the mean of them."""
    return max(sum(float(idf[names[term]]) for term in some) / len(some) for some in groups)


def _shares(met: NDArray[np.bool_], words: list[_Word]) -> NDArray[np.float64]:
    """Which share of the terms of each word rows of ``met`` have: (rows, words)."""
    has = np.zeros((len(met), len(words)))
    for column, (_, groups, _) in enumerate(words):
        for some in groups:
            np.maximum(has[:, column], met[:, list(some)].mean(axis=1), out=has[:, column])
    return has


def _alike(found: Matches, words: list[_Word], has: NDArray[np.float64]) -> None:
    """Raise what sentences ``has`` of words that look like one of theirs."""
    wanted = [
        (column, parts)
        for column, (word, _, asks) in enumerate(words)
        if _has_forms(word) and not asks and not has[:, column].all()
        for parts in [_trigrams(word)]
    ]
    every = frozenset().union(*(parts for _, parts in wanted))
    known: dict[str, list[tuple[int, float]]] = {}
    for row, sentence in enumerate(found.sentences):
        for start, end, _ in sentence.words:
            word = sentence.text[start:end]
            if (near := known.get(word)) is None:
                parts = _trigrams(word) if _has_forms(word) else frozenset()
                near = known[word] = []
                if not every.isdisjoint(parts):
                    near += [(column, share) for column, other in wanted if (share := _likeness(other, parts)) > 0]
            for column, share in near:
                if share > has[row, column]:
                    has[row, column] = share


def _has_forms(word: str) -> bool:
    return len(word) >= SHORTEST and not any(map(str.isdigit, word))


def _trigrams(word: str) -> frozenset[str]:
    marked = f"^{word.casefold()}$"
    return frozenset(marked[at : at + 3] for at in range(len(marked) - 2))


def _likeness(asked: frozenset[str], said: frozenset[str]) -> float:
    """What a word that is ``said`` counts for one that is ``asked``: 0 to `MOST`."""
    common = len(asked & said)
    if common < 2:
        return 0.0
    alike = 2 * common / (len(asked) + len(said))
    if len(asked) > SHORTEST:
        alike = max(alike, PART * common / len(asked))
        if len(said) > SHORTEST:
            alike = max(alike, PART * common / len(said))
    return min(max((alike - LEAST) / RANGE, 0.0), MOST)
