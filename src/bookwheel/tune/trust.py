"""How far made judgments can be trusted to order recipes, estimated without any real ones.

Judgments made automatically order systems well on some collections and badly on others (Soboroff, Nicholas and Cahan, "Ranking
Retrieval Systems without Relevance Judgments", SIGIR 2001; Azzopardi, de Rijke and Balog, SIGIR 2007), so that what they say is
worth no more than its measured reliability: the tau of disjoint halves of the queries (Sanderson and Zobel, "Information Retrieval
System Evaluation: Effort, Sensitivity, and Reliability", SIGIR 2005), stepped up to all of them (Spearman, 1910; Brown, 1910), the
agreement between ways of making queries that share no words, and the smallest difference that the queries could show (Sakai,
"Statistical Significance, Power, and Sample Sizes", SIGIR 2016).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._errors import UsageError
from ..evaluate.agreement import kendall_tau

__all__ = ["LEAST_QUERIES", "LEAST_TAU", "Trust", "trust"]

LEAST_TAU = 0.6
"""The expected tau below which made judgments decide nothing."""
LEAST_QUERIES = 50
SPLITS = 50
VALIDITY = 0.9
"""The correlation of what a way measures with what people judge, without noise, where only one way could be tried."""
MOST_RIVALS = 1 / 3
"""The share of queries with a better answer than theirs (`reliability.rivals`) above which they decide nothing. It was 0.11 to 0.35
where made queries ordered recipes as people do, and 0.5 in a collection on one narrow subject, where they did not.
"""
_POWER = 1.96 + 0.8416
"""Standard errors of a difference that is found with probability 0.8 at the 5 % level."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What is known of judgments from the scores that they give to recipes."""

    queries: int
    recipes: int
    tau: float
    """Kendall's tau that is to be expected between their order of the recipes and the order by people's judgments.

    NaN where nothing can be said of it: with too few queries, or more `rivals` than `MOST_RIVALS`, since the answers that count
    then are not what the queries ask for, however well their halves agree.
    """
    split_half: float
    """Mean tau of the orders by two disjoint halves of the queries; NaN where there are too few."""
    interval: tuple[float, float]
    """95 of 100 splits have it between."""
    agreement: float | None
    """Mean tau of the orders by the queries of two ways, of ways with enough queries; None where there is one such way."""
    detectable: float
    """The smallest difference of the best recipe from another that these queries would show."""
    spread: float
    """The difference of the best recipe from the median one."""
    refusal: str
    """Why nothing may be decided by them, in a sentence; "" where something may."""
    by_way: dict[str, float] = field(default_factory=dict)
    """Of each way its split-half tau."""
    rivals: float | None = None
    """The share of queries that another document answers better by words and by vectors alike; None where that is not known."""

    @property
    def reliable(self) -> bool:
        """Whether recipes may be chosen by these judgments."""
        return not self.refusal

    def to_dict(self) -> dict[str, Any]:
        """For JSON; None for what is not defined."""

        def plain(value: Any) -> Any:
            if isinstance(value, float):
                return round(value, 4) if math.isfinite(value) else None
            return [plain(one) for one in value] if isinstance(value, tuple) else value

        found = {name: plain(getattr(self, name)) for name in self.__slots__ if name != "by_way"}
        return {**found, "by_way": {name: plain(value) for name, value in self.by_way.items()}, "reliable": self.reliable}

    def __str__(self) -> str:
        if self.refusal:
            return self.refusal
        return (
            f"{self.queries:,} made queries order {self.recipes} recipes with an expected tau of {self.tau:.2f} to the order by "
            f"people's judgments (split-half tau {self.split_half:.2f}); differences above {self.detectable:.3f} can be told"
        )


def trust(scores: ArrayLike, ways: Sequence[str] | None = None, *, rivals: float | None = None, seed: int = 0) -> Trust:
    """How far to trust judgments by which recipes got ``scores``, shape (recipes, queries).

    ``ways``: of each query the way in which it was made. ``rivals``: see `reliability.rivals`. Raises `UsageError` for shapes that
    do not fit.
    """
    values = np.asarray(scores, np.float64)
    if values.ndim != 2 or (ways is not None and len(ways) != values.shape[1]):
        raise UsageError(f"trust needs scores of shape (recipes, queries) and a way for each query, not {values.shape}")
    recipes, queries = values.shape
    halves = _halves(values, seed)
    split = float(np.mean(halves)) if len(halves) else math.nan
    low, high = np.quantile(halves, [0.025, 0.975]).tolist() if len(halves) else (math.nan, math.nan)
    detectable, spread = _differences(values)
    by_way, agreement, validity = _ways(values, ways, seed)
    tau = _tau(math.sqrt(max(0.0, _stepped(split))) * validity) if not math.isnan(split) else math.nan
    if rivals is not None and rivals > MOST_RIVALS:
        tau = math.nan
    refusal = _refusal(queries, recipes, tau, split, agreement, detectable, spread, rivals)
    return Trust(queries, recipes, tau, split, (low, high), agreement, detectable, spread, refusal, by_way, rivals)


def _halves(values: NDArray[np.float64], seed: int) -> list[float]:
    """Taus of the orders by two disjoint halves of the queries."""
    recipes, queries = values.shape
    if queries < 4 or recipes < 3:
        return []
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(SPLITS):
        drawn = rng.permutation(queries)
        first, second = drawn[: queries // 2], drawn[queries // 2 : 2 * (queries // 2)]
        tau = kendall_tau(values[:, first].mean(axis=1), values[:, second].mean(axis=1))
        found.append(0.0 if math.isnan(tau) else tau)
    return found


def _stepped(tau: float) -> float:
    """The correlation of scores by all queries with those by as many others, from the tau of halves (Spearman and Brown)."""
    half = math.sin(math.pi / 2 * tau)
    return 2 * half / (1 + half) if half > 0 else half


def _tau(correlation: float) -> float:
    """Tau of normal scores with this correlation (Greiner's relation)."""
    return 2 / math.pi * math.asin(max(-1.0, min(1.0, correlation)))


def _differences(values: NDArray[np.float64]) -> tuple[float, float]:
    """The smallest difference from the best recipe that can be told, and that of the median recipe."""
    recipes, queries = values.shape
    if queries < 2 or recipes < 2:
        return math.inf, 0.0
    means = values.mean(axis=1)
    best = int(means.argmax())
    others = np.delete(values, best, axis=0)
    deviation = float(np.median((values[best] - others).std(axis=1, ddof=1)))
    return _POWER * deviation / math.sqrt(queries), float(means[best] - np.median(means))


def _ways(values: NDArray[np.float64], ways: Sequence[str] | None, seed: int) -> tuple[dict[str, float], float | None, float]:
    """Split-half tau of each way with enough queries, their mean agreement, and the validity that follows."""
    labels = np.array(list(ways) if ways is not None else [])
    names = [name for name in dict.fromkeys(labels.tolist()) if (labels == name).sum() >= LEAST_QUERIES]
    parts = {name: values[:, labels == name] for name in names}
    by_way = {name: float(np.mean(_halves(part, seed) or [math.nan])) for name, part in parts.items()}
    if len(names) < 2:
        return by_way, None, VALIDITY
    taus, corrected = [], []
    for one, other in combinations(names, 2):
        tau = kendall_tau(parts[one].mean(axis=1), parts[other].mean(axis=1))
        taus.append(0.0 if math.isnan(tau) else tau)
        noise = math.sqrt(max(0.01, _stepped(by_way[one])) * max(0.01, _stepped(by_way[other])))
        corrected.append(min(1.0, max(0.0, math.sin(math.pi / 2 * taus[-1]) / noise)))
    # What two ways have in common is what both share with the truth: the product of their validities.
    return by_way, float(np.mean(taus)), min(VALIDITY, math.sqrt(float(np.mean(corrected))))


def _refusal(
    queries: int,
    recipes: int,
    tau: float,
    split: float,
    agreement: float | None,
    detectable: float,
    spread: float,
    rivals: float | None,
) -> str:
    """The sentence by which nothing is decided; "" where something may be."""
    judge = "judge some results by hand with `bookwheel judge`, or give judgments"
    if queries < LEAST_QUERIES:
        return f"{queries} made {'query is' if queries == 1 else 'queries are'} too few to choose by ({LEAST_QUERIES} are needed); {judge}"
    if recipes < 3:
        return f"the reliability of made queries shows only with three recipes or more, not {recipes}; compare more, or {judge}"
    if rivals is not None and rivals > MOST_RIVALS:
        return (
            f"the made queries have more answers than are known: for {rivals:.0%} of them, above {MOST_RIVALS:.0%}, another document fits "
            f"better by words and by vectors alike, so that the order of recipes cannot be trusted; {judge}"
        )
    if math.isnan(tau) or tau < LEAST_TAU:
        between = "" if agreement is None else f", of different ways {agreement:.2f}"
        return (
            f"the made queries cannot order these recipes: the tau to be expected with people's judgments is {max(0.0, tau):.2f}, below "
            f"{LEAST_TAU:g} (two halves of the queries agree with {split:.2f}{between}; differences below {detectable:.3f} cannot be "
            f"told, and the best recipe is {spread:.3f} above the median); make more queries, or {judge}"
        )
    return ""
