"""Words in another order: bags of words do not mind, encoders may (Penha, Câmara and Hauff, ECIR 2022)."""

from __future__ import annotations

import random

from ..base import Variation

__all__ = ["ORDER"]


def _order(text: str, dice: random.Random) -> str:
    words = text.split()
    for _ in range(8 if len(set(words)) > 1 else 0):
        other = dice.sample(words, len(words))
        if other != words:
            return " ".join(other)
    return text


ORDER = Variation("word-order", "the words come in a random order", "Penha, Câmara and Hauff, ECIR 2022", _order)
