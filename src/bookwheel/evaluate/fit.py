"""Finds the weights of a weighted sum that give the best mean nDCG@10.

nDCG is a step function of the weights, so it has no gradient to follow. With the few parts of a
fusion, a grid and coordinate ascent find the best region (Metzler and Croft, "Linear feature-based
models for information retrieval", 2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .measures.ndcg import discounted_gain

__all__ = ["JudgedCandidates", "best_weights", "ideal_gain"]

DEPTH = 10
STEPS = 20
"""Weights are multiples of 1/20 that add up to 1: with a few hundred queries, finer ones would fit
noise.
"""
TOLERANCE = 0.0005
"""Weights whose nDCG differs by less are equally good; the most even ones are chosen."""


@dataclass(frozen=True, slots=True, eq=False)
class JudgedCandidates:
    """The candidates of one query, with what each part of the sum says and what each is worth."""

    features: NDArray[np.float64]
    """Normalised scores of each part, shape (n, parts)."""
    gains: NDArray[np.float64]
    """Grades, shape (n,); 0 where not judged."""
    ideal: float
    """The largest discounted gain that the query's judgments allow."""


def ideal_gain(grades: Sequence[float]) -> float:
    """The discounted gain of the best ranking of a query's judged documents."""
    return discounted_gain(np.array(sorted((max(grade, 0.0) for grade in grades), reverse=True)[:DEPTH], np.float64))


def best_weights(queries: Sequence[JudgedCandidates], parts: int) -> tuple[tuple[Fraction, ...], float]:
    """The weights of ``parts`` parts, which add up to 1, and the mean nDCG@10 that they reach on
    these queries.

    Two parts: the best of the whole grid. More: the best that coordinate ascent from equal weights
    finds. No weight is 0: to leave a part out is a decision for a person. Raises ``ValueError`` for
    fewer than two parts or no query.
    """
    if parts < 2 or not queries:
        raise ValueError(f"there are {parts} parts and {len(queries)} queries; fitting needs two parts and one query at least")
    if parts == 2:
        grid: list[tuple[int, ...]] = [(at, STEPS - at) for at in range(1, STEPS)]
    else:
        grid = _ascended(queries, parts)
    scored = [(_mean(queries, weights), weights) for weights in grid]
    best = max(score for score, _ in scored)
    good = [(max(weights) - min(weights), -score, weights) for score, weights in scored if score >= best - TOLERANCE]
    _, negative, chosen = min(good)
    total = sum(chosen)
    return tuple(Fraction(weight, total).limit_denominator(1000) for weight in chosen), -negative


def _ascended(queries: Sequence[JudgedCandidates], parts: int) -> list[tuple[int, ...]]:
    """All weights that coordinate ascent tries."""
    weights = [STEPS // parts or 1] * parts
    tried: dict[tuple[int, ...], float] = {tuple(weights): _mean(queries, weights)}
    for _ in range(5):
        before = list(weights)
        for part in range(parts):
            options = []
            for value in range(1, STEPS + 1):
                candidate = (*weights[:part], value, *weights[part + 1 :])
                if candidate not in tried:
                    tried[candidate] = _mean(queries, candidate)
                options.append((tried[candidate], -abs(value - weights[part]), value))
            weights[part] = max(options)[2]
        if weights == before:
            break
    return list(tried)


def _mean(queries: Sequence[JudgedCandidates], weights: Sequence[int]) -> float:
    vector = np.array(weights, np.float64)
    total = 0.0
    for query in queries:
        if query.ideal > 0 and len(query.gains):
            order = np.argsort(-(query.features @ vector), kind="stable")[:DEPTH]
            total += discounted_gain(query.gains[order]) / query.ideal
    return total / len(queries)
