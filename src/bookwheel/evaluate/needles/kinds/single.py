"""One number, hidden once."""

from __future__ import annotations

import random

from .base import Hidden, Kind, NeedleTask, keys, values

__all__ = ["KIND", "question_for", "sentence_for"]


def sentence_for(key: str, value: str) -> str:
    """The sentence that hides ``value`` under ``key``."""
    return f"The special magic number for the {key} is {value}."


def question_for(key: str) -> str:
    """The question about the number of ``key``."""
    return f"What is the special magic number for the {key}?"


def make(random_: random.Random) -> NeedleTask:
    """A key and its number."""
    (key,), (value,) = keys(random_, 1), values(random_, 1)
    return NeedleTask((Hidden(sentence_for(key, value)),), question_for(key), (value,))


KIND = Kind(
    "single",
    "one number, hidden once",
    "Kamradt, Needle in a Haystack, 2023; Hsieh et al., RULER, 2024 (niah_single)",
    make,
)
