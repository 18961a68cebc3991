"""Does what was chosen hold on queries that it was not chosen on? Cross-validation of the whole search, and an interval.

Stone, "Cross-Validatory Choice and Assessment of Statistical Predictions" (1974); Varma and Simon, "Bias in Error Estimation when
Using Cross-Validation for Model Selection" (2006): the search itself runs in every fold, so that its choice is judged only by
queries that it has not seen. The interval is Efron's percentile bootstrap over the queries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FOLDS", "Gain", "bootstrap", "folds"]

FOLDS = 5
ROUNDS = 5_000
ONE_SIDED = 0.9
"""A choice is taken where the gain is above 0 with this confidence."""


@dataclass(frozen=True, slots=True)
class Gain:
    """A mean difference over queries, with what can be said of it."""

    mean: float
    low: float
    """Of the 95 % interval."""
    high: float
    bound: float
    """Above this with a confidence of `ONE_SIDED`."""
    queries: int

    @property
    def earned(self) -> bool:
        """Whether it is above 0 with a confidence of `ONE_SIDED`."""
        return self.mean > 0 and self.bound > 0


def bootstrap(differences: NDArray[np.float64], seed: int = 0) -> Gain:
    """The gain of ``differences``, one a query, float64 (n,)."""
    n = len(differences)
    generator = np.random.default_rng(seed)
    means = np.concatenate([
        differences[generator.integers(0, n, (min(500, ROUNDS - start), n))].mean(axis=1) for start in range(0, ROUNDS, 500)
    ])  # fmt: skip
    low, high, bound = np.quantile(means, [0.025, 0.975, 1 - ONE_SIDED]).tolist()
    return Gain(float(differences.mean()), low, high, bound, n)


def folds(queries: int, seed: int = 0) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Places to choose on and places to judge by, `FOLDS` times; each query is judged by once."""
    order = np.random.default_rng(seed).permutation(queries)
    for fold in range(FOLDS):
        judged = np.zeros(queries, np.bool_)
        judged[order[fold::FOLDS]] = True
        yield np.flatnonzero(~judged), np.flatnonzero(judged)
