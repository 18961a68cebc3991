"""Letters with their accents, where a PDF draws the two as characters of their own, one over the other: ``o`` and ``¨`` for ``ö``.

TeX does so with its oldest fonts (encoding OT1), in which there are no letters with accents.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["composed"]

_COMBINING = {
    ord(spacing): combining
    for spacing, combining in {
        "`": "\u0300", "´": "\u0301", "^": "\u0302", "ˆ": "\u0302", "~": "\u0303", "˜": "\u0303", "¯": "\u0304", "ˉ": "\u0304",
        "˘": "\u0306", "˙": "\u0307", "¨": "\u0308", "˚": "\u030a", "˝": "\u030b", "ˇ": "\u030c", "¸": "\u0327", "˛": "\u0328",
    }.items()
}  # fmt: skip
_IS_ACCENT = np.zeros(0x2E0, np.bool_)
_IS_ACCENT[list(_COMBINING)] = True
_DOTLESS = {"ı": "i", "ȷ": "j"}

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


def composed(codes: NDArray[np.uint32], boxes: Callable[[Ints], Floats]) -> Ints | None:
    """Puts the accents in ``codes`` into the letters that they are drawn over, and gives the numbers of the characters that are
    left; None if there are no such accents.

    ``boxes``: left, bottom, right and top of the characters of these numbers.
    """
    gone: list[int] = []
    for at in np.flatnonzero(_IS_ACCENT[np.minimum(codes, len(_IS_ACCENT) - 1)]).tolist():
        for letter in (at + 1, at - 1):
            if not 0 <= letter < len(codes) or (gone and letter <= gone[-1]):
                continue
            base = chr(int(codes[letter]))
            if not base.isalpha():
                continue
            whole = unicodedata.normalize("NFC", _DOTLESS.get(base, base) + _COMBINING[int(codes[at])])
            if len(whole) == 1 and _is_over(*boxes(np.array([at, letter])).tolist()):
                codes[letter] = ord(whole)
                gone.append(at)
                break
    return np.delete(np.arange(len(codes)), gone) if gone else None


def _is_over(accent: list[float], letter: list[float]) -> bool:
    """Whether an accent is drawn over (or under) a letter, and not beside it."""
    middle, width = (accent[0] + accent[2]) / 2, letter[2] - letter[0]
    overlap = min(accent[3], letter[3]) - max(accent[1], letter[1])
    height = min(accent[3] - accent[1], letter[3] - letter[1])
    return letter[0] + width * 0.1 < middle < letter[2] - width * 0.1 and overlap > 0.3 * height
