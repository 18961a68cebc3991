"""The probability that a passage answers a query, fitted on the library itself, so that a search can find nothing.

What is seen of a passage is told in `bookwheel.read.refusal`. What is fitted is where on it the questions begin that this
library answers: it depends on the language, on how much the passages share, and on their lengths. Questions are made of its
own sentences, some words of each in their order. With all evidence nearly all of such a question is found, more than of what
people ask; with the sentence cut out of its passage what is found is what a text on the subject has that says something else.
Between the two the start lies at a place (`START`) that was measured on judged collections (`bench/refusal.py`). Fitting takes
a second or two, once, and again when the library has grown by half or has other vectors.

Scores become what one threshold can judge for all queries, as in Rossi et al., "Relevance Filtering for Embedding-based Retrieval"
(2024). In part: they map the cosine by a network that sees the query; here it is what the query's words reach, on a scale fitted to
the library.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ...analysis.scripts import UNSPACED, units
from ...rank.query import Query
from ...read.evidence import Evidence
from ...read.matching import Matches, Question, matches
from ...read.refusal import Fitted, features, passage_features, sums
from ...read.sentences import Sentence, Word, sentences_of
from ..passage_texts import HEAD
from ..results import CUTOFF
from ..snapshot import Snapshot
from ..vectors.encoders import Encoders
from ..wording import LibraryWording
from .bm25 import NAME as BM25
from .registry import retriever

__all__ = ["fitted", "fitting", "fitting_probabilities", "made_questions"]

QUERIES, EACH = 160, 3
"""Questions that are made, and how many of one sentence at most."""
LENGTHS = (3, 11)
"""Words of a question: from the first number up to below the second."""
PIECE = (2, 5)
"""Characters of a word that is taken of a script without spaces."""
PART, WORD = 4.5, 6.3
"""Letters of what stands between spaces, on average, below which it is a part of a word, as in Vietnamese, whose words are written
syllable by syllable; pieces of Thai are parts as well. Of these a question has more, as many as make up words of so many letters."""
CLAUSE = 60
"""Characters of what is taken for a sentence in a script that marks no ends of sentences, but writes spaces between clauses."""
_UNMARKED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
"""Thai, Lao, Myanmar, Khmer."""
_SYLLABIC = re.compile("[\u2e80-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]")
"""Han, kana and Hangul: a character is a syllable, or a word."""
TOP = 5
"""Hits of each retriever that a question is judged by."""
USABLE = 8
"""The fewest passages with a sentence of `SHORTEST` words that a library can be judged by."""
SHORTEST = 5
START = (-0.81, 0.72, 0.82)
"""A constant, and shares of the first quartile with the sentence cut out and of the median with all evidence. By least squares
on where the lowest twentieth of the questions lies that judged collections of eleven languages answer. With the constants
fitted on other collections, 5 % of a collection's own questions are refused on average, 11 % at most."""
LEAST = 0.15
"""The least start. In a library of near copies what is fitted means nothing, and a text that shares nothing must not answer;
judged collections have .24 and more."""
GROWN = 1.5
SAMPLE = 4
"""Passages looked at for each question that is made."""
KEPT = 2000
"""Passages whose sentences are kept while a library is fitted."""
AT_ONCE = 64
"""Passages that are judged at a time."""


def fitting_probabilities(
    encoders: Encoders, snapshot: Snapshot, text: str, ids: Sequence[int] | NDArray[np.int64]
) -> NDArray[np.float32] | None:
    """The probability of each of ``ids`` that it answers the query ``text``, with even prior odds: float32 (n,).

    0 for passages that are not stored any more. None in a library that is too small to tell.
    """
    wanted = np.asarray(ids, np.int64).tolist()
    wording = LibraryWording(encoders, snapshot)
    model = fitted(encoders, snapshot, wording)
    if model is None:
        return None
    question = Question.of(wording, text)
    rows: dict[int, float] = {}
    for at in range(0, len(wanted), AT_ONCE):
        evidence = _evidence(snapshot, wanted[at : at + AT_ONCE])
        if evidence:
            found = model.probabilities(_rows(wording, question, evidence))
            rows |= {one.passage: chance for one, chance in zip(evidence, found.tolist(), strict=True)}
    return np.array([rows.get(number, 0.0) for number in wanted], np.float32)


def fitting(
    encoders: Encoders, snapshot: Snapshot, text: str, ids: list[int], cutoff: float
) -> tuple[list[int], dict[int, float], str]:
    """Those of ``ids`` that answer ``text`` with a probability of ``cutoff`` or more, that of each, and what there is to tell."""
    if not ids:
        return ids, {}, ""
    found = fitting_probabilities(encoders, snapshot, text, ids)
    if found is None:
        return ids, {}, f"{CUTOFF}the library is too small to tell whether passages are relevant; nothing was left out"
    chances = dict(zip(ids, found.tolist(), strict=True))
    kept = [number for number in ids if chances[number] >= cutoff]
    note = f"{CUTOFF}the best passage is relevant with a probability of {max(chances.values()):.2f}, less than {cutoff:g}"
    return kept, chances, "" if kept else note


def fitted(encoders: Encoders, snapshot: Snapshot, wording: LibraryWording) -> Fitted | None:
    """The model of this library; None where it is too small to fit anything on."""
    note = f"cutoff 10 {' '.join(wording.names)}"
    try:
        known = json.loads(encoders.cache.note(note) or "")
        if known["passages"] / GROWN <= snapshot.passages <= known["passages"] * GROWN and np.isfinite(known["start"]):
            return Fitted(float(known["start"]))
    except (ValueError, KeyError, TypeError):
        pass
    made = _fit(encoders, snapshot, wording)
    if made is not None:
        encoders.cache.set_note(note, json.dumps({"passages": snapshot.passages, "start": made.start}))
    return made


def _evidence(snapshot: Snapshot, ids: Iterable[int]) -> list[Evidence]:
    wanted = list(ids)
    texts = snapshot.store.texts(wanted, HEAD)
    return [
        Evidence(number, passage, "", texts[passage][0], "", "", texts[passage][1], 0, len(texts[passage][1]))
        for number, passage in enumerate((one for one in wanted if one in texts), 1)
    ]


@dataclass
class _Read:
    """Sentences of passages, which many questions meet."""

    wording: LibraryWording
    known: dict[int, list[Sentence]] = field(default_factory=dict)

    def of(self, one: Evidence) -> list[Sentence]:
        if one.passage not in self.known:
            if len(self.known) >= KEPT:
                self.known.clear()
            self.known[one.passage] = sentences_of([one], self.wording.terms)
        return self.known[one.passage]

    def matches(self, question: Question, evidence: Sequence[Evidence]) -> Matches:
        sentences = [replace(piece, at=at) for at, one in enumerate(evidence) for piece in self.of(one)]
        return matches(self.wording, question, evidence, sentences)


def _rows(wording: LibraryWording, question: Question, evidence: Sequence[Evidence]) -> NDArray[np.float64]:
    """Features of each of ``evidence``."""
    found = matches(wording, question, evidence)
    return passage_features(wording, found, wording.strengths(question.text, [one.passage for one in evidence]))


# -- fitting -----------------------------------------------------------------------------------------------------------


def _fit(encoders: Encoders, snapshot: Snapshot, wording: LibraryWording) -> Fitted | None:
    made = made_questions(encoders, snapshot, wording)
    if made is None:
        return None
    whole, cut = made
    start = float(np.dot(START, [1.0, np.quantile(cut, 0.25), np.median(whole)]))
    return Fitted(max(start, LEAST))


def made_questions(
    encoders: Encoders, snapshot: Snapshot, wording: LibraryWording
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """What features of questions add up to that are made of sentences: with all evidence, and with the sentence cut out.

    None in a library that is too small.
    """
    rng = np.random.default_rng(snapshot.manifest.settings.seed)
    ids = np.concatenate([segment.ids for segment in snapshot.segments] or [np.empty(0, np.int64)])
    chosen = rng.permutation(ids)[: SAMPLE * QUERIES].tolist()
    alive = snapshot.store.documents_of(chosen)
    read = _Read(wording)
    usable: list[tuple[Evidence, list[tuple[Sentence, list[str]]]]] = []
    for one in _evidence(snapshot, [number for number in chosen if number in alive]):
        of_one = [(piece, _words(rng, piece)) for sentence in read.of(one) for piece in _clauses(sentence)]
        if long := [(piece, words) for piece, words in of_one if len(words) >= SHORTEST]:
            usable.append((one, long))
    if len(usable) < USABLE:
        return None
    found, parts = [], _parts(words for _, long in usable for _, words in long)
    for number in range(min(QUERIES, EACH * sum(len(long) for _, long in usable))):
        passage, sentences = usable[number % len(usable)]
        sentence, words = sentences[int(rng.integers(len(sentences)))]
        question = Question.of(wording, _text(_asked(rng, words, parts)))
        evidence = _evidence(snapshot, _best(encoders, snapshot, wording.names, question.text))
        if evidence:
            found.append(_met(read, question, evidence, passage.passage, sentence))
    whole, cut = np.array(found).reshape(-1, 2).T
    return (whole, cut) if len(whole) >= USABLE else None


def _clauses(sentence: Sentence) -> list[Sentence]:
    """``sentence``, or where its script marks no ends of sentences, what stands between spaces: a sentence or a clause each."""
    if len(sentence.text) < 2 * CLAUSE or _UNMARKED.search(sentence.text) is None:
        return [sentence]
    found: list[list[Word]] = [[]]
    for word in sentence.words:
        if found[-1] and word[1] - found[-1][0][0] > 2 * CLAUSE and found[-1][-1][1] - found[-1][0][0] > CLAUSE:
            found.append([])
        found[-1].append(word)
    return [replace(sentence, words=tuple(some)) for some in found]


def _met(
    read: _Read, question: Question, evidence: Sequence[Evidence], passage: int, sentence: Sentence
) -> tuple[float, float]:
    """What the features of a question add up to, and without the ``sentence`` of a ``passage`` that it is made of."""
    wording = read.wording
    met = read.matches(question, evidence)
    strength = wording.strengths(question.text, [one.passage for one in evidence])
    pieces: list[Sentence] = []
    for one in met.sentences:
        if evidence[one.at].passage != passage or one.start != sentence.start:
            pieces.append(one)
        elif others := [word for word in one.words if word not in sentence.words]:
            pieces.append(replace(one, words=tuple(others)))
    rest = matches(wording, question, evidence, pieces)
    before, after = met.passages_met @ question.weights, rest.passages_met @ question.weights
    left = np.where(before > 0, after / np.maximum(before, 1e-9), 1.0)  # the score falls as the words do
    whole, cut = (
        float(sums(features(passage_features(wording, some, points)))[0])
        for some, points in ((met, strength), (rest, strength * left))
    )
    return whole, cut


def _best(encoders: Encoders, snapshot: Snapshot, names: Sequence[str], text: str) -> list[int]:
    """The best passages by words and by vectors."""
    found: Mapping[int, None] = {}
    for name in (BM25, *names):
        hits = retriever(encoders, snapshot, name, Query(text), snapshot.alive, limit=0.0).retrieve(TOP)
        found = {**found, **dict.fromkeys(hits.ids.tolist())}
    return list(found)


def _words(rng: np.random.Generator, sentence: Sentence) -> list[str]:
    """The words of a sentence; of a script without spaces, pieces."""
    words: list[str] = []
    for start, end, _ in sentence.words:
        word = sentence.text[start:end]
        if UNSPACED.search(word) is None:
            words.append(word)
            continue
        characters, at = units(word), 0
        while at < len(characters):
            size = int(rng.integers(*PIECE))
            words.append("".join(characters[at : at + size]))
            at += size
    return words


def _parts(sentences: Iterable[Sequence[str]]) -> float:
    """How many of the words of ``sentences`` make up one of the usual length."""
    lengths = [len(word) if _SYLLABIC.search(word) is None else WORD for words in sentences for word in words]
    mean = sum(lengths) / max(len(lengths), 1)
    return WORD / mean if 0 < mean < PART else 1.0


def _asked(rng: np.random.Generator, words: Sequence[str], parts: float) -> list[str]:
    """Some of ``words`` in their order, half of the time in a row."""
    count = min(round(int(rng.integers(*LENGTHS)) * parts), len(words))
    if rng.random() < 0.5:
        first = int(rng.integers(len(words) - count + 1))
        return list(words[first : first + count])
    return [words[at] for at in sorted(rng.permutation(len(words))[:count].tolist())]


def _text(words: Sequence[str]) -> str:
    """``words`` as a question: without spaces between those of scripts without them."""
    text = ""
    for word in words:
        joined = not text or (UNSPACED.match(text[-1]) is not None and UNSPACED.match(word) is not None)
        text += word if joined else f" {word}"
    return text
