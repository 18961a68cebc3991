"""Queries with texts that answer them, as an encoder is trained on."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ...library.passage_texts import HEAD

__all__ = ["LONGEST", "Pair", "drawn"]

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


def drawn(pairs: Iterable[Pair], most: int, seed: int, advance: Callable[[int], None] = lambda _: None) -> list[Pair]:
    """At most ``most`` of ``pairs``, drawn evenly and in an order drawn with ``seed``; never many more are held."""
    draw = random.Random(f"pairs {seed}")
    kept: list[tuple[float, int, Pair]] = []
    for number, pair in enumerate(pairs):
        one = (-draw.random(), number, pair)
        if len(kept) < most:
            heapq.heappush(kept, one)
        else:
            heapq.heappushpop(kept, one)
        advance(1)
    return [pair for _, _, pair in sorted(kept, reverse=True)]
