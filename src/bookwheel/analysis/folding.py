"""Letters without their marks, so that a word and its form without marks are one term."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["folded"]

_LATIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})
_POINTS = re.compile(
    "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"  # Hebrew points and accents
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]"  # Arabic ones, tatweel
)
_CYRILLIC_VOWELS = frozenset("аеиоуыэюяіїєѣѵ")
_ACUTE, _GRAVE, _DIAERESIS = "\u0301", "\u0300", "\u0308"


def folded(term: str) -> str:
    """A casefolded ``term`` without the marks of Latin and Greek letters, the points of Arabic and Hebrew, tatweel, the dots of
    Cyrillic ё and accents that show stress. Letters of their own stay: й, ї, ѓ, and the vowel signs of Indic scripts.
    """
    if term.isascii():
        return term
    parts: list[str] = []
    for character in unicodedata.normalize("NFD", _POINTS.sub("", term)):
        if "\u0300" <= character <= "\u036f" and parts:
            base = parts[-1]
            if base < "\u0400" or "\u1f00" <= base <= "\u1fff":
                continue
            if base in _CYRILLIC_VOWELS and (character in (_ACUTE, _GRAVE) or (base == "е" and character == _DIAERESIS)):
                continue
        parts.append(character)
    return unicodedata.normalize("NFC", "".join(parts)).translate(_LATIN)
