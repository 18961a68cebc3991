"""Whether the text of a page can be read, or its fonts give only codes."""

from __future__ import annotations

import re

from .chars import Words

__all__ = ["is_decoded"]

_ENOUGH = 20
"""Characters below which a page is not judged."""
_SHARE = 0.3
_DOTS = re.compile(r"[.,\d]")
_LATIN = re.compile("[a-z]", re.IGNORECASE)
_VOWEL = re.compile("[aeiou]", re.IGNORECASE)


def is_decoded(words: Words) -> bool:
    """False if the page's characters are mostly control or private ones, or codes that are no letters.

    Fonts without a table of characters give their own codes. In many these happen to be the right letters: text whose share
    of vowels is that of a language is kept.
    """
    text = words.text
    solid = int((words.ends - words.starts).sum())
    if solid + words.odd < _ENOUGH:
        return True
    if words.odd > _SHARE * (solid + words.odd):
        return False
    if words.faults <= _SHARE * solid:
        return True
    letters = len(_LATIN.findall(text))
    vowels = len(_VOWEL.findall(text))
    return letters > 0.5 * (solid - len(_DOTS.findall(text))) and 0.28 < vowels / letters < 0.52
