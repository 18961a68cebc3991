"""Typing errors in one of five words that carry meaning: a neighbouring key, two letters swapped, a letter left out.

Zhuang and Zuccon, "Dealing with Typos for BERT-based Passage Retrieval and Ranking" (2021), whose kinds these are; in part: what
typos cost is measured, training with them is not here. The first letter stays, as it does in most errors that people make (Pollock and
Zamora, 1984).
"""

from __future__ import annotations

import random

from ..base import Variation, carries_meaning, some_words

__all__ = ["NEIGHBOUR", "OMISSION", "SWAP"]

_SOURCE = "Zhuang and Zuccon, EMNLP 2021"
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def _neighbours() -> dict[str, str]:
    """The keys that touch each letter's own: in its row, and in those above and below, which are half a key further right."""
    found: dict[str, str] = {}
    for row, keys in enumerate(_ROWS):
        for at, key in enumerate(keys):
            near = [keys[other] for other in (at - 1, at + 1) if 0 <= other < len(keys)]
            for other, places in ((row - 1, (at, at + 1)), (row + 1, (at - 1, at))):
                if 0 <= other < len(_ROWS):
                    near += [_ROWS[other][place] for place in places if 0 <= place < len(_ROWS[other])]
            found[key] = "".join(near)
    return found


_KEYS = _neighbours()


def _neighbour(text: str, dice: random.Random) -> str:
    def change(word: str) -> str:
        places = [at for at in range(1, len(word)) if word[at].lower() in _KEYS]
        at = dice.choice(places)
        key = dice.choice(_KEYS[word[at].lower()])
        return word[:at] + (key.upper() if word[at].isupper() else key) + word[at + 1 :]

    return some_words(text, dice, lambda word: carries_meaning(word) and any(one in _KEYS for one in word[1:].lower()), change)


def _swap(text: str, dice: random.Random) -> str:
    def places(word: str) -> list[int]:
        return [at for at in range(1, len(word) - 1) if word[at] != word[at + 1]]

    def change(word: str) -> str:
        at = dice.choice(places(word))
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]

    return some_words(text, dice, lambda word: carries_meaning(word) and bool(places(word)), change)


def _omission(text: str, dice: random.Random) -> str:
    def change(word: str) -> str:
        at = dice.randrange(1, len(word))
        return word[:at] + word[at + 1 :]

    return some_words(text, dice, carries_meaning, change)


NEIGHBOUR = Variation("neighbour-key", "a letter is that of a neighbouring key", _SOURCE, _neighbour)
SWAP = Variation("swapped-letters", "two letters of a word are swapped", _SOURCE, _swap)
OMISSION = Variation("missing-letter", "a letter of a word is missing", _SOURCE, _omission)
