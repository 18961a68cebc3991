"""One number among sentences that have more of the question's words than the needle, but not the answer.

After Wu et al., "How Easily do Irrelevant Inputs Skew the Responses of Large Language Models?" (2024), whose passages are unrelated,
partly related or related without an answer.
"""

from __future__ import annotations

import random

from .base import Hidden, Kind, NeedleTask, keys, values
from .single import question_for, sentence_for

__all__ = ["KIND"]


def make(random_: random.Random) -> NeedleTask:
    """A key, four keys that share a word with it, and sentences that repeat the question."""
    (key,) = keys(random_, 1)
    adjective, noun = key.split()
    others = keys(random_, 4, [key])
    near = [f"{adjective} {others[0].split()[1]}", f"{others[1].split()[0]} {noun}"]
    near += [f"{adjective} {others[2].split()[1]}", f"{others[3].split()[0]} {noun}"]
    value, *wrong = values(random_, 5)
    hidden = [Hidden(sentence_for(other, number), False) for other, number in zip(near, wrong, strict=True)]
    hidden += [
        Hidden(f"What is the special magic number for the {key}? Many have asked what the special magic number is.", False),
        Hidden(
            f"Nobody in this chapter knows what the special magic number for the {key} is, special and magic as it is.", False
        ),
        Hidden(sentence_for(key, value)),
    ]
    return NeedleTask(tuple(hidden), question_for(key), (value,), tuple(wrong))


KIND = Kind(
    "distractors",
    "one number among sentences that fit the question better than the needle does",
    "Hsieh et al., RULER, 2024 (niah_multikey); Wu et al., How Easily do Irrelevant Inputs Skew the Responses of Large Language "
    "Models?, 2024",
    make,
)
