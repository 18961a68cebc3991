"""Raised digits directly behind other digits on a PDF page, which would run into them: 10 and a small 6 above it, 106."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["power_marks"]

_SMALLER = 0.87
"""Height of raised digits in parts of those before them, at most."""
_RISE = 0.15
"""How much higher they begin, in parts of the height of those before them, at least …"""
_MOST_RISE = 0.9
"""… and at most: what is higher is no part of the line."""

Ints = NDArray[np.int64]


def power_marks(codes: NDArray[np.uint32], boxes: Callable[[Ints], NDArray[np.float32]]) -> tuple[Ints, NDArray[np.uint32]]:
    """The characters before which a mark is missing, and the marks: ``^``, or a space before the numerator of a fraction.

    ``codes``: the characters of a page. ``boxes``: left, bottom, right and top of the characters of these numbers. They are asked
    for of the first and last digit of numbers, and of all digits only where these differ in size.
    """
    digit = (codes >= 48) & (codes < 58)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], digit, [False]))))
    first, last = edges[::2], edges[1::2] - 1
    several = last > first
    first, last = first[several], last[several]
    places: list[int] = []
    marks: list[int] = []
    if len(first):
        for number in np.flatnonzero(_is_raised(boxes(first), boxes(last))).tolist():
            start, end = int(first[number]), int(last[number])
            inside = boxes(np.arange(start, end + 1))
            small = _is_raised(np.repeat(inside[:1], len(inside), axis=0), inside)
            at = int(np.argmax(small))
            if small[at:].all():
                places.append(start + at)
                marks.append(0x20 if _is_numerator(codes, end) else 0x5E)
    return np.array(places, np.int64), np.array(marks, np.uint32)


def _is_numerator(codes: NDArray[np.uint32], end: int) -> bool:
    """Whether raised digits, of which ``end`` is the last, are above a slash with digits behind it, in spite of a line's end."""
    behind = "".join(map(chr, codes[end + 1 : end + 9].tolist())).lstrip()
    return behind[:1] in ("/", "\u2044") and behind[1:].lstrip()[:1].isdecimal()


def _is_raised(line: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which of the ``other`` characters are small ones above the line of those before them, box by box."""
    height, rise = line[:, 3] - line[:, 1], other[:, 1] - line[:, 1]
    raised: NDArray[np.bool_] = (
        (height > 0)
        & (other[:, 3] - other[:, 1] < height * _SMALLER)
        & (rise > height * _RISE)
        & (rise < height * _MOST_RISE)
        & (other[:, 0] > line[:, 0])
    )
    return raised
