"""Variable tracking: which variables have a value, through assignments of one variable to another."""

from __future__ import annotations

import itertools
import random
import string

from .base import Hidden, Kind, NeedleTask, values

__all__ = ["KIND"]

HOPS = 3
OTHERS = 1
"""Chains with another value."""


def make(random_: random.Random) -> NeedleTask:
    """One chain of assignments that is asked for, and others."""
    names: dict[str, None] = {}
    while len(names) < (HOPS + 1) * (OTHERS + 1):
        names["".join(random_.choices(string.ascii_uppercase, k=5))] = None
    every, numbers = list(names), values(random_, OTHERS + 1, 5)
    hidden: list[Hidden] = []
    for chain in range(OTHERS, -1, -1):
        own = every[chain * (HOPS + 1) : (chain + 1) * (HOPS + 1)]
        hidden.append(Hidden(f"VAR {own[0]} = {numbers[chain]}.", chain == 0))
        hidden += [Hidden(f"VAR {right} = VAR {left}.", chain == 0) for left, right in itertools.pairwise(own)]
    question = (
        f"Find all variables that are assigned the value {numbers[0]}, directly or through another variable. "
        f"There are {HOPS + 1} of them; give their names."
    )
    return NeedleTask(tuple(hidden), question, tuple(every[: HOPS + 1]), tuple(every[HOPS + 1 :]), ordered=True)


KIND = Kind(
    "variables",
    f"the {HOPS + 1} variables that have a value through {HOPS} assignments, among those of another value",
    "Hsieh et al., RULER, 2024 (variable tracking)",
    make,
)
