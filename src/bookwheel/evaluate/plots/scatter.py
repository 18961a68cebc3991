"""Quality against cost: a point a choice, and the frontier of those that no other beats in both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .canvas import LINE, TOP, WIDTH, Axis, drawing, horizontal, shorten, text, text_width, vertical

__all__ = ["Point", "frontier", "scatter"]

_LEFT, _BOTTOM = 46.0, 236.0
_LONGEST = 150.0
"""Units of a name beside its point; longer ones, and those without room, get a number and a line below."""


@dataclass(frozen=True, slots=True)
class Point:
    """One choice: what it costs, and what it reaches."""

    name: str
    x: float
    y: float
    marked: bool = False
    """Drawn in the second colour: the one that was chosen, say, or the baseline."""


def frontier(points: Sequence[Point]) -> list[Point]:
    """The points that no other beats: less ``x`` with at least as much ``y``, or more ``y`` for at most as much ``x``.

    By rising ``x``; of equal points the first. Points that are not finite are on no frontier.
    """
    best: list[Point] = []
    known = [point for point in points if math.isfinite(point.x) and math.isfinite(point.y)]
    for point in sorted(known, key=lambda one: (one.x, -one.y)):
        if not best or point.y > best[-1].y:
            best.append(point)
    return best


def scatter(points: Sequence[Point], *, x: str, y: str, title: str, logarithmic: bool = False) -> str:
    """The points with their names, and their `frontier` as a dashed step.

    ``x`` and ``y`` are the titles of the axes; with ``logarithmic`` that of ``x`` is so, and points at or below 0 are drawn
    at its left edge. Points that are not finite are left out.
    """
    known = [point for point in points if math.isfinite(point.x) and math.isfinite(point.y)]
    across = Axis.over([point.x for point in known], _LEFT + 8, WIDTH - 12, logarithmic=logarithmic)
    up = Axis.over([point.y for point in known], _BOTTOM - 8, TOP + 8)
    marks = [*vertical(up, _LEFT, WIDTH - 4, y), *horizontal(across, TOP, _BOTTOM, x)]
    if len(best := frontier(known)) > 1:
        steps = "".join(f"H{across.at(one.x):.1f}V{up.at(one.y):.1f}" for one in best[1:])
        marks.append(f'<path class="step" d="M{across.at(best[0].x):.1f} {up.at(best[0].y):.1f}{steps}H{WIDTH - 4}"/>')
    taken = [(across.at(one.x) - 6, up.at(one.y) - 6, across.at(one.x) + 6, up.at(one.y) + 6) for one in known]
    below: list[Point] = []
    for point in known:
        px, py = across.at(point.x), up.at(point.y)
        marks.append(f'<circle class="{"b" if point.marked else "a"}" cx="{px:.1f}" cy="{py:.1f}" r="4.5"/>')
        if text_width(point.name) <= _LONGEST and (beside := _beside(px, py, point.name, taken)):
            marks.append(beside)
        else:
            below.append(point)
            marks.append(_beside(px, py, str(len(below)), taken) or text(px + 6, py - 4, str(len(below))))
    base = _BOTTOM + 2 * LINE + 4
    for line, point in enumerate(below, 1):
        marks.append(text(4, base + line * LINE, f"{line}  {shorten(point.name, WIDTH - 30)}", full=point.name))
    return drawing("scatter", title, base + len(below) * LINE + 8, marks)


def _beside(x: float, y: float, words: str, taken: list[tuple[float, float, float, float]]) -> str:
    """``words`` right or left of the point at ``x``, ``y``, or above or below it, where nothing else is; "" where there is no room.

    What is ``taken`` grows by them.
    """
    width = text_width(words)
    own = (x - 6, y - 6, x + 6, y + 6)
    for at, from_, left, middle in (
        ("start", x + 8, x + 8, y),
        ("end", x - 8, x - 8 - width, y),
        ("middle", x, x - width / 2, y - 14),
        ("middle", x, x - width / 2, y + 14),
    ):
        low, right, high = middle - 8, left + width, middle + 8
        inside = left >= _LEFT and right <= WIDTH - 2 and low >= TOP - 4 and high <= _BOTTOM
        if inside and not any(left < o[2] and o[0] < right and low < o[3] and o[1] < high for o in taken if o != own):
            taken.append((left, low, right, high))
            return text(from_, high - 4, words, at=at)
    return ""
