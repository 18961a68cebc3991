"""A table of token weights that scores passages as a SPLADE-type model's own query vectors do.

After Nardini et al., "Effective Inference-Free Retrieval for Learned Sparse Representations" (2025), who learn such a table from
labels; here the model itself teaches, by margin-MSE (Hofstätter et al., "Improving Efficient Neural Ranking Models with
Cross-Architecture Knowledge Distillation" (2020)): for each query, differences of scores between passages. Passages keep their
vectors, so that the loss is a sum of squares in the table's weights: convex, and its minimum needs no learning rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...encode.protocols import SparseVectors

__all__ = ["Postings", "Rows", "fitted", "idf_of", "rows_of", "self_weights"]

TOP, OTHERS = 24, 8
"""Passages a query is compared on: the best by the model, and some drawn from all."""
PASSES = 300
PRIOR = 3.0
"""As how many queries a token counts by what its rarity says of it."""


class Postings:
    """Sparse vectors of passages by term, for scoring."""

    def __init__(self, vectors: SparseVectors, terms: int) -> None:
        self.count = len(vectors.indptr) - 1
        order = np.argsort(vectors.terms, kind="stable")
        self._passages = np.repeat(np.arange(self.count), np.diff(vectors.indptr))[order]
        self._weights = vectors.weights[order].astype(np.float64)
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(vectors.terms, minlength=terms))])

    def of(self, term: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The passages that have the term, and its weight in each."""
        span = slice(self._starts[term], self._starts[term + 1])
        return self._passages[span], self._weights[span]

    def scores(self, terms: NDArray[np.int32], weights: NDArray[np.float32]) -> NDArray[np.float64]:
        """Of every passage, float64 (n,)."""
        found = np.zeros(self.count)
        for term, weight in zip(terms.tolist(), weights.tolist(), strict=True):
            passages, held = self.of(term)
            found[passages] += weight * held
        return found


@dataclass(frozen=True)
class Rows:
    """The least squares: a row for each query and passage, with what the table is to make of it."""

    rows: NDArray[np.int64]
    """Of each entry."""
    tokens: NDArray[np.int64]
    values: NDArray[np.float64]
    targets: NDArray[np.float64]
    """Of each row."""


def rows_of(postings: Postings, tokens: Sequence[NDArray[np.int32]], queries: SparseVectors, seed: int) -> Rows:
    """What the model says of the best passages for each query, and of some others, less the mean over them."""
    draw = np.random.default_rng([seed, 17])
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]] = []
    count = 0
    for at, some in enumerate(tokens):
        scores = postings.scores(*queries.row(at))
        top = np.argpartition(-scores, min(TOP, len(scores)) - 1)[:TOP]
        chosen = np.unique(np.concatenate([top, draw.integers(0, postings.count, OTHERS)]))
        block = np.zeros((len(chosen), len(some)))
        for column, token in enumerate(some.tolist()):
            passages, held = postings.of(token)
            places = np.searchsorted(passages, chosen)
            there = places < len(passages)
            there[there] = passages[places[there]] == chosen[there]
            block[there, column] = held[places[there]]
        block -= block.mean(0)
        row, column_ = np.nonzero(block)
        parts.append((row + count, some[column_].astype(np.int64), block[row, column_], scores[chosen] - scores[chosen].mean()))
        count += len(chosen)
    rows, named, values, targets = (np.concatenate([part[at] for part in parts]) for at in range(4))
    return Rows(rows, named, values, targets)


def idf_of(tokens: Sequence[NDArray[np.int32]], size: int) -> NDArray[np.float64]:
    """How rare each token is among texts, by BM25's formula: float64 (size,)."""
    held = np.bincount(np.concatenate([*tokens, np.empty(0, np.int32)]), minlength=size)
    return np.log1p((len(tokens) - held + 0.5) / (held + 0.5))


def self_weights(tokens: Sequence[NDArray[np.int32]], queries: SparseVectors, idf: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the model gives each token in queries that have it, on average; of few or no queries, what its rarity suggests."""
    total, count = np.zeros(len(idf)), np.zeros(len(idf))
    for at, some in enumerate(tokens):
        terms, weights = queries.row(at)
        own = np.zeros(len(idf))
        own[terms] = weights
        total[some] += own[some]
        count[some] += 1
    seen = np.flatnonzero(count)
    known = np.sqrt(count[seen])[:, None]
    line = np.stack([np.ones(len(seen)), idf[seen]], 1)
    (level, slope), *_ = np.linalg.lstsq(line * known, (total[seen] / count[seen])[:, None] * known, rcond=None)
    return np.asarray((total + PRIOR * np.maximum(level + slope * idf, 0)) / (count + PRIOR))


def fitted(rows: Rows, start: NDArray[np.float64], pull: float) -> NDArray[np.float64]:
    """The weights, none below 0, that come nearest to the targets; ``pull`` draws them towards ``start``.

    Accelerated proximal gradient (Beck and Teboulle 2009), with a step for each token that is short enough for all together.
    """
    size, count = len(start), len(rows.targets)
    weights, ahead, momentum = start.copy(), start.copy(), 1.0
    sizes = np.abs(rows.values)
    length = np.bincount(rows.tokens, sizes * np.bincount(rows.rows, sizes, minlength=count)[rows.rows], minlength=size) + pull
    for _ in range(PASSES):
        missing = np.bincount(rows.rows, rows.values * ahead[rows.tokens], minlength=count) - rows.targets
        slope = np.bincount(rows.tokens, rows.values * missing[rows.rows], minlength=size) + pull * (ahead - start)
        new = np.maximum(ahead - slope / length, 0)
        following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = new + (momentum - 1) / following * (new - weights)
        weights, momentum = new, following
    return weights
