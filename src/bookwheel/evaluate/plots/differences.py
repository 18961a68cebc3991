"""The differences of all queries, the largest gain first and the largest loss last: is a mean won by many or by a few?"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .canvas import LINE, TOP, WIDTH, Axis, drawing, text, vertical

__all__ = ["sorted_differences"]

_LEFT, _BOTTOM = 46.0, 186.0
_BARS = 390
"""One bar a unit at most; of more differences every so-manieth is drawn."""


def sorted_differences(differences: Sequence[float], *, y: str, title: str) -> str:
    """A bar for each of ``differences`` that is finite; the numbers of gains, ties and losses stand below."""
    found = np.sort(np.array([value for value in differences if math.isfinite(value)], np.float64))[::-1]
    up, down = int((found > 1e-9).sum()), int((found < -1e-9).sum())
    drawn = found if len(found) <= _BARS else found[np.linspace(0, len(found) - 1, _BARS).round().astype(int)]
    axis = Axis.over([0.0, *drawn.tolist()], _BOTTOM, TOP)
    right = WIDTH - 4.0
    marks = vertical(axis, _LEFT, right, y)
    zero = axis.at(0.0)
    width = (right - _LEFT) / max(1, len(drawn))
    for kind, sign in (("up", 1), ("down", -1)):
        bars = [
            f"M{_LEFT + width * at:.1f} {zero:.1f}V{axis.at(value):.1f}h{width:.2f}V{zero:.1f}"
            for at, value in enumerate(drawn.tolist())
            if sign * value > 1e-9
        ]
        marks.append(f'<path class="{kind}" d="{"".join(bars)}"/>' if bars else "")
    marks.append(f'<path class="zero" d="M{_LEFT} {zero:.1f}H{right}"/>')
    ties = len(found) - up - down
    words = f"{up:,} better, {ties:,} equal, {down:,} worse"
    marks.append(text((_LEFT + right) / 2, _BOTTOM + LINE, words, at="middle", kind="soft"))
    return drawing("differences", title, _BOTTOM + LINE + 8, [mark for mark in marks if mark])
