"""Queries with texts that answer them, as an encoder is trained on."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...library.passage_texts import HEAD
from ...tune.made.masking import plain_words

__all__ = ["LONGEST", "Pair", "drawn", "hardness"]

LONGEST = 4000
"""Characters of an answer that are kept: more than the tokens that are trained on."""
assert LONGEST <= HEAD


@dataclass(frozen=True, slots=True)
class Pair:
    """A query, and a text that answers it."""

    query: str
    answer: str
    document: int
    """The number of the answer's document in the library; below 0 where it is of none. Equal ones are not each other's negatives."""
    domain: int = 0
    """The number of the source that it is from."""


def hardness(pairs: Sequence[Pair]) -> NDArray[np.float64]:
    """The rank of each pair from 0, the easiest, to 1: by the share of the query's words that its answer lacks."""
    lacking = []
    for pair in pairs:
        asked, told = set(plain_words(pair.query).split()), set(plain_words(pair.answer).split())
        lacking.append(len(asked - told) / max(1, len(asked)))
    ranks = np.empty(len(pairs))
    ranks[np.argsort(lacking, kind="stable")] = np.arange(len(pairs)) / max(1, len(pairs) - 1)
    return ranks


def drawn(pairs: Iterable[Pair], most: int, seed: int, advance: Callable[[int], None] = lambda _: None) -> list[Pair]:
    """At most ``most`` of ``pairs``, drawn with ``seed``: of each domain as many; what one lacks, the others have more.

    So it is of any first ones of them, too: where time is short, a domain with few pairs keeps those. Within a domain pairs are drawn
    evenly. No more are held than are kept.
    """
    draw = random.Random(f"pairs {seed}")
    kept: dict[int, list[tuple[float, int, Pair]]] = {}
    for number, pair in enumerate(pairs):
        own = kept.setdefault(pair.domain, [])
        heapq.heappush(own, (-draw.random(), number, pair))
        if sum(map(len, kept.values())) > most:
            largest = max(kept.values(), key=len)
            heapq.heappop(own if len(own) == len(largest) else largest)
        advance(1)
    ordered = [(place, one) for own in kept.values() for place, one in enumerate(sorted(own, reverse=True))]
    return [pair for _, (_, _, pair) in sorted(ordered, key=lambda row: (row[0], -row[1][0]))]
