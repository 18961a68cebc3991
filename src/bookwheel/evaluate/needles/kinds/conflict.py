"""Two numbers for one key, neither of which corrects the other: both must be told.

After Xie et al., "Adaptive Chameleon or Stubborn Sloth: Unraveling the Behavior of Large Language Models in Knowledge Clashes"
(2024). In part: two pieces of evidence contradict each other here; what a model remembers is not elicited.
"""

from __future__ import annotations

import random

from .base import Hidden, Kind, NeedleTask, keys, values
from .single import sentence_for

__all__ = ["KIND"]


def make(random_: random.Random) -> NeedleTask:
    """Two sources that say different numbers."""
    (key,), (one, other) = keys(random_, 1), values(random_, 2)
    hidden = (
        Hidden(sentence_for(key, one)),
        Hidden(f"By another account, the special magic number for the {key} is {other}."),
    )
    question = f"What is the special magic number for the {key}? If the text gives different numbers, give each of them."
    return NeedleTask(hidden, question, (one, other))


KIND = Kind(
    "conflict",
    "two numbers for one key, neither a correction: both must be told",
    "Xie et al., Adaptive Chameleon or Stubborn Sloth, 2024 (conflicting evidence)",
    make,
)
