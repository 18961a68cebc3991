"""Raised digits directly behind digits or words on a PDF page, which would run into them: 10 and a small 6 above it, 106, and the
mark of a note, Kestrel1.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..raised import ASIDE, raised

__all__ = ["power_marks"]

_SMALLER = 0.87
"""Height of raised digits in parts of those before them, at most."""
_RISE = 0.15
"""How much higher they begin, in parts of the height of those before them, at least …"""
_MOST_RISE = 0.9
"""… and at most: what is higher is no part of the line."""
_LETTERS = 3
"""Letters of a word behind which raised digits may be the mark of a note; shorter ones are units and symbols (``m2``)."""
_LONGEST = 12
"""Characters of several marks of notes together (``1,2`` or ``7–9``)."""
_BETWEEN = frozenset(map(ord, ",;–-"))
_SIGNS = tuple(map(ord, "-−–"))
_CLOSING = np.zeros(0x2100, np.bool_)
_CLOSING[list(map(ord, ".,;:!?\"'’”»"))] = True
_SPACES = re.compile(r"\s+")

Codes = NDArray[np.uint32]
Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


def power_marks(codes: Codes, boxes: Callable[[Ints], Floats]) -> tuple[Ints, Codes]:
    """The characters before which a mark is missing, and the marks: what `raised` writes before and behind raised digits.

    ``codes``: the characters of a page. ``boxes``: left, bottom, right and top of the characters of these numbers. They are asked
    for of the first and last digit of numbers, of first digits behind words and signs with what is before them, and of all
    digits only where these differ in size.
    """
    digit = (codes >= 48) & (codes < 58)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], digit, [False]))))
    first, last = edges[::2], edges[1::2] - 1
    found = [*_in_numbers(first, last, boxes), *_behind(codes, digit, first, boxes)]
    places: list[int] = []
    marks: list[str] = []
    for start, end in sorted(found):
        text = _text(codes, start, end)
        written = raised(_text(codes, start - ASIDE, start), text, _SPACES.sub(" ", _text(codes, end, end + ASIDE)))
        before, _, behind = written.partition(text)
        places += [start] * len(before) + [end] * len(behind)
        marks += [*before, *behind]
    return np.array(places, np.int64), np.array(list(map(ord, marks)), np.uint32)


def _in_numbers(first: Ints, last: Ints, boxes: Callable[[Ints], Floats]) -> list[tuple[int, int]]:
    """The raised ends of runs of digits: their first character, and the one after them."""
    several = last > first
    first, last = first[several], last[several]
    found: list[tuple[int, int]] = []
    if len(first):
        for number in np.flatnonzero(_is_raised(boxes(first), boxes(last))).tolist():
            start, end = int(first[number]), int(last[number]) + 1
            inside = boxes(np.arange(start, end))
            small = _is_raised(np.repeat(inside[:1], len(inside), axis=0), inside)
            at = int(np.argmax(small))
            if small[at:].all():
                found.append((start + at, end))
    return found


def _behind(codes: Codes, digit: NDArray[np.bool_], first: Ints, boxes: Callable[[Ints], Floats]) -> list[tuple[int, int]]:
    """Raised digits behind a word, and behind a number with a sign between them (10 and a small -6)."""
    first = first[first > _LETTERS]
    if not len(first):
        return []
    letter = ((codes | 32) >= 97) & ((codes | 32) < 123) | (codes >= 0xC0)
    closing = _CLOSING[np.minimum(codes, len(_CLOSING) - 1)]
    word = letter[first - 2] & letter[first - 3] & (letter[first - 1] | (closing[first - 1] & letter[first - 4]))
    signed = np.isin(codes[first - 1], _SIGNS) & digit[first - 2]
    begins = np.concatenate((first[word], first[signed] - 1))
    found: list[tuple[int, int]] = []
    if len(begins):
        for start in begins[_is_raised(boxes(begins - 1), boxes(begins))].tolist():
            end = min(start + _LONGEST, len(codes))
            inside = boxes(np.arange(start - 1, end))
            small = _is_raised(np.repeat(inside[:1], len(inside) - 1, axis=0), inside[1:]).tolist()
            size = 1
            while size < len(small) and small[size]:
                at = start + size
                if not (digit[at] or (int(codes[at]) in _BETWEEN and at + 1 < end and digit[at + 1] and small[size + 1])):
                    break
                size += 1
            if digit[start + size - 1]:
                found.append((start, start + size))
    return found


def _text(codes: Codes, start: int, end: int) -> str:
    return "".join(map(chr, codes[max(start, 0) : end].tolist()))


def _is_raised(line: Floats, other: Floats) -> NDArray[np.bool_]:
    """Which of the ``other`` characters are small ones above the line of those before them, box by box."""
    height, rise = line[:, 3] - line[:, 1], other[:, 1] - line[:, 1]
    small: NDArray[np.bool_] = (
        (height > 0)
        & (other[:, 3] - other[:, 1] < height * _SMALLER)
        & (rise > height * _RISE)
        & (rise < height * _MOST_RISE)
        & (other[:, 0] > line[:, 0])
    )
    return small
