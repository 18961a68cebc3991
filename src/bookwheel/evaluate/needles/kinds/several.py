"""Several numbers under several keys, all of them asked for."""

from __future__ import annotations

import random

from .base import Hidden, Kind, NeedleTask, keys, values
from .single import sentence_for

__all__ = ["KIND"]

COUNT = 4


def make(random_: random.Random) -> NeedleTask:
    """Four keys, each with its number."""
    names, numbers = keys(random_, COUNT), values(random_, COUNT)
    hidden = tuple(Hidden(sentence_for(key, value)) for key, value in zip(names, numbers, strict=True))
    listed = f"{', '.join(f'the {name}' for name in names[:-1])} and the {names[-1]}"
    return NeedleTask(hidden, f"What are the special magic numbers for {listed}? Give all {COUNT} numbers.", tuple(numbers))


KIND = Kind(
    "several",
    f"{COUNT} numbers under {COUNT} keys, all asked for",
    "Hsieh et al., RULER, 2024 (niah_multiquery); Roberts, Han and Albanie, Needle Threading, 2024 (multiple needles)",
    make,
)
