"""Fits the vectors of a static model to a collection, step by step; stopped at any instant, it goes on where it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..._errors import UsageError
from ..objectives.contrast import contrast
from ..objectives.imitation import imitation
from .material import Material
from .table import Table
from .taught import Taught

__all__ = ["Fit", "FitOptions"]


FEWEST = 64
"""Pairs of a step, where there are as many."""


@dataclass(frozen=True)
class FitOptions:
    """How vectors are fitted. The defaults were chosen on Medline and on manuals (``docs/training.md``), not on judged collections."""

    epochs: float = 5.0
    """Times that each query is seen, at least."""
    least_steps: int = 150
    """Of a small collection, whose queries are then seen more often."""
    most_steps: int = 4000
    batch: int = 512
    """Pairs of a step, or a quarter of all; the others of the batch are each one's negatives."""
    rate: float = 0.005
    temperature: float = 0.05
    dropped: float = 0.3
    """The share of a query's pieces that are left out of each step, since people type few words."""
    imitated: float = 0.3
    """Weight of the teacher's objective, where there is a teacher."""
    seed: int = 0


class Fit:
    """One fit of ``table`` to ``material`` and to what a teacher taught."""

    def __init__(self, table: Table, material: Material, taught: Taught | None, options: FitOptions) -> None:
        if not len(material.queries):
            raise UsageError("no passage of the collection has a title or two sentences, so that there is nothing to train on")
        self.table, self.material, self.taught, self.options = table, material, taught, options
        count = len(material.queries)
        self.batch = min(options.batch, count, max(FEWEST, count // 4))
        self.steps = min(options.most_steps, max(options.least_steps, round(options.epochs * count / self.batch)))
        self.losses: list[float] = []
        self.rates: list[float] = []

    @property
    def done(self) -> bool:
        """Whether all steps were made."""
        return self.table.steps_of_fit >= self.steps

    def step(self) -> float:
        """One step; its loss. What is drawn depends on the seed and the number of the step alone."""
        number, options = self.table.steps_of_fit, self.options
        draw = np.random.default_rng([options.seed, 7, number])
        rate = options.rate * (1 - number / self.steps)
        loss = self._contrast(draw, rate)
        if self.taught is not None and options.imitated:
            loss += self._imitate(draw, rate)
        self.table.steps_of_fit += 1
        self.losses.append(loss)
        self.rates.append(rate)
        return loss

    def _contrast(self, draw: np.random.Generator, rate: float) -> float:
        count, options = len(self.material.queries), self.options
        chosen = self._chosen(count, self.batch)
        made = self.material.batch(chosen)
        kept = (draw.random(len(made.queries.rows)) >= options.dropped).astype(np.float32)
        queries = self.table.forward(type(made.queries)(made.queries.indptr, made.queries.rows, made.queries.counts * kept))
        answers = self.table.forward(made.answers)
        loss, by_query, by_answer = contrast(queries.units, answers.units, options.temperature, made.groups)
        self.table.step([(queries, by_query), (answers, by_answer)], rate)
        return loss

    def _chosen(self, count: int, size: int) -> NDArray[np.int64]:
        """The queries of this step: epoch after epoch in an order of its own, without holding more than one order."""
        number = self.table.steps_of_fit
        found: list[NDArray[np.int64]] = []
        at, left = number * size, size
        while left:
            epoch, place = divmod(at, count)
            some = np.random.default_rng([self.options.seed, 3, epoch]).permutation(count)[place : place + left]
            found.append(some)
            at, left = at + len(some), left - len(some)
        return np.unique(np.concatenate(found))

    def _imitate(self, draw: np.random.Generator, rate: float) -> float:
        assert self.taught is not None
        chosen = np.sort(draw.permutation(len(self.taught.bags))[: self.options.batch])
        made = self.table.forward(self.taught.bags.take(chosen))
        loss, gradient = imitation(made.units, self.taught.vectors[chosen].astype(np.float32), self.taught.targets(chosen))
        self.table.step([(made, gradient * np.float32(self.options.imitated))], rate)
        return loss

    def towards(self, start: NDArray[np.float32], share: float) -> NDArray[np.float32]:
        """The vectors (pieces, dimension) at ``share`` of the way from ``start`` to where the fit ended.

        Between start and end lie models that keep most of what each knows: Wortsman et al., Robust Fine-Tuning of Zero-Shot
        Models (CVPR 2022).
        """
        return start + np.float32(share) * (self.table.vectors - start)

    def run(self, stop: Callable[[], bool], tell: Callable[[float], None]) -> None:
        """All steps that are left, until ``stop()``; ``tell`` gets each loss."""
        while not self.done and not stop():
            tell(self.step())
