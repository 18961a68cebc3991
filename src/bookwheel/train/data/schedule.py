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
    pairs it has; of one that has fewer than its share every step takes all, and more of the others. ``hardness``: of each pair how hard
    it is; harder ones of each source come into question as the steps go on, all of them in the second half (competence; Platanios et
    al., Competence-based Curriculum Learning, NAACL 2019).
    """
    size = min(batch, len(documents))
    groups = [
        _Group(own, documents, None if hardness is None else np.asarray(hardness)[own], TRIED * min(size, len(own)), (seed, at))
        for at, own in enumerate(_groups(len(documents), domains))
    ]
    found: list[NDArray[np.int64]] = []
    while len(found) < steps:
        able = _competence(len(found) / steps)
        turn = len(found) % max(1, len(groups))  # to give one more, where a step cannot be shared evenly
        giving = groups[turn:] + groups[:turn]
        chosen: list[int] = []
        while giving and len(chosen) < size:
            each, more = divmod(size - len(chosen), len(giving))
            wanted = [each + (place < more) for place in range(len(giving))]
            given = [group.take(count, able, chosen) for group, count in zip(giving, wanted, strict=True)]
            giving = [group for group, some, count in zip(giving, given, wanted, strict=True) if len(some) == count]
        found.append(np.array(chosen, np.int64))
    return found


class _Group:
    """The pairs of one source, which wait in a drawn order; ``looked_at``: those among which other documents are looked for."""

    def __init__(
        self,
        own: NDArray[np.int64],
        documents: Sequence[int],
        hardness: NDArray[np.float64] | None,
        looked_at: int,
        seed: tuple[int, int],
    ) -> None:
        self.own, self.documents, self.looked_at, self.seed = own, documents, looked_at, seed
        self.ranks: dict[int, float] | None = None
        if hardness is not None:
            order = own[np.argsort(hardness, kind="stable")].tolist()
            self.ranks = {at: place / max(1, len(own) - 1) for place, at in enumerate(order)}
        self.waiting: list[int] = []
        self.epoch = 0

    def take(self, count: int, able: float, chosen: list[int]) -> list[int]:
        """Add ``count`` pairs to ``chosen``, which are none of it and not too hard, or as many as there are; what was added."""
        while len(usable := self._usable(able)) < self.looked_at:
            seed, group = self.seed
            self.waiting += np.random.default_rng([seed, 13, self.epoch, group]).permutation(self.own).tolist()
            self.epoch += 1
        taken = set(chosen)
        others = {self.documents[at] for at in chosen}
        some: list[int] = []
        for at in usable[: self.looked_at]:
            if len(some) < count and at not in taken and self.documents[at] not in others:
                some.append(at)
                taken.add(at)
                others.add(self.documents[at])
        # Too few documents: some come twice, and are not set against each other.
        if len(some) < count:
            some += [at for at in dict.fromkeys(usable) if at not in taken][: count - len(some)]
        chosen += some
        self._let_go(some)
        return some

    def _usable(self, able: float) -> list[int]:
        """Those waiting that are not too hard."""
        ranks = self.ranks
        return self.waiting if ranks is None else [at for at in self.waiting if ranks[at] <= able]

    def _let_go(self, some: list[int]) -> None:
        """Each of ``some`` waits once less."""
        left, kept, through = set(some), [], 0
        while left:
            at = self.waiting[through]
            through += 1
            if at in left:
                left.discard(at)
            else:
                kept.append(at)
        self.waiting[:through] = kept


def _competence(share: float) -> float:
    """The hardest rank that comes into question when that share of the steps is done."""
    return min(1.0, float(np.sqrt(EASIEST**2 + (1 - EASIEST**2) * 2 * share)))


def _groups(count: int, domains: Sequence[int] | None) -> list[NDArray[np.int64]]:
    """The pairs of each domain."""
    if domains is None:
        return [np.arange(count)]
    known = np.asarray(domains)
    return [np.flatnonzero(known == one) for one in np.unique(known)]
