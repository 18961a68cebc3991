"""Strengths of systems from matches between two of them, with an interval.

Bradley and Terry, "Rank Analysis of Incomplete Block Designs" (1952), a tie counting as half a win for each; fitted by Hunter, "MM
Algorithms for Generalized Bradley-Terry Models" (2004). Half a match, tied, is added between every two systems, so that one that
always wins is not infinitely strong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Match", "strengths", "strengths_with_interval"]

ROUNDS = 200
DRAWS = 500
PRIOR = 0.5


@dataclass(frozen=True, slots=True)
class Match:
    """Two systems on one question."""

    question: int
    first: int
    second: int
    score: float
    """1: the first is better; 0: the second; 0.5: neither."""


def strengths(wins: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithm of each system's strength, their mean 0: from (…, n, n) wins of the row over the column, to (…, n).

    That i beats j has the probability 1 / (1 + exp(s[j] - s[i])).
    """
    n = wins.shape[-1]
    wins = wins + PRIOR / 2 * (1 - np.eye(n))
    games = wins + np.swapaxes(wins, -1, -2)
    power = np.ones(wins.shape[:-1])
    for _ in range(ROUNDS):
        before = power
        power = wins.sum(-1) / (games / (power[..., :, None] + power[..., None, :])).sum(-1)
        power /= np.exp(np.log(power).mean(-1, keepdims=True))
        if np.abs(power - before).max(initial=0.0) < 1e-12:
            break
    found: NDArray[np.float64] = np.log(power)
    return found


def strengths_with_interval(
    matches: Sequence[Match], systems: int, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Strengths, (n,), and the 2.5th and 97.5th percentile of them, (2, n), where questions are drawn anew."""
    place = {question: at for at, question in enumerate(sorted({one.question for one in matches}))}
    wins = np.zeros((len(place), systems, systems))
    for one in matches:
        wins[place[one.question], one.first, one.second] += one.score
        wins[place[one.question], one.second, one.first] += 1 - one.score
    if not place:
        return np.zeros(systems), np.zeros((2, systems))
    counts = np.random.default_rng(seed).multinomial(len(place), np.full(len(place), 1 / len(place)), DRAWS)
    drawn = strengths(np.tensordot(counts.astype(np.float64), wins, 1))
    return strengths(wins.sum(0)), np.quantile(drawn, [0.025, 0.975], axis=0)
