"""How well sentences and passages fit a question: shares of its words by weight, neighbours, order, vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..analysis.scripts import UNSPACED
from .answer_types import kind_asked_for, names_one
from .evidence import Evidence
from .protocols import Wording
from .sentences import Sentence, Word, header_of, sentences_of

__all__ = ["Matches", "Question", "matches"]

ADDED = 0.35
"""What a word that completes a follow-up question weighs, against one that was asked. On 263 follow-ups made of XQuAD's questions
(`bench/follow_ups.py`) the answer is then in the best sentence for 68.1 %, for 65.8 % with the same weight."""
_POINTING = frozenset("he she it they this these his her its their such that those".split())  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Question:
    """The words of a question as terms of the index, with their weights."""

    text: str
    terms: dict[str, int]
    """Term to number."""
    weights: NDArray[np.float64]
    """Inverse document frequency of each term, of all together 1."""
    words: tuple[tuple[str, tuple[int, ...]], ...]
    """Each word that is no stop word, with the numbers of its terms."""
    pairs: frozenset[tuple[int, int]]
    """Numbers of terms of neighbouring words."""
    asked: frozenset[str]
    """Its words, casefolded."""
    kind: str | None

    @classmethod
    def of(cls, collection: Wording, text: str, added: Sequence[str] = ()) -> Question:
        """``text`` analysed as the index is. ``added``: words of it that earlier questions added, which weigh `ADDED` times as much."""
        found = collection.terms(text)
        terms = {term: number for number, term in enumerate(dict.fromkeys(term for _, _, some in found for term in some))}
        idf = collection.idf(list(terms))
        weights = np.array([idf[term] for term in terms], np.float64)
        if added and (others := {term for _, _, some in collection.terms(" ".join(added)) for term in some}):
            own = {term for _, _, some in collection.terms(_without(text, added)) for term in some}
            weights *= np.array([ADDED if term in others - own else 1.0 for term in terms])
        words = tuple((text[start:end], tuple(terms[term] for term in some)) for start, end, some in found)
        pairs = frozenset((a, b) for (_, left), (_, right) in pairwise(words) for a in left for b in right if a != b)
        asked = frozenset(word.casefold() for word in text.replace("?", " ").split())
        return cls(text, terms, weights / max(float(weights.sum()), 1e-9), words, pairs, asked, kind_asked_for(text))

    def numbers(self, words: Sequence[Word]) -> list[list[int]]:
        """For each of ``words`` the numbers of those of its terms that the question has."""
        terms = self.terms
        return [[terms[term] for term in some if term in terms] for _, _, some in words]


def _without(text: str, added: Sequence[str]) -> str:
    """A completed question as it was typed: what completes one stands at its end."""
    return text.removesuffix(" ".join(added))


@dataclass(frozen=True)
class Matches:
    """A question against the sentences of some passages. n sentences, m passages, t terms."""

    question: Question
    evidence: Sequence[Evidence]
    sentences: Sequence[Sentence]
    met: NDArray[np.bool_]
    """Which terms each sentence has: (n, t)."""
    titles: NDArray[np.bool_]
    """Which terms the title of each passage's document has: (m, t)."""
    pairs: NDArray[np.float64]
    """Weight of the neighbouring words of the question that are neighbours in the sentence: (n,)."""
    at: NDArray[np.int64]
    """The passage of each sentence: (n,)."""
    vectors: Callable[[Sequence[str]], NDArray[np.float32] | None]
    """Of texts; None without an encoder."""

    @cached_property
    def coverage(self) -> NDArray[np.float64]:
        """Share of the question's weight that each sentence has: (n,)."""
        return np.asarray(self.met @ self.question.weights, np.float64)

    @cached_property
    def passages_met(self) -> NDArray[np.bool_]:
        """Which terms each passage has, with its title: (m, t)."""
        found = self.titles.copy()
        np.logical_or.at(found, self.at, self.met)
        return found

    @cached_property
    def local_weights(self) -> NDArray[np.float64]:
        """How rare each term is among these sentences, which tells apart what all of them are about: (t,)."""
        return np.asarray(np.maximum(np.log((len(self.sentences) + 1) / (self.met.sum(axis=0) + 0.5)), 0.0), np.float64)

    def beside(self, step: int) -> NDArray[np.float64]:
        """Weight of the terms that the sentence before (-1) or after (1) in the passage has, and the sentence itself has not: (n,)."""
        other = np.zeros_like(self.met)
        if step < 0:
            other[1:] = self.met[:-1] & (self.at[1:] == self.at[:-1])[:, None]
        else:
            other[:-1] = self.met[1:] & (self.at[1:] == self.at[:-1])[:, None]
        return np.asarray((other & ~self.met) @ self.question.weights, np.float64)

    @cached_property
    def in_title(self) -> NDArray[np.float64]:
        """Weight of the terms that the title has and the sentence has not: (n,)."""
        return np.asarray((self.titles[self.at] & ~self.met) @ self.question.weights, np.float64)

    @cached_property
    def points_back(self) -> NDArray[np.float64]:
        """1 for sentences that begin with a pronoun: (n,)."""
        heads = (one.text.split(None, 2)[:2] for one in self.sentences)
        return np.array([float(any(word.casefold() in _POINTING for word in head)) for head in heads])

    @cached_property
    def typed(self) -> NDArray[np.float64]:
        """Whether each sentence has something of the kind asked for: (n,)."""
        question = self.question
        return np.array([names_one(question.kind, one.text, question.asked) for one in self.sentences])

    @cached_property
    def says_more(self) -> NDArray[np.bool_]:
        """Whether each sentence has words that the question has not: (n,)."""
        return np.array(
            [any(not set(some) <= self.question.terms.keys() for _, _, some in one.words) for one in self.sentences]
        )

    @cached_property
    def cosines(self) -> NDArray[np.float64] | None:
        """Of the vectors of question and sentence (n,); None without an encoder that knows the language."""
        return self._cosines([one.text for one in self.sentences])

    @cached_property
    def passage_cosines(self) -> NDArray[np.float64] | None:
        """Of the vectors of question and passage (m,)."""
        return self._cosines([f"{one.title}\n{one.text}" for one in self.evidence])

    def _cosines(self, texts: Sequence[str]) -> NDArray[np.float64] | None:
        if UNSPACED.search(self.question.text):  # the built-in encoder does not know these scripts
            return None
        vectors = self.vectors([self.question.text, *texts])
        return None if vectors is None else (vectors[1:] @ vectors[0]).astype(np.float64)

    @cached_property
    def soft(self) -> NDArray[np.float64] | None:
        """Coverage in which a word that is not there counts by the most similar word of the sentence: (n,)."""
        words = self.question.words
        latin = [at for at, (word, _) in enumerate(words) if UNSPACED.search(word) is None]
        texts = [[one.text[start:end] for start, end, _ in one.words] for one in self.sentences]
        vocabulary = list(dict.fromkeys([words[at][0] for at in latin] + [word for some in texts for word in some]))
        vectors = self.vectors(vocabulary) if latin and self.cosines is not None else None
        if vectors is None:
            return None
        number = {word: at for at, word in enumerate(vocabulary)}
        near = np.maximum(vectors[[number[words[at][0]] for at in latin]] @ vectors.T, 0.0)
        weights = np.array([max((self.local_weights[term] for term in terms), default=0.0) for _, terms in words])
        found = np.zeros((len(texts), len(words)))
        for column, (_, terms) in enumerate(words):
            found[:, column] = self.met[:, list(terms)].mean(axis=1)
        for row, some in enumerate(texts):
            if some:
                found[row, latin] = np.maximum(found[row, latin], near[:, [number[word] for word in some]].max(axis=1))
        soft: NDArray[np.float64] = found @ weights / max(float(weights.sum()), 1e-9)
        return soft


def matches(
    collection: Wording,
    question: Question,
    evidence: Sequence[Evidence],
    sentences: Sequence[Sentence] | None = None,
    *,
    hidden: bool = False,
) -> Matches:
    """``question`` against ``evidence``."""
    if sentences is None:
        sentences = sentences_of(evidence, collection.terms, hidden=hidden)
    met = np.zeros((len(sentences), len(question.terms)), bool)
    pairs = np.zeros(len(sentences))
    for row, one in enumerate(sentences):
        numbers = question.numbers(one.words)
        met[row, [number for some in numbers for number in some]] = True
        met_pairs = {(a, b) for left, right in pairwise(numbers) for a in left for b in right} & question.pairs
        if (header := header_of(evidence[one.at].text, one.start, one.end)) is not None:  # a row is quoted with it
            for some in question.numbers(collection.terms(evidence[one.at].text[slice(*header)])):
                met[row, some] = True
        pairs[row] = sum(question.weights[a] + question.weights[b] for a, b in met_pairs) / 2
    titles = np.zeros((len(evidence), len(question.terms)), bool)
    for row, passage in enumerate(evidence):
        titles[row, [number for some in question.numbers(collection.terms(passage.title)) for number in some]] = True
    at = np.array([one.at for one in sentences], np.int64)
    return Matches(question, evidence, sentences, met, titles, pairs, at, collection.vectors)
