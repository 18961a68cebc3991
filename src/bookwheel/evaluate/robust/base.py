"""What a variation of queries is."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from ...analysis.question_words import QUESTION_WORDS
from ...analysis.stop_words import stop_words

__all__ = ["WORD", "Variation", "carries_meaning", "some_words", "written_like"]

WORD = re.compile(r"[^\W\d_]+")
"""Letters in a row."""
_SHORTEST = 4
SHARE = 0.2
"""Of the words that can be changed, how many are; one at least."""


@dataclass(frozen=True, slots=True)
class Variation:
    """A way to write a query otherwise, which a person might have chosen or happened to."""

    name: str
    summary: str
    source: str
    """The paper that it follows."""
    change: Callable[[str, random.Random], str]
    """The query otherwise, by the dice given; as it was where there is nothing to change."""
    english: bool = False
    """Whether it knows English only."""
    keeps_meaning: bool = True
    """Otherwise the right documents are others, and a ranking that stays as it was has not understood."""


_AUXILIARIES = frozenset(
    ("been", "being", "could", "does", "doing", "done", "have", "having", "must", "should", "were", "would")
)


def carries_meaning(word: str) -> bool:
    """Whether it has four letters or more and is no function word of English, and asks nothing in any language."""
    small = word.lower()
    return len(word) >= _SHORTEST and small not in _AUXILIARIES | stop_words("english") | QUESTION_WORDS


def some_words(text: str, dice: random.Random, fits: Callable[[str], bool], change: Callable[[str], str]) -> str:
    """``text`` with ``change`` applied to one in five of the words that fit, at least to one."""
    words = [match for match in WORD.finditer(text) if fits(match[0])]
    chosen = sorted(dice.sample(words, max(1, round(SHARE * len(words)))), key=lambda one: -one.start()) if words else []
    for match in chosen:
        text = text[: match.start()] + change(match[0]) + text[match.end() :]
    return text


def written_like(word: str, model: str) -> str:
    """``word`` with a capital where ``model`` has one, or all capitals."""
    if len(model) > 1 and model.isupper():
        return word.upper()
    return word[:1].upper() + word[1:] if model[:1].isupper() else word
