"""A number that only several facts together give: person, team, room, telephone.

After Welbl, Stenetorp and Riedel, "Constructing Datasets for Multi-hop Reading Comprehension Across Documents" (2018): the facts stand
in different places and are linked by what they name; candidates that the same links lead to are among them.
"""

from __future__ import annotations

import random

from .base import Hidden, Kind, NeedleTask, keys, values

__all__ = ["KIND"]

OTHERS = 2
_NAMES = "Ada Boris Clara Dmitri Elena Farid Greta Hiro Ingrid Jonas Keiko Lorenzo Mira Nadia Oskar Priya Quentin Rosa Stefan".split()  # noqa: SIM905


def make(random_: random.Random) -> NeedleTask:
    """Three facts that lead to the number, and as many about two other people."""
    people = random_.sample(_NAMES, OTHERS + 1)
    teams, numbers, rooms = keys(random_, OTHERS + 1), values(random_, OTHERS + 1), values(random_, OTHERS + 1, 4)
    hidden: list[Hidden] = []
    for at in range(OTHERS, -1, -1):
        hidden += [
            Hidden(f"{people[at]} works in the team called {teams[at].title()}.", at == 0),
            Hidden(f"The team called {teams[at].title()} meets in room {rooms[at]}.", at == 0),
            Hidden(f"The telephone in room {rooms[at]} has the number {numbers[at]}.", at == 0),
        ]
    question = f"Which number has the telephone in the room in which {people[0]}'s team meets?"
    return NeedleTask(tuple(hidden), question, (numbers[0],), tuple(numbers[1:]))


KIND = Kind(
    "facts",
    "a number that three facts in different places give together, among facts about others",
    "Kuratov et al., BABILong, 2024 (supporting facts); Welbl, Stenetorp and Riedel, Constructing Datasets for Multi-hop Reading "
    "Comprehension Across Documents, 2018",
    make,
)
