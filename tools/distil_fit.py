"""Fits the piece vectors of a static model to a teacher's sentence vectors (used by ``distil_static.py``).

The vector of a text is the normalised sum of its pieces' vectors. They start as model2vec's do: each piece through the
teacher by itself, reduced to the principal directions, weighted down by frequency (Arora et al. 2017; Tulkens & van Dongen
2024). They are then fitted by gradient descent on three losses: the cosine to the teacher's vector, the divergence between the
teacher's and the model's similarities within a batch, and a contrastive loss on pairs (title and abstract, headword and
definition). Pieces met rarely are drawn to what a linear map makes of their start, since their own few texts say little.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from bookwheel.analysis.words import split_words
from bookwheel.encode.static.wordpiece import WordPiece, normalise
from distil_teacher import read_vectors

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Options:
    """How a model is fitted; the defaults are those of the built-in model."""

    dimension: int = 256
    extra: int = 7000
    """Whole words added to the teacher's vocabulary: the most frequent that it cuts into pieces."""
    sif: float = 1e-4
    """Weight of a piece of probability p at the start: sif / (sif + p)."""
    epochs: int = 3
    batch: int = 1024
    rate: float = 0.005
    cosine: float = 4.0
    similarity: float = 0.2
    similarity_temperature: float = 0.05
    contrast: float = 0.2
    contrast_temperature: float = 0.05
    pairs: int = 512
    shrink: float = 20.0
    """A piece met in n texts is n / (n + shrink) its own and for the rest what the linear map says."""
    seed: int = 1


def ranked_pieces(vocabulary: Path) -> list[int]:
    """Rows of a BERT vocabulary that get a vector: those with a letter or digit, markers such as [CLS] left out."""
    pieces = vocabulary.read_text(encoding="utf-8").split("\n")[:-1]
    return [
        row
        for row, piece in enumerate(pieces)
        if not (piece.startswith("[") and piece.endswith("]")) and any(c.isalnum() for c in piece)
    ]


def frequent_words(texts: Iterable[str], known: set[str], count: int) -> list[str]:
    """The ``count`` most frequent words of ``texts`` (of ASCII letters, more than three) that are not ``known``."""
    raw: Counter[str] = Counter()
    for text in texts:
        raw.update(set(split_words(text)))
    words: Counter[str] = Counter()
    for word, number in raw.items():
        for unit in normalise(word):
            if unit not in known and unit.isascii() and unit.isalpha() and len(unit) > 3:
                words[unit] += number
    return [word for word, _ in words.most_common(count)]


class Bagger:
    """Counts pieces: texts to a sparse matrix (texts, pieces)."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = list(pieces)
        self._cut = WordPiece.of({piece: row for row, piece in enumerate(pieces)}, -1)
        self._memo: dict[str, list[int]] = {}

    def of_word(self, word: str) -> list[int]:
        """The pieces of a word that have a vector."""
        if word not in self._memo:
            self._memo[word] = [row for row in self._cut(word) if row >= 0]
        return self._memo[word]

    def __call__(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """The matrix of counts."""
        columns: list[int] = []
        counts: list[int] = []
        ends = [0]
        for text in texts:
            bag = Counter(row for word in split_words(text) for row in self.of_word(word))
            columns += bag.keys()
            counts += bag.values()
            ends.append(len(columns))
        data = (np.array(counts, np.float32), np.array(columns, np.int32), np.array(ends, np.int64))
        return sparse.csr_matrix(data, shape=(len(texts), len(self.pieces)))


class Material:
    """What a corpus folder holds once it is encoded: texts with teacher vectors, pairs, the vocabulary's vectors."""

    def __init__(self, folder: Path, vocabulary: Path) -> None:
        self.vectors = _unit(read_vectors(folder / "vectors"))
        self.texts = [json.loads(line)["text"] for line in (folder / "texts.jsonl").open()][: len(self.vectors)]
        pairs = [json.loads(line) for line in (folder / "pairs.jsonl").open()]
        self.queries, self.answers = [p["query"] for p in pairs], [p["text"] for p in pairs]
        rows = ranked_pieces(vocabulary)
        pieces = vocabulary.read_text(encoding="utf-8").split("\n")
        self.pieces = [pieces[row] for row in rows]
        self.tokens: Floats = np.load(folder / "tokens.npy")[rows]
        self._words: list[str] | None = None

    def words(self, count: int) -> list[str]:
        """Frequent words to add to the vocabulary."""
        if self._words is None or len(self._words) < count:
            pairs = (f"{query} {answer}" for query, answer in zip(self.queries, self.answers, strict=True))
            self._words = frequent_words(pairs, set(self.pieces), max(count, 30_000))
        return self._words[:count]


def _unit(rows: Floats) -> Floats:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def _softmax(rows: Floats) -> Floats:
    rows = np.exp(rows - rows.max(1, keepdims=True))
    rows /= rows.sum(1, keepdims=True)
    return rows


class _Fit:
    """Adam over the rows that a batch touches, one second moment a row."""

    def __init__(self, start: Floats) -> None:
        self.vectors = start.copy()
        self._first = np.zeros_like(start)
        self._second = np.zeros(len(start), np.float32)
        self._steps = 0

    def forward(self, bags: Any) -> tuple[Floats, Any]:
        """Unit vectors of the texts, and what `backward` needs."""
        rows = np.unique(bags.indices)
        local = sparse.csr_matrix((bags.data, np.searchsorted(rows, bags.indices), bags.indptr), (bags.shape[0], len(rows)))
        sums = local @ self.vectors[rows]
        lengths = np.linalg.norm(sums, axis=1, keepdims=True) + 1e-6
        return sums / lengths, (rows, local, lengths)

    def backward(self, units: Floats, kept: Any, gradient: Floats, rate: float) -> None:
        """One step down ``gradient``, which is that of ``units``."""
        rows, local, lengths = kept
        slope = local.T @ ((gradient - units * (gradient * units).sum(1, keepdims=True)) / lengths)
        self._steps += 1
        first = self._first[rows] * 0.9 + 0.1 * slope
        second = self._second[rows] * 0.99 + 0.01 * (slope * slope).mean(1)
        self._first[rows], self._second[rows] = first, second
        size = np.sqrt(second / (1 - 0.99**self._steps))[:, None] + 1e-8
        self.vectors[rows] -= rate * (first / (1 - 0.9**self._steps)) / size


def _similarities(units: Floats, temperature: float) -> Floats:
    square = units @ units.T
    np.fill_diagonal(square, -9)
    return _softmax(square / temperature)


def _imitation(units: Floats, teacher: Floats, target: Floats, options: Options) -> Floats:
    """Gradient of the cosine and the similarity loss."""
    count = len(units)
    gradient = -options.cosine / count * target
    if options.similarity:
        temperature = options.similarity_temperature
        difference = _similarities(units, temperature) - _similarities(teacher, temperature)
        gradient += options.similarity / (count * temperature) * ((difference + difference.T) @ units)
    return gradient


def _contrast(units: Floats, options: Options) -> Floats:
    """Gradient of the contrastive loss, both ways; the first half of ``units`` are queries, the second their texts."""
    count = len(units) // 2
    queries, answers = units[:count], units[count:]
    scores = queries @ answers.T / options.contrast_temperature
    forth, back = _softmax(scores), _softmax(scores.T)
    diagonal = np.arange(count)
    forth[diagonal, diagonal] -= 1
    back[diagonal, diagonal] -= 1
    slope = (forth + back.T) * (options.contrast / (count * options.contrast_temperature))
    return np.concatenate([slope @ answers, slope.T @ queries])


def beginning(material: Material, pieces: Bagger, counts: Floats, options: Options) -> tuple[Floats, Floats]:
    """Vectors to start from, and the teacher's vectors of the texts in the same directions."""
    shares = (counts + 0.5) / (counts.sum() + 0.5 * len(counts))
    sample = material.vectors[:40_000]
    _, directions = np.linalg.eigh(sample.T @ sample)
    directions = directions[:, ::-1][:, : options.dimension]
    own = (material.tokens - material.tokens.mean(0)) @ directions
    known = len(material.pieces)
    own *= (options.sif / (options.sif + shares[:known]))[:, None]
    cut = Bagger(material.pieces)
    added = [own[cut.of_word(word)].sum(0) for word in pieces.pieces[known:]]
    start = np.concatenate([own, added]) if added else own
    start /= np.linalg.norm(start, axis=1).mean()
    return start.astype(np.float32), _unit((material.vectors @ directions).astype(np.float32))


def shrunk(vectors: Floats, start: Floats, texts: Floats, options: Options) -> Floats:
    """Draws the vectors of pieces met in few ``texts`` to a linear map of their start, fitted on those met often."""
    weights = np.minimum(texts, 300) * (texts >= 10)
    weighted = start * weights[:, None]
    ridge = 1e-2 * weights.sum() / start.shape[1] * np.eye(start.shape[1])
    mapped = start @ np.linalg.solve(weighted.T @ start + ridge, weighted.T @ vectors)
    own = (texts / (texts + options.shrink))[:, None]
    return (own * vectors + (1 - own) * mapped).astype(np.float32)


def fit(material: Material, options: Options) -> tuple[Floats, list[str]]:
    """The vectors (pieces, dimension) and the pieces of a fitted model."""
    pieces = Bagger([*material.pieces, *material.words(options.extra)])
    bags = pieces(material.texts)
    queries, answers = pieces(material.queries), pieces(material.answers)
    counts = np.asarray(bags.sum(0)).ravel() + np.asarray(answers.sum(0)).ravel()
    start, target = beginning(material, pieces, counts, options)
    if not options.epochs:
        return start, pieces.pieces
    draw = np.random.default_rng(options.seed)
    model = _Fit(start)
    count = bags.shape[0] // options.batch * options.batch
    steps, step, started = options.epochs * count // options.batch, 0, time.perf_counter()
    for epoch in range(options.epochs):
        order = draw.permutation(bags.shape[0])
        for at in range(0, count, options.batch):
            rate = options.rate * (1 - step / steps)
            step += 1
            rows = np.sort(order[at : at + options.batch])
            units, kept = model.forward(bags[rows])
            model.backward(units, kept, _imitation(units, material.vectors[rows], target[rows], options), rate)
            if options.contrast:
                drawn = draw.integers(0, queries.shape[0], options.pairs)
                units, kept = model.forward(sparse.vstack([queries[drawn], answers[drawn]], format="csr"))
                model.backward(units, kept, _contrast(units, options), rate)
        print(f"epoch {epoch + 1} of {options.epochs}, {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    met = np.asarray((bags > 0).sum(0)).ravel()
    if options.contrast:
        met = met + np.asarray((answers > 0).sum(0)).ravel() / 4
    return shrunk(model.vectors, start, met.astype(np.float32), options), pieces.pieces
