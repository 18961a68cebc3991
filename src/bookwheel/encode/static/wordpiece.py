"""WordPiece over single words: BERT's uncased normalisation and greedy longest match (Wu et al. 2016; Devlin et al. 2019).

A library tokenises each distinct word once, so only the pieces of a word are needed here. Those of a text are the
pieces of its words in order, exactly as the `tokenizers` package gives them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping

__all__ = ["UNITS", "WordPiece", "normalise"]

Lookup = Callable[[str], int | None]
LONGEST = 100
"""The most characters of a word: BERT takes longer ones as unknown."""
MEMO = 20_000
"""Units cached with their pieces: parts of identifiers and inflected words recur."""


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


class _Units(dict[int, str]):
    """Code point -> its form after `normalise`, computed at its first occurrence; a blank ends a unit."""

    def __missing__(self, point: int) -> str:
        character = chr(point)
        category = unicodedata.category(character)
        if character in "\t\n\r" or category == "Zs":
            out = " "
        elif character in "\0\ufffd" or category in ("Cc", "Cf", "Co", "Cs"):
            out = ""
        else:
            # One character at a time, as BERT does: in a whole word Python turns a Greek final sigma into another letter.
            plain = [c for c in unicodedata.normalize("NFD", character) if unicodedata.category(c) != "Mn"]
            lowered = "".join(c.lower() for c in plain)
            out = "".join(f" {c} " if _is_punctuation(c) else c for c in lowered)
            if _is_cjk(character):
                out = f" {out} "
        self[point] = out
        return out


UNITS = _Units()
"""Of the characters met so far."""


def normalise(text: str) -> list[str]:
    """The units that WordPiece cuts further: lower case, without accents, split at blanks and around punctuation."""
    if text.isascii() and text.isalnum():
        return [text.lower()]
    return text.translate(UNITS).split()


class WordPiece:
    """``first`` and ``inside`` give the number of a piece at a word's beginning and after it; none is longer than ``longest``.

    ``unknown`` is the number of what cannot be cut into pieces. ``longest_of``: by the first two characters of a piece inside a
    word how long those that begin so are at most, where that is known.
    """

    def __init__(
        self, first: Lookup, inside: Lookup, longest: int, unknown: int, longest_of: Mapping[str, int] | None = None
    ) -> None:
        self._first = first
        self._inside = inside
        self._longest = longest
        self._unknown = unknown
        self._longest_of = longest_of
        self._memo: dict[str, list[int]] = {}

    @classmethod
    def of(cls, vocabulary: Mapping[str, int], unknown: int) -> WordPiece:
        """From a dictionary of the pieces; those inside a word begin with ``##``."""
        inside = {piece[2:]: number for piece, number in vocabulary.items() if piece.startswith("##")}
        longest_of: dict[str, int] = {}
        for piece in inside:
            begin = piece[:2]
            if len(piece) > longest_of.get(begin, 0):
                longest_of[begin] = len(piece)
        return cls(vocabulary.get, inside.get, max(map(len, vocabulary), default=0), unknown, longest_of)

    def __call__(self, text: str) -> list[int]:
        """The piece numbers of a word, or of any text."""
        pieces: list[int] = []
        for unit in normalise(text):
            known = self._first(unit)
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

    def forget(self) -> None:
        """Let go of the pieces of units met so far."""
        self._memo.clear()

    def _cut(self, unit: str) -> list[int]:
        if len(unit) > LONGEST:
            return [self._unknown]
        lookup, longest, longest_of = self._first, self._longest, self._longest_of
        pieces: list[int] = []
        start = 0
        while start < len(unit):
            if start and longest_of is not None:  # most begin none but short ones
                longest = longest_of.get(unit[start : start + 2], 1)
            for end in range(min(len(unit), start + longest), start, -1):
                known = lookup(unit[start:end])
                if known is not None:
                    break
            else:
                return [self._unknown]
            pieces.append(known)
            start, lookup = end, self._inside
        return pieces
