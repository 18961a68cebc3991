"""What a sparse index must agree with: BM25 over all passages, its formula written out here and checked against bm25s."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from bookwheel.index.inverted.bm25 import Bm25Index
from bookwheel.index.inverted.bm25_builder import Bm25Builder
from bookwheel.kernels.bm25 import Bm25


class Collection:
    """Passages as lists of term numbers; term i is called ``names[i]``."""

    def __init__(self, passages: list[list[int]], names: list[str] | None = None) -> None:
        self.passages = [np.asarray(p, np.int32) for p in passages]
        size = max((int(p.max()) + 1 for p in self.passages if len(p)), default=0)
        self.names = names or [f"t{i}" for i in range(size)]
        self.lengths = np.array([len(p) for p in self.passages], np.float64)
        self.average = float(self.lengths.sum() / max(len(passages), 1))
        owner = np.repeat(np.arange(len(passages)), self.lengths.astype(int))
        flat = np.concatenate(self.passages) if self.passages else np.empty(0, np.int32)
        order = np.lexsort((owner, flat))
        self._flat, self._owner = flat[order], owner[order]

    def postings(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        if name not in self.names:
            return np.empty(0, int), np.empty(0, int)
        term = self.names.index(name)
        low, high = np.searchsorted(self._flat, [term, term + 1])
        return np.unique(self._owner[low:high], return_counts=True)

    def weights(self, terms: list[str]) -> list[float]:
        frequencies = [len(self.postings(t)[0]) for t in terms]
        return [math.log(1.0 + (len(self.passages) - df + 0.5) / (df + 0.5)) for df in frequencies]

    def scores(self, terms: list[str], weights: list[float], bm25: Bm25, average: float) -> np.ndarray:
        total = np.zeros(len(self.passages))
        for term, weight in zip(terms, weights, strict=True):
            ids, tf = self.postings(term)
            norm = bm25.k1 * (1.0 - bm25.b + bm25.b * (self.lengths[ids] / average))
            total[ids] += weight * (tf / (tf + norm))
        return total.astype(np.float32)

    def best(self, terms, weights, k, bm25, average, allowed=None, threshold=0.0) -> tuple[np.ndarray, np.ndarray]:
        scores = self.scores(terms, weights, bm25, average)
        possible = (scores > 0) & (scores >= np.float32(threshold))
        if allowed is not None:
            possible &= allowed
        ids = np.flatnonzero(possible)
        ids = ids[np.lexsort((ids, -scores[ids]))][:k]
        return ids, scores[ids]

    def build(self, folder: Path, batch: int = 7, bm25: Bm25 | None = None, average: float | None = None) -> Bm25Index:
        builder = Bm25Builder()
        for start in range(0, len(self.passages), batch):
            part = self.passages[start : start + batch]
            indptr = np.concatenate(([0], np.cumsum([len(p) for p in part]))).astype(np.int64)
            builder.add(indptr, np.concatenate(part).astype(np.int32))
        builder.close(folder / "structure", folder / "impacts", self.names, bm25, average)
        return Bm25Index(folder / "structure", folder / "impacts")


def bitmap(allowed: np.ndarray) -> np.ndarray:
    padded = np.zeros((len(allowed) + 63) // 64 * 64, np.uint8)
    padded[: len(allowed)] = allowed
    return np.packbits(padded, bitorder="little").view(np.uint64)


def zipf(passages: int, words: int, seed: int, mean: int = 8) -> Collection:
    """Passages of random lengths over Zipf-distributed terms, some of them repeated within a passage."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 2 * mean, passages)
    share = 1.0 / np.arange(1, words + 1)
    tokens = rng.choice(words, size=int(lengths.sum()), p=share / share.sum())
    repeat = rng.random(len(tokens)) < 0.15
    repeat[0] = False
    tokens[repeat] = tokens[np.flatnonzero(repeat) - 1]
    return Collection(np.split(tokens, np.cumsum(lengths)[:-1]), [f"t{i}" for i in range(words)])
