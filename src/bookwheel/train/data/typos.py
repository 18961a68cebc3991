"""Queries as people mistype them: a letter that is missing, doubled, another one, or in its neighbour's place.

Zhuang and Zuccon, Dealing with Typos for BERT-based Passage Retrieval and Ranking (EMNLP 2021): training on some such queries makes
an encoder find the same passages for them. In part: which letters lie beside each other on a keyboard is not looked at, since that
differs by country; another letter of the query is taken.
"""

from __future__ import annotations

import random
import re

__all__ = ["mistyped"]

SHORTEST = 4
"""Letters of a word that is mistyped, at least: shorter ones become other words."""
_WORDS = re.compile(rf"[^\W\d_]{{{SHORTEST},}}")


def mistyped(query: str, draw: random.Random) -> str:
    """``query`` with one fault in one of its words; as it is where no word has `SHORTEST` letters. First letters stay.

    >>> mistyped("gravity of the moon", random.Random(1))
    'graviy of the moon'
    """
    words = [match.span() for match in _WORDS.finditer(query)]
    if not words:
        return query
    start, end = draw.choice(words)
    at = draw.randrange(start + 1, end)
    kind = draw.randrange(4)
    if kind == 0:
        return query[:at] + query[at + 1 :]
    if kind == 1:
        return query[:at] + query[at] + query[at:]
    if kind == 2:
        at = min(at, end - 2)
        return query[:at] + query[at + 1] + query[at] + query[at + 2 :]
    letters = sorted({letter for one in words for letter in query[slice(*one)].lower()} - {query[at].lower()})
    return query[:at] + (draw.choice(letters) if letters else "") + query[at + 1 :]
