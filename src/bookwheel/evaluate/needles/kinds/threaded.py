"""A thread: each needle gives the key of the next one, the last one a number.

After Roberts, Han and Albanie, "Needle Threading: Can LLMs Follow Threads through Near-Million-Scale Haystacks?" (2024); its single and
multiple needles are `single` and `several`.
"""

from __future__ import annotations

import itertools
import random

from .base import Hidden, Kind, NeedleTask, keys, values
from .single import sentence_for

__all__ = ["KIND"]

STEPS = 3
"""Sentences to follow, the last one included."""
THREADS = 2
"""Threads that begin elsewhere, and end in another number, beside the one that is asked for."""


def make(random_: random.Random) -> NeedleTask:
    """The thread that is asked for last, so that its number stands at the depth."""
    names, numbers = keys(random_, STEPS * (THREADS + 1)), values(random_, THREADS + 1)
    hidden: list[Hidden] = []
    for thread in range(THREADS, -1, -1):
        own = names[thread * STEPS : (thread + 1) * STEPS]
        hidden += [
            Hidden(f"The sign on the {one} points to the {next_}.", thread == 0) for one, next_ in itertools.pairwise(own)
        ]
        hidden.append(Hidden(sentence_for(own[-1], numbers[thread]), thread == 0))
    question = (
        f"Begin at the {names[0]} and follow the signs, from each thing to the one that its sign points to, until there is no "
        "sign any more. What is the special magic number for the last thing?"
    )
    return NeedleTask(tuple(hidden), question, (numbers[0],), tuple(numbers[1:]))


KIND = Kind(
    "threaded",
    f"a chain of {STEPS} keys to follow to a number, among {THREADS} other chains",
    "Roberts, Han and Albanie, Needle Threading, 2024 (threads)",
    make,
)
