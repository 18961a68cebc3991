"""Lines with bands around them: what a figure does as something grows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .canvas import LINE, TOP, WIDTH, Axis, drawing, horizontal, shorten, text, vertical

__all__ = ["Curve", "curves"]

_LEFT, _BOTTOM = 46.0, 206.0


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (x, y, low, high) by rising x; ``low`` and ``high`` may be ``y`` itself."""

    name: str
    points: Sequence[tuple[float, float, float, float]]


def curves(
    found: Sequence[Curve],
    *,
    x: str,
    y: str,
    title: str,
    logarithmic: bool = False,
    limits: tuple[float, float] | None = None,
) -> str:
    """At most two curves with their bands; ``limits`` are those of y. Points that are not finite are left out."""
    known = [
        (one.name, [point for point in one.points if all(map(math.isfinite, point)) and (point[0] > 0 or not logarithmic)])
        for one in found[:2]
    ]
    every = [point for _, points in known for point in points]
    across = Axis.over([point[0] for point in every], _LEFT + 8, WIDTH - 12, logarithmic=logarithmic)
    values = list(limits) if limits else [value for point in every for value in point[1:]]
    up = Axis.over(values, _BOTTOM - 2, TOP + 2, room=0.02)
    marks = [*vertical(up, _LEFT, WIDTH - 4, y), *horizontal(across, TOP, _BOTTOM, x)]
    base = _BOTTOM + 2 * LINE + 4
    for number, (name, points) in enumerate(known):
        suffix = "2" if number else ""
        there = [(across.at(px), up.at(py), up.at(low), up.at(high)) for px, py, low, high in points]
        if len(there) > 1:
            around = [f"{px:.1f} {high:.1f}" for px, _, _, high in there] + [
                f"{px:.1f} {low:.1f}" for px, _, low, _ in there[::-1]
            ]
            marks.append(f'<path class="band{suffix}" d="M{"L".join(around)}Z"/>')
            line = "L".join(f"{px:.1f} {py:.1f}" for px, py, _, _ in there)
            marks.append(f'<path class="line{suffix}" d="M{line}"/>')
        dot = "b" if number else "a"
        marks += [f'<circle class="{dot}" cx="{px:.1f}" cy="{py:.1f}" r="3.5"/>' for px, py, _, _ in there]
        if len(known) > 1:
            marks.append(f'<circle class="{dot}" cx="10" cy="{base + (number + 1) * LINE - 4}" r="4.5"/>')
            marks.append(text(20, base + (number + 1) * LINE, shorten(name, WIDTH - 30), full=name))
    return drawing("curves", title, base + (len(known) * LINE if len(known) > 1 else 0) + 4, marks)
