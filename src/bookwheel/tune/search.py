"""The search over designs: axis after axis, each by successive halving, and no change that does not earn its place.

Successive halving: Karnin, Koren and Somekh, "Almost Optimal Exploration in Multi-Armed Bandits" (ICML 2013); Jamieson and
Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization" (AISTATS 2016). All contenders are compared on
the same queries, a few at first; the better half goes on to twice as many. The one-standard-error rule is that of Breiman,
Friedman, Olshen and Stone, "Classification and Regression Trees" (1984): a change counts only where it gains more than the
standard error of the gain, over the same queries; and more than that where many contended, since the best of many is good by luck
(`luck`). On grids (weights, k1 and b) a point is judged together with its neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import NormalDist
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..kernels.bm25 import Bm25
from .design import Design, even
from .scores import Scorer
from .space import K1, B, Space

__all__ = ["Search", "luck", "standard_error"]

FIRST = 32
"""The queries of the first round, at least; an eighth of all where that is more."""
GRID = 200
"""The queries that the grid of k1 and b is judged by; its best is then judged by all."""
SURVIVORS = 3
SMOOTH = 3
"""A grid counts as so many contenders: its points are much alike, and judged with their neighbours."""

Allowed = Callable[[Design], bool]
Place = TypeVar("Place", bound=tuple[int, ...])


def standard_error(differences: NDArray[np.float64]) -> float:
    """Of their mean; 0 for fewer than two."""
    return float(differences.std(ddof=1) / math.sqrt(len(differences))) if len(differences) > 1 else 0.0


def luck(contenders: int) -> float:
    """How many standard errors the best of so many contenders is above the mean by luck alone, and at least 1.

    The expected largest of n draws of a normal distribution, by Blom's approximation ("Statistical Estimates and Transformed
    Beta-Variables", 1958).
    """
    return max(1.0, NormalDist().inv_cdf((contenders - 0.375) / (contenders + 0.25)))


class Search:
    """Finds the best design for the queries at ``places``, beginning with ``start``. `best` is the best so far, at any time.

    ``allowed``: whether a design keeps the limits. The same arguments give the same result. Raises `OutOfTime`.
    """

    def __init__(
        self, scorer: Scorer, space: Space, start: Design, places: NDArray[np.int64], allowed: Allowed, seed: int = 0
    ) -> None:
        self.scorer = scorer
        self.space = space
        self.best = start
        self.places = np.random.default_rng(seed).permutation(places)
        self.allowed = allowed

    def run(self) -> Design:
        """The best design."""
        self._retrievers()
        self._bm25()
        self._weights()
        self._stages("rewrite", self.space.rewriting())
        self._stages("feedback", self.space.feedback(self.best.parts))
        self._stages("rerank", self.space.reranking())
        if self.best.feedback is not None or self.best.rerank is not None:
            self._weights()
        if len(self.best.parts) > 1 or self.best.rerank is not None:
            self._stages("candidates", self.space.candidates())
        return self.best

    # -- axes ----------------------------------------------------------------------------------------------------------

    def _retrievers(self) -> None:
        """Which retrievers: each family with a few weights and normalisations, then the best few with all."""
        contenders = []
        for parts in self.space.families():
            for weights in self._few(len(parts)):
                for by in [*self.space.normalisations()[-1:], self.best.by] if len(parts) > 1 else [self.best.by]:
                    contenders.append(self.best.change(parts=parts, weights=weights, by=by))
        contenders = self._unique(contenders)
        ranked = self.halving(contenders, most=6)
        families = list(dict.fromkeys(design.parts for design in [*ranked, self.best]))[:3]
        grids = [self._best_weights(self.best.change(parts=parts, weights=even(len(parts)))) for parts in families]
        self.adopt([design for design in grids if design is not None], len(self.space.families()))

    def _few(self, parts: int) -> list[tuple[int, ...]]:
        found = [even(parts)]
        if parts > 1:
            found += [tuple(2 if at == heavy else 1 for at in range(parts)) for heavy in range(parts)]
        return found

    def _best_weights(self, design: Design) -> Design | None:
        """The design with the best weights and normalisation, judged with their neighbours; None where none is allowed."""
        if len(design.parts) == 1:
            return design if self.allowed(design) else None
        found: list[tuple[float, Design]] = []
        for by in self.space.normalisations():
            designs = [design.change(weights=weights, by=by) for weights in self.space.weights(len(design.parts))]
            if not self.allowed(designs[0]):
                continue
            means = {one.weights: self.mean(one) for one in designs}
            found += [(_smooth(means, one.weights, _one_step_apart), one) for one in designs]
        return max(found, key=lambda pair: pair[0])[1] if found else None

    def _weights(self) -> None:
        if len(self.best.parts) > 1:
            self.adopt([self.best.change(weights=weights) for weights in self.space.finer(self.best.weights)], SMOOTH)

    def _bm25(self) -> None:
        if "bm25" not in self.best.parts:
            return
        grid = self.space.bm25()
        some = self.places[:GRID]
        means = {}
        for one in grid:
            trial = self.best.change(bm25=one).trial
            means[K1.index(one.k1), B.index(one.b)] = float(self.scorer.scores(trial, some).mean())
        at = max(means, key=lambda place: _smooth(means, place, _beside))
        self.adopt([self.best.change(bm25=Bm25(K1[at[0]], B[at[1]]))], SMOOTH)

    def _stages(self, axis: str, choices: Iterable[object]) -> None:
        designs = [self.best.change(**{axis: choice}) for choice in choices]
        self.adopt(self.halving(designs), len(designs))

    # -- comparing -----------------------------------------------------------------------------------------------------

    def mean(self, design: Design) -> float:
        """The mean over all queries of this search."""
        return float(self.scorer.scores(design.trial, self.places).mean())

    def halving(self, designs: Sequence[Design], most: int = SURVIVORS) -> list[Design]:
        """The ``most`` best of ``designs``, best first; the last of them were compared on all queries."""
        contenders = [design for design in self._unique(designs) if self.allowed(design)]
        size = min(len(self.places), max(FIRST, len(self.places) // 8))
        while True:
            some = self.places[:size]
            means = {design: float(self.scorer.scores(design.trial, some).mean()) for design in contenders}
            contenders.sort(key=lambda design: -means[design])  # stable: of equals the one named first
            if size == len(self.places):
                return contenders[:most]
            contenders = contenders[: max(most, (len(contenders) + 1) // 2)]
            size = min(len(self.places), 2 * size)

    def adopt(self, designs: Sequence[Design], contenders: int) -> None:
        """Take the best of ``designs``, which was the best of so many ``contenders``, where its gain over the best so far is more
        than the standard error of the gain times `luck`.
        """
        usable = [design for design in self._unique(designs) if self.allowed(design)]
        if not usable:
            return
        chosen = max(usable, key=self.mean)
        if not self.allowed(self.best):
            self.best = chosen
            return
        gain = self.scorer.scores(chosen.trial, self.places) - self.scorer.scores(self.best.trial, self.places)
        if gain.mean() > luck(contenders) * standard_error(gain) + 1e-9:
            self.best = chosen

    @staticmethod
    def _unique(designs: Iterable[Design]) -> list[Design]:
        return list({design.trial.key: design for design in reversed(list(designs))}.values())[::-1]


def _smooth(means: Mapping[Place, float], place: Place, near: Callable[[Place, Place], bool]) -> float:
    """A point's mean and that of its neighbours, half and half: a lone peak is more likely to be noise than a plateau is."""
    around = [mean for other, mean in means.items() if near(place, other)]
    return 0.5 * means[place] + 0.5 * (sum(around) / len(around) if around else means[place])


def _one_step_apart(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) == 2


def _beside(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return one != other and all(abs(a - b) <= 1 for a, b in zip(one, other, strict=True))
