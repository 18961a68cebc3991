"""Text and vectors of any size, made with a seed: for what real collections are too small for. Written as a stream.

    python bench/synthetic.py text --passages 10000000 OUT.jsonl.zst
    python bench/synthetic.py vectors --rows 10000000 --dimension 256 OUT.npy

Text: words by the law of Zipf and Mandelbrot, p ~ 1 / (rank + 2.7)^1.05 over two million words, so that the vocabulary grows
with the text as Heaps' law says; passages have a subject, from which a fifth of their words come, so that they differ in what
they are about. Vectors: unit vectors around cluster centres whose sizes follow Zipf's law too, with centres that decay in
variance over the dimensions, as embeddings do. Sizes and laws are like real ones; nothing else is.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

VOCABULARY = 2_000_000
EXPONENT, SHIFT = 1.05, 2.7
SUBJECTS, SUBJECT_WORDS, SUBJECT_SHARE = 2000, 200, 0.2
BATCH = 10_000
_ONSETS = [*"bcdfghjklmnprstvwz", "br", "ch", "dr", "fl", "gr", "kl", "pl", "pr", "sh", "sk", "sp", "st", "th", "tr"]
_VOWELS = ["a", "e", "i", "o", "u", "ai", "ea", "ee", "io", "ou"]
_CODAS = ["", "", "", "n", "r", "s", "t", "l", "m", "nd", "rk", "st"]


def words_of(numbers: NDArray[np.int64]) -> list[str]:
    """A word for each number: short ones for small numbers, every number another."""
    syllables = [onset + vowel + coda for onset in _ONSETS for vowel in _VOWELS for coda in dict.fromkeys(_CODAS)]
    size = len(syllables)
    found = []
    for number in numbers.tolist():
        # The separator keeps two ways of cutting a word into syllables apart.
        text = syllables[number % size]
        number //= size
        while number:
            number -= 1
            text += "x" + syllables[number % size]
            number //= size
        found.append(text)
    return found


class ZipfText:
    """Passages of ``length`` words on average. ``vocabulary``: of how many words."""

    def __init__(self, seed: int = 0, length: int = 100, vocabulary: int = VOCABULARY) -> None:
        self.dice = np.random.default_rng(seed)
        self.length = length
        weights = 1.0 / (np.arange(vocabulary) + SHIFT) ** EXPONENT
        self.cumulative = np.cumsum(weights / weights.sum())
        self.words = np.array(words_of(np.arange(vocabulary)), dtype=object)
        # Subjects use words that are neither everywhere nor nearly nowhere.
        self.subjects = self.dice.integers(min(200, vocabulary // 2), min(100_000, vocabulary), (SUBJECTS, SUBJECT_WORDS))

    def passages(self, count: int) -> list[str]:
        """The next ``count`` passages."""
        dice = self.dice
        lengths = np.maximum(dice.poisson(self.length, count), 3)
        total = int(lengths.sum())
        ranks = np.minimum(np.searchsorted(self.cumulative, dice.random(total)), len(self.words) - 1)
        owner = np.repeat(dice.integers(0, SUBJECTS, count), lengths)
        own = np.flatnonzero(dice.random(total) < SUBJECT_SHARE)
        ranks[own] = self.subjects[owner[own], dice.integers(0, SUBJECT_WORDS, len(own))]
        chosen = self.words[ranks].tolist()
        ends = np.cumsum(lengths).tolist()
        return [" ".join(chosen[end - size : end]) + "." for end, size in zip(ends, lengths.tolist(), strict=True)]

    def queries(self, count: int, length: int = 4) -> list[str]:
        """Queries of words of one subject each."""
        chosen = self.subjects[self.dice.integers(0, SUBJECTS, count)]
        picks = self.dice.integers(0, SUBJECT_WORDS, (count, length))
        return [" ".join(self.words[row[pick]]) for row, pick in zip(chosen, picks, strict=True)]


def write_text(path: Path, passages: int, *, seed: int = 0, length: int = 100, vocabulary: int = VOCABULARY) -> None:
    """JSON lines with ``_id``, ``text`` and a metadata field ``tenth``, compressed as ``path`` says (.gz, .zst or not)."""
    text = ZipfText(seed, length, vocabulary)
    with _opened(path) as file:
        for first in range(0, passages, BATCH):
            for number, passage in enumerate(text.passages(min(BATCH, passages - first)), first):
                file.write(json.dumps({"_id": f"s{number}", "text": passage, "tenth": number % 10}) + "\n")


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    if path.suffix == ".gz":
        with gzip.open(path, "wt", compresslevel=1, encoding="utf-8") as file:
            yield file
    elif path.suffix == ".zst":
        from bookwheel.documents.zstd import module

        with module().open(path, "wt", level=1, encoding="utf-8") as file:
            yield file
    else:
        with path.open("w", encoding="utf-8") as file:
            yield file


class ClusteredVectors:
    """Unit vectors (n, dimension) around ``clusters`` centres."""

    def __init__(self, dimension: int, seed: int = 0, clusters: int = 4096, spread: float = 0.7) -> None:
        self.dice = np.random.default_rng(seed)
        self.dimension = dimension
        self.spread = spread
        scale = (1.0 / np.sqrt(1.0 + np.arange(dimension) / 16)).astype(np.float32)
        self.scale = scale / np.linalg.norm(scale)
        self.centres = self.dice.standard_normal((clusters, dimension)).astype(np.float32) * self.scale
        self.centres += 0.4 * self.scale  # embeddings share a direction
        sizes = 1.0 / (np.arange(clusters) + 10.0)
        self.cumulative = np.cumsum(sizes / sizes.sum())

    def rows(self, count: int) -> NDArray[np.float32]:
        """The next ``count`` rows."""
        owner = np.minimum(np.searchsorted(self.cumulative, self.dice.random(count)), len(self.centres) - 1)
        found = self.dice.standard_normal((count, self.dimension), dtype=np.float32) * (self.spread * self.scale)
        found += self.centres[owner]
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        return found


def write_vectors(path: Path, rows: int, dimension: int, *, seed: int = 0) -> None:
    """A ``.npy`` file of float32 (rows, dimension)."""
    vectors = ClusteredVectors(dimension, seed)
    out = np.lib.format.open_memmap(path, "w+", np.float32, (rows, dimension))
    for first in range(0, rows, BATCH):
        some = min(BATCH, rows - first)
        out[first : first + some] = vectors.rows(some)
    out.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    text = kinds.add_parser("text")
    text.add_argument("--passages", type=int, required=True)
    text.add_argument("--length", type=int, default=100)
    vectors = kinds.add_parser("vectors")
    vectors.add_argument("--rows", type=int, required=True)
    vectors.add_argument("--dimension", type=int, default=256)
    for one in (text, vectors):
        one.add_argument("--seed", type=int, default=0)
        one.add_argument("out", type=Path)
    given = parser.parse_args()
    if given.kind == "text":
        write_text(given.out, given.passages, seed=given.seed, length=given.length)
    else:
        write_vectors(given.out, given.rows, given.dimension, seed=given.seed)


if __name__ == "__main__":
    main()
