"""Where is it now? A thing is moved several times, and the last place counts."""

from __future__ import annotations

import random

from .base import Hidden, Kind, NeedleTask, keys, values

__all__ = ["KIND"]

MOVES = 3
OTHERS = 2
"""Moves of another thing."""


def make(random_: random.Random) -> NeedleTask:
    """Moves of two things, in the order in which they happen."""
    (own, other), places = keys(random_, 2), values(random_, MOVES + OTHERS, 5)
    hidden = [Hidden(f"Then the {own} was carried to shelf {place}.", place == places[MOVES - 1]) for place in places[:MOVES]]
    for place in places[MOVES:]:
        hidden.insert(random_.randrange(MOVES), Hidden(f"Then the {other} was carried to shelf {place}.", False))
    question = f"Things in this text are carried from shelf to shelf. To which shelf was the {own} carried last?"
    return NeedleTask(tuple(hidden), question, (places[MOVES - 1],), tuple(places[: MOVES - 1] + places[MOVES:]), ordered=True)


KIND = Kind(
    "moves",
    f"the last of {MOVES} places of a thing, among moves of another",
    "Kuratov et al., BABILong, 2024 (one supporting fact; Weston et al., bAbI, 2015)",
    make,
)
