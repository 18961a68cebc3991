"""Rows of boxes and of intervals, each with its name above it: recipes side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .canvas import LINE, TOP, WIDTH, Axis, drawing, horizontal, shorten, text

__all__ = ["Box", "boxes", "intervals"]

_LEFT, _RIGHT, _ROW = 6.0, WIDTH - 6.0, 38.0


@dataclass(frozen=True, slots=True)
class Box:
    """A row: a value and the interval around it."""

    name: str
    low: float
    middle: float
    high: float


def intervals(rows: Sequence[Box], *, x: str, title: str, margin: float | None = None, zero: bool = True) -> str:
    """Each row's value as a point on its interval. ``zero`` is marked, and the band from ``-margin`` to ``margin``."""
    values = [value for row in rows for value in (row.low, row.middle, row.high)]
    edges = [*([0.0] if zero else []), *([-margin, margin] if margin else [])]
    axis = Axis.over([*values, *edges], _LEFT, _RIGHT)
    bottom = TOP + _ROW * len(rows)
    marks = horizontal(axis, TOP, bottom, x)
    if margin:
        left = axis.at(-margin)
        marks.append(
            f'<rect class="faint" x="{left:.1f}" y="{TOP}" width="{axis.at(margin) - left:.1f}" height="{bottom - TOP:.1f}"/>'
        )
    if zero:
        marks.append(f'<path class="zero" d="M{axis.at(0.0):.1f} {TOP}V{bottom:.1f}"/>')
    for number, row in enumerate(rows):
        y = TOP + _ROW * number + 27
        marks.append(text(_LEFT, y - 12, shorten(row.name, _RIGHT - _LEFT), full=row.name))
        if not math.isfinite(row.middle):
            continue
        if math.isfinite(row.low) and math.isfinite(row.high):
            low, high = axis.at(row.low), axis.at(row.high)
            marks.append(
                f'<path class="thin" d="M{low:.1f} {y - 4}V{y + 4}M{low:.1f} {y}H{high:.1f}M{high:.1f} {y - 4}V{y + 4}"/>'
            )
        marks.append(f'<circle class="a" cx="{axis.at(row.middle):.1f}" cy="{y}" r="4.5"/>')
    return drawing("intervals", title, bottom + 2 * LINE + 4, marks)


def boxes(rows: Sequence[tuple[str, Sequence[float]]], *, x: str, title: str) -> str:
    """Each row's values as a box: from the lower to the upper quartile, the median a line, the mean a point, all of them a line.

    Values that are not finite are left out.
    """
    known = [(name, np.array([value for value in values if math.isfinite(value)], np.float64)) for name, values in rows]
    axis = Axis.over(
        [float(edge) for _, values in known if len(values) for edge in (values.min(), values.max())], _LEFT, _RIGHT
    )
    bottom = TOP + _ROW * len(rows)
    marks = horizontal(axis, TOP, bottom, x)
    for number, (name, values) in enumerate(known):
        y = TOP + _ROW * number + 27
        marks.append(text(_LEFT, y - 13, shorten(name, _RIGHT - _LEFT), full=name))
        if not len(values):
            continue
        low, first, median, third, high = (axis.at(float(one)) for one in np.quantile(values, [0, 0.25, 0.5, 0.75, 1]))
        marks.append(f'<path class="thin" d="M{low:.1f} {y}H{first:.1f}M{third:.1f} {y}H{high:.1f}"/>')
        marks.append(f'<rect class="box" x="{first:.1f}" y="{y - 7}" width="{max(third - first, 1):.1f}" height="14"/>')
        marks.append(f'<path class="thin" d="M{median:.1f} {y - 7}V{y + 7}"/>')
        marks.append(f'<circle class="b" cx="{axis.at(float(values.mean())):.1f}" cy="{y}" r="4"/>')
    return drawing("boxes", title, bottom + 2 * LINE + 4, marks)
