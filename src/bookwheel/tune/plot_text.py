"""The frontier in letters, for terminals: quality against milliseconds on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .result import Point, Tuning
from .scale import ticks

__all__ = ["frontier_text"]

WIDTH, HEIGHT = 60, 10
"""Letters of the picture without its scales."""
CHOSEN, OWN, FRONT, OTHER, LIMIT = "#", "o", "*", ".", ":"


def frontier_text(tuning: Tuning) -> str:
    """What was timed as a picture of ASCII letters, 13 lines of at most 80; "" for fewer than two points."""
    points = tuning.points
    if len(points) < 2:
        return ""
    limit = tuning.limits.milliseconds
    times = [point.p95 for point in points] + ([limit] if limit is not None else [])
    low, high = math.log10(min(times) / 1.1), math.log10(max(times) * 1.1)
    worst, best = min(point.score for point in points), max(point.score for point in points)
    grid = [[" "] * WIDTH for _ in range(HEIGHT)]

    def column(milliseconds: float) -> int:
        return round((math.log10(milliseconds) - low) / (high - low) * (WIDTH - 1))

    def row(score: float) -> int:
        return round((best - score) / (best - worst) * (HEIGHT - 1)) if best > worst else HEIGHT // 2

    if limit is not None:
        for line in grid:
            line[column(limit)] = LIMIT
    marks = [OTHER, FRONT, OWN, CHOSEN]
    placed = sorted(((marks.index(_mark(tuning, point)), point) for point in points), key=lambda pair: pair[0])
    for mark, point in placed:  # what matters most last, so that it stays where two fall together
        grid[row(point.score)][column(point.p95)] = marks[mark]
    labels = {0: f"{best:.3f}", HEIGHT - 1: f"{worst:.3f}"} if best > worst else {HEIGHT // 2: f"{best:.3f}"}
    room = max(map(len, labels.values()))
    lines = [f"{labels.get(at, ''):>{room}} |{''.join(line)}".rstrip() for at, line in enumerate(grid)]
    lines.append(f"{'':{room}} +{'-' * WIDTH}")
    lines.append(f"{'':{room}}  {_scale([(column(tick), tick) for tick in ticks(low, high)])} ms")
    return "\n".join([*lines, _legend(tuning, {mark for mark, _ in placed})])


def _mark(tuning: Tuning, point: Point) -> str:
    if point.same(tuning.chosen) and not tuning.kept:
        return CHOSEN
    if point.same(tuning.baseline):
        return OWN
    return FRONT if point.frontier else OTHER


def _scale(places: Sequence[tuple[int, float]]) -> str:
    """Numbers below their columns, those left out that would run into the one before."""
    line = ""
    for column, tick in places:
        text = f"{tick:g}"
        if column >= len(line) + (2 if line else 0) and column + len(text) <= WIDTH:
            line = line.ljust(column) + text
    return line


def _legend(tuning: Tuning, marks: set[int]) -> str:
    said = [f"{OTHER} timed", f"{FRONT} frontier", f"{OWN} own", f"{CHOSEN} chosen"]
    shown = [said[mark] for mark in sorted(marks, reverse=True)]
    limit = [f"{LIMIT} limit {tuning.limits.milliseconds:g} ms"] if tuning.limits.milliseconds is not None else []
    return f"{tuning.measure} against p95: {', '.join([*shown, *limit])}"
