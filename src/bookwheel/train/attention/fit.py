"""Weights of attention heads, fitted so that an answer gets more of the query's attention than the other passages of its list.

The loss is BlockRank's, Gupta et al., "Scalable In-context Ranking with Generative Models" (2025): contrast (InfoNCE) between the
attention that the query's tokens pay to the answer and to the other passages. In part: the model stays as it is, and what is fitted is
how much each of its heads counts, which is convex and takes one reading of each list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Fit", "fitted", "loss_of", "pulled"]

PULLS = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
"""How strongly weights are drawn to nothing, as shares of the pull at which all of them are nothing."""
PARTS = 5
"""That lists are cut into, to choose among them."""
ROUNDS = 2000
CLOSE = 1e-10
"""Of the objective: changes below it end the search."""
LEAST = 0.01
"""Of the largest weight: heads with less are left out."""


@dataclass(frozen=True)
class Fit:
    """``weights`` float64 (heads,), not below 0; ``pull`` as chosen; ``loss``: of each pull on lists left out, (pulls,)."""

    weights: NDArray[np.float64]
    pull: float
    losses: tuple[float, ...]


def loss_of(weights: NDArray[np.float64], tables: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """The mean cross-entropy of the answers, in nats, and its gradient (heads,).

    ``tables``: what each head gives each passage of each list, the answer first, (lists, heads, passages).
    """
    scores = np.einsum("h,lhp->lp", weights, tables)
    scores -= scores.max(1, keepdims=True)
    shares = np.exp(scores)
    total = shares.sum(1, keepdims=True)
    shares /= total
    loss = float((np.log(total[:, 0]) - scores[:, 0]).mean())
    shares[:, 0] -= 1
    return loss, np.einsum("lp,lhp->h", shares, tables) / len(tables)


def pulled(tables: NDArray[np.float64], pull: float, start: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """The weights, not below 0, for which `loss_of` plus ``pull`` times their sum is least, float64 (heads,).

    By accelerated proximal gradient with steps that are halved where they go too far (Beck and Teboulle, A Fast Iterative
    Shrinkage-Thresholding Algorithm, 2009), begun anew where it no longer goes down.
    """
    weights = np.zeros(tables.shape[1]) if start is None else start.copy()
    ahead, momentum, step = weights, 1.0, 1.0
    before = np.inf
    for _ in range(ROUNDS):
        loss, gradient = loss_of(ahead, tables)
        while True:
            new = np.maximum(ahead - step * (gradient + pull), 0)
            moved = new - ahead
            there = loss_of(new, tables)[0]
            if there <= loss + gradient @ moved + moved @ moved / (2 * step) + 1e-12 or step < 1e-12:
                break
            step /= 2
        goal = there + pull * new.sum()
        if goal > before:
            if momentum == 1.0:
                break
            ahead, momentum = weights, 1.0
            continue
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead, momentum = new + (momentum - 1) / following * (new - weights), following
        weights, done, before = new, before - goal < CLOSE * max(1.0, goal), goal
        if done:
            break
        step *= 1.1
    return weights


def fitted(tables: NDArray[np.float64], groups: Sequence[int]) -> Fit:
    """The weights, with the pull that is best for lists that were left out; ``groups``: lists of one group are left out together.

    ``tables`` as for `loss_of`. All weights are 0 where no pull makes them better than nothing.
    """
    most = float(np.max(-loss_of(np.zeros(tables.shape[1]), tables)[1]))
    if most <= 0:
        return Fit(np.zeros(tables.shape[1]), 1.0, ())
    names = np.unique(groups)
    part = np.searchsorted(names, groups) % PARTS
    losses = np.zeros(len(PULLS))
    for one in np.unique(part):
        inside, outside = tables[part != one], tables[part == one]
        weights: NDArray[np.float64] | None = None
        for at, share in enumerate(PULLS):  # from few heads to many, each beginning where the one before ended
            weights = pulled(inside, share * most, weights) if len(inside) else np.zeros(tables.shape[1])
            losses[at] += loss_of(weights, outside)[0] * len(outside) / len(tables)
    best = int(np.argmin(losses))
    weights = None
    for share in PULLS[: best + 1]:
        weights = pulled(tables, share * most, weights)
    assert weights is not None
    weights[weights < LEAST * weights.max()] = 0
    return Fit(weights, PULLS[best], tuple(losses.tolist()))
