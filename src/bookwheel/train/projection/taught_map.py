"""A linear map of an encoder's vectors by which queries rank passages as a larger encoder ranks them, fitted by Adam in numpy.

The map is the same for queries and passages and begins as the identity, so that nothing is lost at first. Each step takes some queries
and some passages, and brings the probabilities of these passages (softmax of scaled cosines) closer to the teacher's (Hinton, Vinyals
and Dean, "Distilling the Knowledge in a Neural Network", 2015; for retrieval, Lin, Yang and Lin, "In-Batch Negatives for Knowledge
Distillation with Tightly-Coupled Teachers", RepL4NLP 2021). In part: they train a whole encoder, and here a matrix behind one that
stays as it is, so that stored vectors are mapped instead of encoded anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["AMONG", "BATCH", "RATE", "Lesson", "Steps", "divergence", "loss_and_slope", "taught_map", "teacher_scale"]

RATE = 1e-3
"""Falls to nothing over the steps."""
BATCH, AMONG = 256, 4096
"""Queries of a step, and the passages that they rank."""
SCALE = 20.0
"""Of cosines before the softmax: a temperature of 0.05."""
_MOMENTS = 0.9, 0.999
_LEAST = 1e-9
"""Of a vector's length."""

Rows = NDArray[np.float32]
Half = NDArray[np.float16]


@dataclass(frozen=True)
class Lesson:
    """Unit vectors of queries (q, ·) and passages (p, ·) by the encoder (``own``, d) and by the teacher (``theirs``)."""

    own_queries: Half
    own_passages: Half
    their_queries: Half
    their_passages: Half

    def some(self, queries: NDArray[np.int64], passages: NDArray[np.int64]) -> tuple[Rows, Rows, Rows, Rows]:
        """The same of these rows, float32."""
        pairs = (
            (self.own_queries, queries), (self.own_passages, passages), (self.their_queries, queries), (self.their_passages, passages)
        )  # fmt: skip
        first, second, third, fourth = (np.asarray(rows[at], np.float32) for rows, at in pairs)
        return first, second, third, fourth

    def parted(self, aside: int) -> tuple[Lesson, Lesson]:
        """The same with the first ``aside`` queries, and with the others."""
        first, others = slice(None, aside), slice(aside, None)
        one, other = (
            replace(self, own_queries=self.own_queries[at], their_queries=self.their_queries[at]) for at in (first, others)
        )
        return one, other


@dataclass(frozen=True)
class Steps:
    """The map (d, d), the loss before each step, and its learning rate."""

    weights: Rows
    losses: tuple[float, ...]
    rates: tuple[float, ...]


def probabilities(scores: Rows) -> Rows:
    """The softmax of each row."""
    found: Rows = np.exp(scores - scores.max(1, keepdims=True))
    found /= found.sum(1, keepdims=True)
    return found


def loss_and_slope(weights: Rows, queries: Rows, passages: Rows, wanted: Rows, scale: float = SCALE) -> tuple[float, Rows]:
    """The mean divergence of ``queries`` (q, d) from the probabilities of ``passages`` (p, d) that are ``wanted`` (q, p), and its
    gradient by ``weights`` (d, d).
    """
    asked, told = queries @ weights.T, passages @ weights.T
    long, length = (np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), _LEAST) for rows in (asked, told))
    asked /= long
    told /= length
    own = probabilities(np.float32(scale) * (asked @ told.T))
    loss = float((wanted * (np.log(wanted + 1e-12) - np.log(own + 1e-12))).sum() / len(queries))
    slope = (own - wanted) * np.float32(scale / len(queries))
    by_asked, by_told = slope @ told, slope.T @ asked
    by_asked -= (by_asked * asked).sum(1, keepdims=True) * asked
    by_told -= (by_told * told).sum(1, keepdims=True) * told
    return loss, (by_asked / long).T @ queries + (by_told / length).T @ passages


def teacher_scale(lesson: Lesson, seed: int) -> float:
    """What the teacher's cosines are multiplied by, so that they are as spread as the encoder's times `SCALE`."""
    draw = np.random.default_rng([seed, 23])
    queries = draw.permutation(len(lesson.own_queries))[:BATCH]
    own, own_passages, theirs, their_passages = lesson.some(queries, draw.permutation(len(lesson.own_passages))[:AMONG])
    spread = [float((asked @ told.T).std(1).mean()) for asked, told in ((own, own_passages), (theirs, their_passages))]
    return SCALE * spread[0] / max(spread[1], _LEAST)


def divergence(weights: Rows, lesson: Lesson, scale: float) -> float:
    """The mean loss of all queries of ``lesson`` among its first `AMONG` passages; ``scale``: of the teacher's cosines."""
    total, passages = 0.0, np.arange(min(AMONG, len(lesson.own_passages)))
    for start in range(0, len(lesson.own_queries), BATCH):
        queries = np.arange(start, min(start + BATCH, len(lesson.own_queries)))
        own, told, theirs, their_passages = lesson.some(queries, passages)
        wanted = probabilities(np.float32(scale) * (theirs @ their_passages.T))
        total += len(queries) * loss_and_slope(weights, own, told, wanted)[0]
    return total / max(1, len(lesson.own_queries))


def taught_map(
    lesson: Lesson, scale: float, steps: int, seed: int, more: Callable[[], None] = lambda: None, rate: float = RATE
) -> Steps:
    """The map after ``steps``; ``scale``: of the teacher's cosines (`teacher_scale`). ``more`` is called before each step."""
    draw = np.random.default_rng([seed, 29])
    weights: Rows = np.eye(lesson.own_passages.shape[1], dtype=np.float32)
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    losses, rates = [], []
    first, second = _MOMENTS
    for step in range(1, steps + 1):
        more()
        queries = draw.integers(len(lesson.own_queries), size=BATCH)
        passages = draw.integers(len(lesson.own_passages), size=min(AMONG, len(lesson.own_passages)))
        own, told, theirs, their_passages = lesson.some(queries, passages)
        wanted = probabilities(np.float32(scale) * (theirs @ their_passages.T))
        loss, slope = loss_and_slope(weights, own, told, wanted)
        mean = np.float32(first) * mean + np.float32(1 - first) * slope
        square = np.float32(second) * square + np.float32(1 - second) * slope**2
        now = rate * (1 - (step - 1) / steps)
        away = np.sqrt(square / np.float32(1 - second**step)) + np.float32(1e-8)
        weights = weights - np.float32(now / (1 - first**step)) * mean / away
        losses.append(loss)
        rates.append(now)
    return Steps(weights, tuple(losses), tuple(rates))
