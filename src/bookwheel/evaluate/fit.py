"""Weights of a fusion fitted on judged queries: those with the best mean nDCG@10 on a grid, refined part by part.

nDCG is a step function of the weights, so there is no gradient to follow; with the few parts that a fusion has, a grid and
coordinate ascent find its best region (Metzler and Croft, "Linear feature-based models for information retrieval", 2007).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .collections import Collection

__all__ = ["Judged", "best_weights", "split_queries"]

DEPTH = 10
STEPS = 20
"""Weights are multiples of 1/20 that add up to 1: finer ones fit noise with a few hundred queries."""
TOLERANCE = 0.0005
"""Weights count as equally good within this much nDCG; of those the most even ones are taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The candidates of one query."""

    features: NDArray[np.float64]
    """Normalised scores of each part, shape (n, parts)."""
    gains: NDArray[np.float64]
    """Grades, shape (n,); 0 where not judged."""
    ideal: float
    """The largest discounted gain that the query's judgments allow."""


def split_queries(collection: Collection, seed: int = 0) -> tuple[Collection, Collection]:
    """Two halves of the judged queries, drawn with ``seed``: one to fit on, one to report."""
    queries = sorted(collection.judged)
    random.Random(seed).shuffle(queries)
    half = len(queries) // 2
    parts = (set(queries[:half]), set(queries[half:]))
    return tuple(  # type: ignore[return-value]
        replace(
            collection,
            queries={query: text for query, text in collection.queries.items() if query in part},
            qrels={query: grades for query, grades in collection.qrels.items() if query in part},
        )
        for part in parts
    )


def discounted(gains: NDArray[np.float64]) -> float:
    """The discounted gain of the first ten, as trec_eval has it: grade over log2 of rank + 1."""
    head = gains[:DEPTH]
    return float((head / np.log2(np.arange(2, len(head) + 2))).sum())


def ideal_gain(grades: Sequence[float]) -> float:
    """The discounted gain of the best ranking of a query's judged documents."""
    return discounted(np.array(sorted((max(grade, 0.0) for grade in grades), reverse=True), np.float64))


def best_weights(queries: Sequence[Judged], parts: int) -> tuple[tuple[Fraction, ...], float]:
    """The weights of ``parts`` parts, which add up to 1, and the mean nDCG@10 they reach on these queries.

    For two parts the whole grid; for more, coordinate ascent from equal weights. No weight is 0: a part that is worth nothing
    should be left out by the person. Raises ``ValueError`` for less than two parts or no query.
    """
    if parts < 2 or not queries:
        raise ValueError(f"{parts} parts and {len(queries)} queries; there is something to fit from two parts and one query on")
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


def _ascended(queries: Sequence[Judged], parts: int) -> list[tuple[int, ...]]:
    """All weights that coordinate ascent tried."""
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


def _mean(queries: Sequence[Judged], weights: Sequence[int]) -> float:
    vector = np.array(weights, np.float64)
    total = 0.0
    for query in queries:
        if query.ideal > 0 and len(query.gains):
            order = np.argsort(-(query.features @ vector), kind="stable")[:DEPTH]
            total += discounted(query.gains[order]) / query.ideal
    return total / len(queries)
