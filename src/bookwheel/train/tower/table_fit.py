"""A table of token vectors whose means are a teacher's vectors of queries: a regression, and linear, so that it has closed forms.

The teacher's vector of each token by itself is mapped, all with one map, to where means of them come nearest to the targets; each token
that queries have is then moved on by a ridge regression of its own. Rare tokens stay where the map put them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...encode.protocols import unit
from ..static.bags import Bags

__all__ = ["Asked", "bags_of", "cosine", "mapped", "moved", "rarity"]

AT_ONCE = 4096
"""Queries whose sums are held at a time."""
COLUMNS = 128
"""Dimensions whose regressions are held at a time."""
PASSES = 12
"""Of conjugate gradients: on Medline eight are as good as twenty."""


@dataclass(frozen=True)
class Asked:
    """Queries as bags of token numbers, whose counts sum to 1 in each, and the teacher's unit ``vectors`` (n, dimension), float16."""

    bags: Bags
    vectors: NDArray[np.float16]

    def __len__(self) -> int:
        return len(self.vectors)

    def parts(self) -> Iterator[tuple[Bags, NDArray[np.float32]]]:
        """Some thousand at a time, with the vectors in float32."""
        for start in range(0, len(self), AT_ONCE):
            some = np.arange(start, min(start + AT_ONCE, len(self)))
            yield self.bags.take(some), self.vectors[some].astype(np.float32)

    def take(self, chosen: NDArray[np.int64]) -> Asked:
        """The queries ``chosen``, in that order."""
        return Asked(self.bags.take(chosen), self.vectors[chosen])


def bags_of(tokenizer: Any, texts: Sequence[str]) -> Bags:
    """The tokens of ``texts`` without markers, each counting as the share of its text's tokens that it is."""
    rows: list[NDArray[np.int32]] = []
    counts: list[NDArray[np.float32]] = []
    ends = [0]
    for found in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False):
        ids, times = np.unique(np.array(found.ids, np.int32), return_counts=True)
        rows.append(ids)
        counts.append((times / max(1, times.sum())).astype(np.float32))
        ends.append(ends[-1] + len(ids))
    none = np.empty(0, np.int32)
    return Bags(np.array(ends, np.int64), np.concatenate([none, *rows]), np.concatenate([none.astype(np.float32), *counts]))


def means(bags: Bags, table: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean vector (n, dimension) of each bag."""
    from ...kernels.bags import sum_rows

    out = np.empty((len(bags), table.shape[1]), np.float32)
    sum_rows(bags.indptr, bags.rows, bags.counts, table, out)
    return out


def rarity(frequency: NDArray[np.int64], share: float) -> NDArray[np.float32]:
    """The weight of each token by how often it occurs: ``share / (share + its share of all)``.

    Arora, Liang and Ma, A Simple but Tough-to-Beat Baseline for Sentence Embeddings (ICLR 2017): smooth inverse frequency.
    """
    shares = frequency / max(1, int(frequency.sum()))
    return (share / (share + shares)).astype(np.float32)


def mapped(table: NDArray[np.float32], asked: Asked, ridge: float) -> NDArray[np.float32]:
    """``table`` (tokens, dimension) through the affine map by which means of its rows come nearest to the teacher's vectors."""
    width = table.shape[1] + 1
    square, product = np.zeros((width, width)), np.zeros((width, asked.vectors.shape[1]))
    for bags, vectors in asked.parts():
        rows = np.concatenate([means(bags, table), np.ones((len(bags), 1), np.float32)], 1)
        square += rows.T @ rows
        product += rows.T @ vectors
    square[np.diag_indices(width - 1)] += ridge * np.trace(square[:-1, :-1]) / (width - 1)
    square[-1, -1] += 1e-6
    found: NDArray[np.float32] = np.linalg.solve(square, product).astype(np.float32)
    out: NDArray[np.float32] = table @ found[:-1] + found[-1]  # a constant in every row is one in every mean
    return out


def moved(table: NDArray[np.float32], asked: Asked, pull: float) -> NDArray[np.float32]:
    """``table`` with the rows of tokens that queries have moved to the least squares, each drawn back as by ``pull`` squares.

    Conjugate gradients with the diagonal as preconditioner, for some dimensions at a time: each is a regression of its own.
    """
    rows, places = np.unique(asked.bags.rows, return_inverse=True)
    local = Asked(Bags(asked.bags.indptr, places.astype(np.int32), asked.bags.counts), asked.vectors)
    squares = np.bincount(local.bags.rows, local.bags.counts**2, len(rows)) + pull
    diagonal = squares.astype(np.float32)[:, None]
    out = table.copy()
    for start in range(0, table.shape[1], COLUMNS):
        some = slice(start, start + COLUMNS)
        out[rows, some] += _change(np.ascontiguousarray(table[rows, some]), local, some, diagonal, pull)
    return out


def _change(
    held: NDArray[np.float32], local: Asked, some: slice, diagonal: NDArray[np.float32], pull: float
) -> NDArray[np.float32]:
    """How far ``held`` (rows, some dimensions) is to be moved."""
    from ...kernels.bags import scatter_rows

    def normal(step: NDArray[np.float32]) -> NDArray[np.float32]:
        out = step * np.float32(pull)
        for bags, _ in local.parts():
            scatter_rows(bags.indptr, bags.rows, bags.counts, means(bags, step), out)
        return out

    residual = np.zeros_like(held)
    for bags, vectors in local.parts():
        scatter_rows(bags.indptr, bags.rows, bags.counts, vectors[:, some] - means(bags, held), residual)
    change, step = np.zeros_like(held), np.zeros_like(held)
    norm = np.ones(held.shape[1], np.float32)
    for _ in range(PASSES):
        ahead = residual / diagonal
        before, norm = norm, (residual * ahead).sum(0)
        step = ahead + step * (norm / np.maximum(before, 1e-30))
        turned = normal(step)
        length = norm / np.maximum((step * turned).sum(0), 1e-30)
        change += step * length
        residual -= turned * length
    return change


def cosine(table: NDArray[np.float32], asked: Asked) -> float:
    """The mean cosine of the table's vectors of queries to the teacher's."""
    total = sum(float((unit(means(bags, table)) * vectors).sum()) for bags, vectors in asked.parts())
    return total / max(1, len(asked))
