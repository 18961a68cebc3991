"""The quoting answer: the sentences of the evidence that say most of what was asked, word by word as they are stored.

A sentence's score is linear in a few features: the share of the question's words that it has, weighed by how rare they are in
the library; what its neighbours and its title say of the rest, more where it begins with a pronoun; pairs of neighbouring
words; the score of its passage; whether it names what the question asks for (a number, a date, a person ...) and the question
does not; and, where the built-in vectors know the language, their cosines and a coverage that counts similar words, weighed by
how rare words are among the sentences at hand. The weights are those of a conditional logit on one half of XQuAD's English
articles; ``bench/quoting.py`` fits them, and reports the other half and other languages.

Passages and their sentences are so weighed together by one model: Luo, Chen and Baral, "A Simple Approach to Jointly Rank Passages
and Select Relevant Sentences in the OBQA Context" (2022). In part: theirs is a transformer, trained for both at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from .answer import Claim
from .evidence import Evidence, Quote
from .matching import Matches, Question, matches
from .options import AskOptions
from .protocols import Collection
from .sentences import Sentence, header_of, is_heading, whole

__all__ = ["FEATURES", "VECTORS", "WORDS", "features", "quoted", "quotes_of", "scores"]

FEATURES = (
    "coverage", "before", "after", "title", "before a pronoun", "passage", "pairs", "kind",
    "soft coverage", "cosine", "passage's cosine",
)  # fmt: skip
WORDS = (8.6, 2.0, 1.8, 0.9, 2.2, 10.3, 1.8, 0.9)
"""Weights of the first of `FEATURES`, where there are no vectors of the language."""
VECTORS = (2.3, 2.3, 2.0, -0.2, 1.8, 7.0, 1.4, 0.9, 6.3, 3.9, 5.1)
"""Weights of all `FEATURES`."""
UNLIKELY = 0.02
"""A further sentence is left out where it is less likely than this to be the one that answers."""
ALIKE = 0.8
"""Sentences that share so much of their words say the same."""
NOTHING_NEW = 20.0
"""What a sentence loses that says nothing but the question's own words, or is a heading."""


def features(found: Matches) -> NDArray[np.float64]:
    """The `FEATURES` of each sentence: (n, 11), or (n, 8) without vectors."""
    given = np.array([one.score for one in found.evidence], np.float64)
    best = float(given.max(initial=0.0))
    relative = np.clip(given / best, 0.0, 1.0) if best > 0 and np.isfinite(best) else np.zeros(len(given))
    before = found.beside(-1)
    columns = [
        found.coverage, before, found.beside(1), found.in_title, found.points_back * before,
        relative[found.at], found.pairs, found.typed,
    ]  # fmt: skip
    soft = found.soft
    if soft is not None and found.cosines is not None and found.passage_cosines is not None:
        columns += [soft, found.cosines, found.passage_cosines[found.at]]
    return np.stack(columns, axis=1)


def scores(found: Matches) -> NDArray[np.float64]:
    """The score of each sentence: (n,). Their softmax estimates which of them answers, if one does."""
    columns = features(found)
    made: NDArray[np.float64] = columns @ np.array(WORDS if columns.shape[1] == len(WORDS) else VECTORS)
    idle = [is_heading(one.text) for one in found.sentences]
    made -= NOTHING_NEW * (~found.says_more | np.array(idle, bool))
    return made


def quoted(
    collection: Collection,
    question: str,
    evidence: Sequence[Evidence],
    options: AskOptions,
    found: Matches | None = None,
) -> tuple[Claim, ...]:
    """At most ``options.sentences`` sentences of ``evidence``, in reading order. ``found``: the matches, where they are known."""
    if found is None:
        found = matches(collection, Question.of(collection, question), evidence, hidden=options.hidden)
    if not found.sentences:
        return ()
    groups = _chosen(found, options.sentences)
    quotes = [[_quotes(collection, evidence[one.at], one, options) for one in group] for group in groups]
    flat = [quote for group in quotes for some in group for quote in some]
    placed = iter(quotes_of(collection, flat))
    claims = []
    for group in quotes:
        first, *others = ([next(placed) for _ in some] for some in group)
        text = "\n".join(quote.text for quote in first)
        claims.append(Claim(text, "quoted", (*first, *(quote for some in others for quote in some))))
    return _joined(claims)


def quotes_of(collection: Collection, quotes: Sequence[Quote]) -> list[Quote]:
    """``quotes`` with their places."""
    places = collection.places(quotes)
    return [
        Quote(one.evidence, one.id, one.source, one.start, one.end, one.text, place)
        for one, place in zip(quotes, places, strict=True)
    ]


def _chosen(found: Matches, most: int) -> list[list[Sentence]]:
    """The best sentences in reading order, each with those of other passages that read the same."""
    made = scores(found)
    chances = np.exp(made - made.max())
    chances /= chances.sum()
    same: dict[str, list[int]] = {}
    for row, one in enumerate(found.sentences):
        same.setdefault(_normal(one.text), []).append(row)
    chosen: list[int] = []
    for row in np.argsort(-made, kind="stable").tolist():
        if len(chosen) == most or (chosen and chances[row] < UNLIKELY):
            break
        if not any(_alike(found.sentences[row], found.sentences[other]) for other in chosen):
            chosen.append(row)
    chosen.sort(key=lambda row: (found.sentences[row].at, found.sentences[row].start))
    groups = []
    for row in chosen:
        others = [found.sentences[other] for other in same[_normal(found.sentences[row].text)] if other != row]
        groups.append([found.sentences[row], *others])
    return groups


def _normal(text: str) -> str:
    return " ".join(text.split()).casefold()


def _alike(left: Sentence, right: Sentence) -> bool:
    """Whether two sentences say the same in nearly the same words."""
    a, b = ({term for _, _, some in one.words for term in some} for one in (left, right))
    if not a or not b:
        return _normal(left.text) == _normal(right.text)
    return len(a & b) > ALIKE * len(a | b)


def _quotes(collection: Collection, one: Evidence, sentence: Sentence, options: AskOptions) -> list[Quote]:
    """The sentence, whole; a row of a table with its header before it."""
    start, end, text = whole(collection, one, sentence.start, sentence.end, hidden=options.hidden)
    quote = Quote(one.number, one.id, one.source, start, end, text)
    header = header_of(one.text, sentence.start, sentence.end)
    if header is None or (start, end) != (one.start + sentence.start, one.start + sentence.end):
        return [quote]
    first, last = header
    return [Quote(one.number, one.id, one.source, one.start + first, one.start + last, one.text[first:last]), quote]


def _joined(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """Each claim once: two parts of one sentence may have become the same when they were made whole."""
    return tuple(
        next(group) for _, group in groupby(claims, key=lambda claim: (claim.quotes[0].id, claim.quotes[0].start, claim.text))
    )
