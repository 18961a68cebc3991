"""Which order the recipes are in, and whether further judgments can change it.

Measures are sums: every document adds its gain times a weight of its rank. So a document that two recipes rank alike says nothing
of which is better, one that is not judged yet can move their difference by no more than its difference of weights, and bounds on
every difference are exact: nDCG and AP, which divide by what is not known yet, have no such bounds. Sources: Carterette, Allan
and Sitaraman, "Minimal Test Collections for Retrieval Evaluation" (SIGIR 2006); the residual of Moffat and Zobel, "Rank-Biased
Precision" (2008).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..._errors import UsageError
from .grades import HIGHEST
from .journal import Pooled

__all__ = ["MEASURE", "Measure", "Order", "Pool", "parse_measure", "pool_of"]

MEASURE = "DCG@10"
_SLACK = 1e-9
PRIOR = 8.0
"""Judgments that the guess of a grade counts as, before there are any; it is spread over all grades."""
LEAST = 10
"""Judgments from which on a probability decides: before, it comes from the prior, which nobody has judged."""
BANDS = (3, 10)
"""Last ranks of the bands in which unjudged documents are guessed alike."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Discounted gain (``DCG@10``: grades, discounted by the logarithm of the rank) or precision (``P@10``: grades above 0)."""

    name: str
    cutoff: int

    def weights(self, ranks: NDArray[np.int64]) -> NDArray[np.float64]:
        """The weight of each rank (from 1; 0: not found), any shape; the first ``cutoff`` ranks add up to 1."""
        inside = (ranks > 0) & (ranks <= self.cutoff)
        if self.name == "P":
            return np.where(inside, 1 / self.cutoff, 0.0)
        total = (1 / np.log2(np.arange(2, self.cutoff + 2))).sum()
        found: NDArray[np.float64] = np.where(inside, 1 / np.log2(np.maximum(ranks, 1) + 1), 0.0) / total
        return found

    def gains(self, grades: NDArray[np.float64]) -> NDArray[np.float64]:
        """What a document of each grade adds, from 0 to 1; NaN stays NaN."""
        if self.name == "P":
            return np.where(np.isnan(grades), np.nan, (grades > 0).astype(np.float64))
        return grades / HIGHEST

    def __str__(self) -> str:
        return f"{self.name}@{self.cutoff}"


def parse_measure(text: str) -> Measure:
    """``DCG@k`` or ``P@k``. Raises `UsageError`."""
    found = re.fullmatch(r"(DCG|P)@([1-9]\d{0,3})", text)
    if found is None:
        raise UsageError(f"judging looks at DCG@k or P@k, such as {MEASURE}, not {text!r:.40}")
    return Measure(found[1], int(found[2]))


@dataclass(frozen=True, slots=True)
class Pool:
    """The documents that some recipe ranks high enough, each pair of query and document once."""

    recipes: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    """Query and document, queries in their order."""
    ranks: NDArray[np.int64]
    """(recipes, pairs), from 1; 0: not among the first ``depth``."""
    query: NDArray[np.int64]
    """The number of each pair's query, (pairs,)."""
    queries: int

    def grades(self, judged: Mapping[str, Mapping[str, int]]) -> NDArray[np.float64]:
        """The grade of each pair; NaN without one."""
        found = [judged.get(query, {}).get(document, np.nan) for query, document in self.pairs]
        return np.array(found, np.float64)


def pool_of(pooled: Pooled, most: int | None = None) -> Pool:
    """The first ``most`` (None: all ranked) documents of every recipe, for every query."""
    places: dict[tuple[str, str], int] = {}
    for query in pooled.queries:
        for run in pooled.runs.values():
            for document in run.get(query, ())[:most]:
                places.setdefault((query, document), len(places))
    ranks = np.zeros((len(pooled.runs), len(places)), np.int64)
    for row, run in enumerate(pooled.runs.values()):
        for query in pooled.queries:
            for rank, document in enumerate(run.get(query, ())[:most], 1):
                at = places[query, document]
                ranks[row, at] = ranks[row, at] or rank
    number = {query: at for at, query in enumerate(pooled.queries)}
    owner = np.array([number[query] for query, _ in places], np.int64)
    return Pool(pooled.recipes, tuple(places), ranks, owner, len(pooled.queries))


class Order:
    """The recipes of ``pool`` under ``grades``, (pairs,), NaN where a pair is not judged."""

    def __init__(self, pool: Pool, measure: Measure, grades: NDArray[np.float64]) -> None:
        self.pool, self.measure, self.grades = pool, measure, grades
        self.weights = measure.weights(pool.ranks) / max(1, pool.queries)
        self.gains = measure.gains(grades)
        self.unknown = np.isnan(grades)
        first, second = np.triu_indices(len(pool.recipes), 1)
        self.first, self.second = first, second
        """The recipes of each pair of recipes."""

    # -- one recipe ----------------------------------------------------------------------------------------------------

    @cached_property
    def lower(self) -> NDArray[np.float64]:
        """What each recipe reaches at least, from 0 to 1: where nothing unjudged is relevant."""
        found: NDArray[np.float64] = self.weights[:, ~self.unknown] @ self.gains[~self.unknown]
        return found

    @cached_property
    def upper(self) -> NDArray[np.float64]:
        """What it reaches at most."""
        found: NDArray[np.float64] = self.lower + self.weights[:, self.unknown].sum(1)
        return found

    @cached_property
    def expected(self) -> NDArray[np.float64]:
        """What it is expected to reach, by the guessed gains."""
        mean, _ = self.guess
        found: NDArray[np.float64] = self.lower + self.weights[:, self.unknown] @ mean[self.unknown]
        return found

    # -- two recipes ---------------------------------------------------------------------------------------------------

    def contrast(self, at: NDArray[np.bool_]) -> NDArray[np.float64]:
        """By how much each of the documents ``at`` counts for the first of two recipes: (pairs of recipes, documents)."""
        found: NDArray[np.float64] = self.weights[self.first][:, at] - self.weights[self.second][:, at]
        return found

    @cached_property
    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The least and the greatest difference of each pair of recipes that any further judgments can lead to. Exact."""
        open_ = self.contrast(self.unknown)
        known = self.contrast(~self.unknown) @ self.gains[~self.unknown]
        return known + np.minimum(open_, 0).sum(1), known + np.maximum(open_, 0).sum(1)

    @cached_property
    def decided(self) -> NDArray[np.bool_]:
        """Whether all further judgments leave each two as they are: one certainly better, or both certainly alike.

        A recipe that ranks what another ranks and more cannot lose to it; but where nothing of the rest turns out to be
        relevant it is no better either, so that this alone decides nothing.
        """
        least, greatest = self.bounds
        return (least > _SLACK) | (greatest < -_SLACK) | ((least >= -_SLACK) & (greatest <= _SLACK))

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """How probable it is that judging the rest leaves each two as they are expected, from 0.5; 1 where it is certain.

        As of Carterette et al., with the gain of an unjudged document guessed from those judged at like ranks, and
        documents taken to be independent of each other.
        """
        mean, variance = self.guess
        open_ = self.contrast(self.unknown)
        known = self.contrast(~self.unknown) @ self.gains[~self.unknown]
        expected = known + open_ @ mean[self.unknown]
        deviation = np.sqrt((open_**2) @ variance[self.unknown])
        sure = np.array(
            [
                1.0 if done else 0.5 * (1 + math.erf(abs(e) / max(d, 1e-12) / math.sqrt(2)))
                for done, e, d in zip(self.decided, expected, deviation, strict=True)
            ]
        )
        return sure

    @cached_property
    def guess(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and variance of the gain of each document, were it judged: of those at like best ranks, and the prior."""
        spread = self.measure.gains(np.arange(HIGHEST + 1.0))
        counts = np.full(HIGHEST + 1, PRIOR / (HIGHEST + 1))
        known = self.grades[~self.unknown].astype(np.int64)
        counts = counts + np.bincount(known, minlength=HIGHEST + 1)[: HIGHEST + 1]
        overall = PRIOR * counts / counts.sum()
        ranks = np.where(self.pool.ranks > 0, self.pool.ranks, np.iinfo(np.int64).max)
        best = ranks.min(0) if len(ranks) else np.zeros(0, np.int64)
        band = np.searchsorted(np.array(BANDS), best)
        mean, variance = np.zeros(len(best)), np.zeros(len(best))
        for one in range(len(BANDS) + 1):
            here = band == one
            seen = np.bincount(self.grades[here & ~self.unknown].astype(np.int64), minlength=HIGHEST + 1)
            share = (overall + seen) / (overall + seen).sum()
            mean[here] = share @ spread
            variance[here] = share @ spread**2 - (share @ spread) ** 2
        return mean, variance

    def open_pairs(self, confidence: float) -> NDArray[np.bool_]:
        """The pairs of recipes that are not told apart yet. ``confidence``: 1 for proof; so it is before `LEAST` judgments."""
        proof = confidence >= 1 or int((~self.unknown).sum()) < LEAST
        return ~self.decided if proof else ~self.decided & (self.confidence < confidence)

    def worth(self, confidence: float) -> NDArray[np.float64]:
        """What judging each document can do for the order: 0 where it is judged or cannot matter, (documents,).

        The differences of weights between recipes not told apart yet, summed. With a single recipe there is no order: then each
        document is worth its weight, or a little.
        """
        found = np.zeros(len(self.pool.pairs))
        if len(self.pool.recipes) < 2:
            found[self.unknown] = self.weights[:, self.unknown].sum(0) + 1e-6
        else:
            pairs = self.open_pairs(confidence)
            if pairs.any():
                a, b = self.first[pairs], self.second[pairs]
                found[self.unknown] = np.abs(self.weights[a][:, self.unknown] - self.weights[b][:, self.unknown]).sum(0)
        return np.where(found > 1e-12, found, 0.0)

    def table(self) -> list[dict[str, float | str]]:
        """The recipes, the best first."""
        order = np.argsort(-self.expected, kind="stable")
        return [
            {
                "recipe": self.pool.recipes[at],
                "least": float(self.lower[at]),
                "expected": float(self.expected[at]),
                "most": float(self.upper[at]),
            }
            for at in order
        ]
