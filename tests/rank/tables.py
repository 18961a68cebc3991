"""Retrievers over tables of scores, and running recipes on them without a library."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bookwheel.rank import DEFAULT_NORMALISATION, Hits, Query, Ranking, Recipe, validate
from bookwheel.rank.normalisation import normalisation
from bookwheel.rank.retriever import Retriever
from bookwheel.rank.runner import DEFAULT_DEPTH, Runner


class Table:
    """A retriever over a table of scores; it finds those above its threshold."""

    def __init__(self, scores: dict[int, float], floor: float = 0.0, least: float = -math.inf) -> None:
        self.scores = {passage: float(np.float32(score)) for passage, score in scores.items()}
        self.floor = floor
        self.least = least
        self.asked: list[int] = []
        self.scored = 0

    def retrieve(self, depth: int) -> Hits:
        self.asked.append(depth)
        ids = np.array([p for p, score in self.scores.items() if score > self.least], np.int64)
        return Hits.ranked(ids, self.score(ids), depth)

    def score(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        self.scored += len(ids)
        return np.array([self.scores[int(p)] for p in ids], np.float32)


class Tables:
    """As much of a context as recipes without stages ask for."""

    def __init__(self, retrievers: Mapping[str, Retriever]) -> None:
        self.retrievers = retrievers

    def retriever(self, name: str, query: Query) -> Retriever:
        return self.retrievers[name]

    def take_notes(self) -> list[str]:
        return []


def run(
    recipe: Recipe,
    retrievers: Mapping[str, Retriever],
    k: int,
    depth: int = DEFAULT_DEPTH,
    normalise: str = DEFAULT_NORMALISATION,
) -> Ranking:
    """The best ``k`` passages; each part of a fusion selects ``depth`` candidates unless it has a ``%``."""
    validate(recipe, retrievers.keys())
    return Runner(Tables(retrievers), depth, normalisation(normalise)).ranking(recipe, Query("any"), k)
