"""Which pairs a step takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["schedule"]

TRIED = 4
"""Batches' worth of pairs among which those of different documents are looked for."""
EASIEST = 0.25
"""The share of the pairs that come into question at first where easy ones come first."""


def schedule(
    documents: Sequence[int],
    batch: int,
    steps: int,
    seed: int,
    *,
    domains: Sequence[int] | None = None,
    hardness: Sequence[float] | NDArray[np.float64] | None = None,
) -> list[NDArray[np.int64]]:
    """The pairs of each step, by number, in an order that is new each time through; of a document one a step, if it can be.

    ``domains``: of each pair the number of the source that it is from, each of which has the same share of every step, however many
    pairs it has. ``hardness``: of each pair its rank from 0 (easy) to 1; harder ones come into question as the steps go on, all of
    them in the second half (competence; Platanios et al., Competence-based Curriculum Learning, NAACL 2019).
    """
    found: list[NDArray[np.int64]] = []
    waiting: list[int] = []
    epoch = 0
    size = min(batch, len(documents))
    groups = _groups(len(documents), domains)
    while len(found) < steps:
        able = 1.0 if hardness is None else _competence(len(found) / steps)

        while len(usable := _within(waiting, hardness, able)) < TRIED * size:
            waiting += _order(groups, np.random.default_rng([seed, 13, epoch]))
            epoch += 1
        chosen: dict[int, int] = {}
        for at in usable[: TRIED * size]:
            if len(chosen) < size:
                chosen.setdefault(documents[at], at)
        own = list(chosen.values())
        taken = set(own)
        # Too few documents: some come twice, and are not set against each other.
        own += [at for at in dict.fromkeys(usable[: TRIED * size]) if at not in taken][: size - len(own)]
        taken = set(own)
        rest, waiting = waiting, []
        for at in rest:
            if at in taken:
                taken.discard(at)
            else:
                waiting.append(at)
        found.append(np.array(own, np.int64))
    return found


def _within(waiting: list[int], hardness: Sequence[float] | NDArray[np.float64] | None, able: float) -> list[int]:
    """Those that are not too hard."""
    return waiting if hardness is None else [at for at in waiting if hardness[at] <= able]


def _competence(share: float) -> float:
    """The hardest rank that comes into question when that share of the steps is done."""
    return min(1.0, float(np.sqrt(EASIEST**2 + (1 - EASIEST**2) * 2 * share)))


def _groups(count: int, domains: Sequence[int] | None) -> list[NDArray[np.int64]]:
    """The pairs of each domain."""
    if domains is None:
        return [np.arange(count)]
    known = np.asarray(domains)
    return [np.flatnonzero(known == one) for one in np.unique(known)]


def _order(groups: Sequence[NDArray[np.int64]], draw: np.random.Generator) -> list[int]:
    """All pairs in a drawn order, those of the groups in turn; of smaller groups some come again until the largest is through."""
    longest = max(map(len, groups))
    rows = [np.concatenate([draw.permutation(own) for _ in range(-(-longest // len(own)))])[:longest] for own in groups]
    order: list[int] = np.stack(rows, 1).ravel().tolist()
    return order
