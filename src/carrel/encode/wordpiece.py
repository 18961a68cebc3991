"""WordPiece over single words: BERT's uncased normalisation and greedy longest match (Wu et al. 2016; Devlin et al. 2019).

A library tokenises each distinct word once, so the pieces of a word are all that is needed here; a whole text is the pieces of
its words one after the other, exactly as the `tokenizers` package gives them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

__all__ = ["WordPiece", "normalise"]

LONGEST = 100
"""Characters of a word beyond which BERT gives up and calls it unknown."""
MEMO = 20_000
"""Units remembered with their pieces: parts of identifiers and inflected words come again and again."""
_ASCII = re.compile(r"[a-z0-9]+|[!-/:-@\[-`{-~]")


_CJK: tuple[tuple[int, int], ...] = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)


def _is_cjk(character: str) -> bool:
    point = ord(character)
    return point >= 0x3400 and any(low <= point <= high for low, high in _CJK)


def _is_punctuation(character: str) -> bool:
    point = ord(character)
    if point < 128:
        return 33 <= point <= 47 or 58 <= point <= 64 or 91 <= point <= 96 or 123 <= point <= 126
    return unicodedata.category(character).startswith("P")


def _cleaned(text: str) -> str:
    """Control characters dropped, every white space a blank, CJK characters set apart."""
    out = []
    for character in text:
        category = unicodedata.category(character)
        if character in "\t\n\r" or category == "Zs":
            out.append(" ")
        elif character in "\0\ufffd" or category in ("Cc", "Cf", "Co", "Cs"):
            continue
        elif _is_cjk(character):
            out.append(f" {character} ")
        else:
            out.append(character)
    return "".join(out)


def normalise(text: str) -> list[str]:
    """The units that WordPiece cuts further: lower case, without accents, split at blanks and around punctuation."""
    if text.isascii() and text.isprintable():
        return [text.lower()] if text.isalnum() else _ASCII.findall(text.lower())
    decomposed = unicodedata.normalize("NFD", _cleaned(text))
    # Character by character, as BERT's tokenizer lowers them: Python would turn a Greek final sigma into another letter.
    lowered = "".join(c.lower() for c in decomposed if unicodedata.category(c) != "Mn")
    units: list[str] = []
    start = 0
    for at, character in enumerate(lowered):
        if character.isspace() or _is_punctuation(character):
            if at > start:
                units.append(lowered[start:at])
            if not character.isspace():
                units.append(character)
            start = at + 1
    if start < len(lowered):
        units.append(lowered[start:])
    return units


class WordPiece:
    """``vocabulary`` maps a piece to its number; pieces inside a word begin with ``##``. ``unknown`` stands for the rest."""

    def __init__(self, vocabulary: Mapping[str, int], unknown: int) -> None:
        self._vocabulary = vocabulary
        self._unknown = unknown
        self._longest = max(map(len, vocabulary), default=0)
        self._memo: dict[str, list[int]] = {}

    def __call__(self, text: str) -> list[int]:
        """The piece numbers of a word, or of any text."""
        pieces: list[int] = []
        for unit in normalise(text):
            known = self._vocabulary.get(unit)
            if known is not None:
                pieces.append(known)
                continue
            cut = self._memo.get(unit)
            if cut is None:
                if len(self._memo) >= MEMO:
                    self._memo.clear()
                cut = self._memo[unit] = self._cut(unit)
            pieces += cut
        return pieces

    def _cut(self, unit: str) -> list[int]:
        if len(unit) > LONGEST:
            return [self._unknown]
        lookup, longest = self._vocabulary.get, self._longest
        pieces: list[int] = []
        start, prefix = 0, ""
        while start < len(unit):
            for end in range(min(len(unit), start + longest), start, -1):
                known = lookup(prefix + unit[start:end])
                if known is not None:
                    break
            else:
                return [self._unknown]
            pieces.append(known)
            start, prefix = end, "##"
        return pieces
