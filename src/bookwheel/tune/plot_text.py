"""The frontier in letters, for terminals: quality against milliseconds on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .scale import ticks

__all__ = ["CHOSEN", "FRONT", "OTHER", "OWN", "frontier_text"]

WIDTH, HEIGHT = 60, 10
"""Letters of the picture without its scales."""
CHOSEN, OWN, FRONT, OTHER, LIMIT = "#", "o", "*", ".", ":"
SAID = {CHOSEN: "chosen", OWN: "own", FRONT: "frontier", OTHER: "timed"}
"""What the marks mean, the most important first."""


def frontier_text(points: Sequence[tuple[float, float, str]], limit: float | None, measure: str) -> str:
    """What was timed as a picture of ASCII letters, 13 lines of at most 80; "" for fewer than two points.

    ``points``: milliseconds, score and mark of each. ``limit``: milliseconds.
    """
    if len(points) < 2:
        return ""
    times = [time for time, _, _ in points] + ([limit] if limit is not None else [])
    low, high = math.log10(min(times) / 1.1), math.log10(max(times) * 1.1)
    scores = [score for _, score, _ in points]
    worst, best = min(scores), max(scores)
    grid = [[" "] * WIDTH for _ in range(HEIGHT)]

    def column(milliseconds: float) -> int:
        return round((math.log10(milliseconds) - low) / (high - low) * (WIDTH - 1))

    def row(score: float) -> int:
        return round((best - score) / (best - worst) * (HEIGHT - 1)) if best > worst else HEIGHT // 2

    if limit is not None:
        for line in grid:
            line[column(limit)] = LIMIT
    order = list(SAID)
    for time, score, mark in sorted(points, key=lambda point: -order.index(point[2])):
        grid[row(score)][column(time)] = mark  # what matters most last, so that it stays where two fall together
    labels = {0: f"{best:.3f}", HEIGHT - 1: f"{worst:.3f}"} if best > worst else {HEIGHT // 2: f"{best:.3f}"}
    room = max(map(len, labels.values()))
    lines = [f"{labels.get(at, ''):>{room}} |{''.join(line)}".rstrip() for at, line in enumerate(grid)]
    lines.append(f"{'':{room}} +{'-' * WIDTH}")
    lines.append(f"{'':{room}}  {_scale([(column(tick), tick) for tick in ticks(low, high)])} ms")
    shown = [f"{mark} {said}" for mark, said in SAID.items() if any(mark == one for _, _, one in points)]
    shown += [f"{LIMIT} limit {limit:g} ms"] if limit is not None else []
    return "\n".join([*lines, f"{measure} against p95: {', '.join(shown)}"])


def _scale(places: Sequence[tuple[int, float]]) -> str:
    """Numbers below their columns, those left out that would run into the one before."""
    line = ""
    for column, tick in places:
        text = f"{tick:g}"
        if column >= len(line) + (2 if line else 0) and column + len(text) <= WIDTH:
            line = line.ljust(column) + text
    return line
