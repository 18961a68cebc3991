"""Another form of words: singular for plural and the other way, *-ed* for *-ing* (Tan et al., "It's Morphin' Time!", ACL 2020).

The rules are those that most English words follow; what they make of the others is what a learner would write.
"""

from __future__ import annotations

import random
import re

from ..base import Variation, carries_meaning, some_words, written_like

__all__ = ["FORMS"]

_SIBILANT = re.compile(r"(s|x|z|ch|sh)$")


def _form(word: str) -> str:
    """Another form of ``word``, in small letters."""
    if word.endswith("ing") and len(word) > 6:
        return word[:-3] + "ed"
    if word.endswith("ed") and len(word) > 5:
        return word[:-2] + "ing"
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if re.search(r"(ss|x|z|ch|sh)es$", word):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if _SIBILANT.search(word) else "s")


def _forms(text: str, dice: random.Random) -> str:
    return some_words(
        text,
        dice,
        lambda word: word.isascii() and carries_meaning(word),
        lambda word: written_like(_form(word.lower()), word),
    )


FORMS = Variation(
    "word-forms", "a word has another ending: singular for plural, -ed for -ing", "Tan et al., ACL 2020", _forms, english=True
)
