"""Two numbers for one key, of which the later sentence says that it corrects the earlier one: the later wins."""

from __future__ import annotations

import random

from .base import Hidden, Kind, NeedleTask, keys, values
from .single import sentence_for

__all__ = ["KIND"]


def make(random_: random.Random) -> NeedleTask:
    """A number, and further on the correction."""
    (key,), (old, new) = keys(random_, 1), values(random_, 2)
    hidden = (
        Hidden(sentence_for(key, old), False),
        Hidden(f"Correction: the special magic number for the {key} has changed and is now {new}."),
    )
    return NeedleTask(hidden, f"What is the special magic number for the {key} now?", (new,), (old,), ordered=True)


KIND = Kind(
    "correction",
    "two numbers for one key, the later one a correction: only the later is right",
    "Xie et al., Adaptive Chameleon or Stubborn Sloth, 2024 (conflicting evidence)",
    make,
)
