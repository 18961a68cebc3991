"""The probability that a passage answers a query, fitted on the library itself, so that a search can find nothing.

What the model sees of a passage is told in `bookwheel.read.refusal`. It is fitted on questions made from the library: words
of one sentence of a passage, in order, part of them replaced by words from elsewhere (it is answered), and words from as many
passages (nothing answers it). Fitting takes a few seconds, once, and again when the library has grown by half or has
other vectors. Questions of people are harder than these, so the threshold below which a question is refused is the
probability that `STRICT` of the answered ones stay below.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ...analysis.scripts import UNSPACED
from ...rank.query import Query
from ...read.evidence import Evidence
from ...read.matching import Question, matches
from ...read.refusal import Fitted, features, logistic, passage_features
from ...read.sentences import Sentence, sentences_of
from ..passage_texts import HEAD
from ..snapshot import Snapshot
from ..vectors.encoders import Encoders
from ..wording import LibraryWording
from .bm25 import NAME as BM25
from .registry import retriever

__all__ = ["fitted", "fitting_probabilities"]

QUERIES = 160
"""Questions that a passage answers, and as many that none does, that the model is fitted on."""
FOREIGN = 0.6
"""The greatest share of words from elsewhere in a question that is answered."""
LENGTHS = (3, 13)
"""Words of a question: from the first number up to below the second."""
PIECE = (2, 5)
"""Characters of a word that is taken of a script without spaces."""
TOP = 5
"""Hits of each retriever that a question is judged by."""
USABLE = 8
"""The fewest passages with a sentence of `SHORTEST` words that a library can be judged by."""
SHORTEST = 5
STRICT = 0.08
"""Share of the made questions that are refused."""
GROWN = 1.5
SAMPLE = 4
"""Passages looked at for each question that is made."""
KEPT = 2000
"""Passages whose sentences are kept while a model is fitted."""
ENCODED = 10_000
"""Sentences whose vectors are kept meanwhile, a kilobyte each."""
AT_ONCE = 64
"""Passages that are judged at a time."""


def fitting_probabilities(
    encoders: Encoders, snapshot: Snapshot, text: str, ids: Sequence[int] | NDArray[np.int64]
) -> NDArray[np.float32]:
    """The probability of each of ``ids`` that it answers the query ``text``, with even prior odds: float32 (n,).

    1 in a library that is too small to tell; 0 for passages that are not stored any more.
    """
    wanted = np.asarray(ids, np.int64).tolist()
    wording = LibraryWording(encoders, snapshot)
    model = fitted(encoders, snapshot, wording) if wanted else None
    if model is None:
        return np.ones(len(wanted), np.float32)
    question = Question.of(wording, text)
    rows: dict[int, float] = {}
    for at in range(0, len(wanted), AT_ONCE):
        evidence = _evidence(snapshot, wanted[at : at + AT_ONCE])
        if evidence:
            found = model.probabilities(_rows(wording, question, evidence, None))
            rows |= {one.passage: chance for one, chance in zip(evidence, found.tolist(), strict=True)}
    return np.array([rows.get(number, 0.0) for number in wanted], np.float32)


def fitted(encoders: Encoders, snapshot: Snapshot, wording: LibraryWording) -> Fitted | None:
    """The model of this library; None where it is too small to fit anything on."""
    note = f"cutoff 5 {' '.join(wording.names)}"
    try:
        known = json.loads(encoders.cache.note(note) or "")
        if known["passages"] / GROWN <= snapshot.passages <= known["passages"] * GROWN:
            kept = Fitted(tuple(map(float, known["weights"])), float(known["threshold"]))
            if len(kept.weights) >= 7 and np.isfinite([*kept.weights, kept.threshold]).all():
                return kept
    except (ValueError, KeyError, TypeError):
        pass
    made = _fit(encoders, snapshot, wording)
    if made is not None:
        told = {"passages": snapshot.passages, "weights": list(made.weights), "threshold": made.threshold}
        encoders.cache.set_note(note, json.dumps(told))
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
    """Sentences of passages and their vectors, which many questions meet."""

    wording: LibraryWording
    known: dict[int, list[Sentence]] = field(default_factory=dict)
    encoded: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32] | None:
        """As `LibraryWording.vectors`, each text once."""
        if len(self.encoded) > ENCODED:
            self.encoded.clear()
        missing = list(dict.fromkeys(text for text in texts if text not in self.encoded))
        if missing:
            made = self.wording.vectors(missing)
            if made is None:
                return None
            self.encoded.update(zip(missing, made, strict=True))
        return np.stack([self.encoded[text] for text in texts])

    def of(self, one: Evidence) -> list[Sentence]:
        if one.passage not in self.known:
            if len(self.known) >= KEPT:
                self.known.clear()
            self.known[one.passage] = sentences_of([one], self.wording.terms)
        return self.known[one.passage]


def _rows(wording: LibraryWording, question: Question, evidence: Sequence[Evidence], read: _Read | None) -> NDArray[np.float64]:
    """Features of each of ``evidence``."""
    sentences = None
    if read is not None:
        sentences = [
            Sentence(at, piece.start, piece.end, piece.text, piece.words)
            for at, one in enumerate(evidence)
            for piece in read.of(one)
        ]
    found = matches(wording, question, evidence, sentences)
    if read is not None:
        found = replace(found, vectors=read.vectors)
    strength, cosines = wording.strengths(question.text, [one.passage for one in evidence])
    return passage_features(found, strength, cosines)


def _fit(encoders: Encoders, snapshot: Snapshot, wording: LibraryWording) -> Fitted | None:
    rng = np.random.default_rng(snapshot.manifest.settings.seed)
    ids = np.concatenate([segment.ids for segment in snapshot.segments] or [np.empty(0, np.int64)])
    chosen = rng.permutation(ids)[: SAMPLE * QUERIES].tolist()
    alive = snapshot.store.documents_of(chosen)
    read = _Read(wording)
    usable: list[list[list[str]]] = []
    for one in _evidence(snapshot, [number for number in chosen if number in alive]):
        of_one = [_words(rng, piece) for piece in read.of(one)]
        if long := [words for words in of_one if len(words) >= SHORTEST]:
            usable.append(long)
    if len(usable) < USABLE:
        return None
    rows, answered = [], []
    for number in range(QUERIES):
        sentences = usable[number % len(usable)]
        words = sentences[int(rng.integers(len(sentences)))]
        for made, fits in ((_asked(rng, words, usable), 1.0), (_from_elsewhere(rng, usable, int(rng.integers(*LENGTHS))), 0.0)):
            question = Question.of(wording, _text(made))
            evidence = _evidence(snapshot, _best(encoders, snapshot, wording.names, question.text))
            if evidence:
                rows.append(features(_rows(wording, question, evidence, read)))
                answered.append(fits)
    every, fits_of = np.concatenate(rows), np.array(answered)
    model = Fitted(tuple(logistic(every, fits_of).tolist()), 0.5)
    return Fitted(model.weights, float(np.quantile(model.probabilities(every[fits_of > 0]), STRICT)))


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
        at = 0
        while at < len(word):
            size = int(rng.integers(*PIECE))
            words.append(word[at : at + size])
            at += size
    return words


def _asked(rng: np.random.Generator, words: Sequence[str], usable: Sequence[Sequence[Sequence[str]]]) -> list[str]:
    """Some of ``words`` in their order, half of the time in a row, part of them replaced."""
    count = min(int(rng.integers(*LENGTHS)), len(words))
    if rng.random() < 0.5:
        first = int(rng.integers(len(words) - count + 1))
        kept = list(words[first : first + count])
    else:
        kept = [words[at] for at in sorted(rng.permutation(len(words))[:count].tolist())]
    share = rng.uniform(0, FOREIGN)
    return [_from_elsewhere(rng, usable, 1)[0] if rng.random() < share else word for word in kept]


def _from_elsewhere(rng: np.random.Generator, usable: Sequence[Sequence[Sequence[str]]], count: int) -> list[str]:
    """``count`` words, each of any passage."""
    found = []
    for _ in range(count):
        sentences = usable[int(rng.integers(len(usable)))]
        words = sentences[int(rng.integers(len(sentences)))]
        found.append(words[int(rng.integers(len(words)))])
    return found


def _text(words: Sequence[str]) -> str:
    """``words`` as a question: without spaces between those of scripts without them."""
    text = ""
    for word in words:
        joined = not text or (UNSPACED.match(text[-1]) is not None and UNSPACED.match(word) is not None)
        text += word if joined else f" {word}"
    return text
