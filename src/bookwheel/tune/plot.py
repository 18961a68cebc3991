"""The frontier as a picture: quality against milliseconds, SVG written by hand so that nothing has to be installed."""

from __future__ import annotations

import math
from html import escape
from pathlib import Path

from .._errors import UsageError
from ..index.storage import replace_file, storage
from .result import Point, Tuning
from .scale import ticks

__all__ = ["frontier_svg", "write_plot"]

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 30, 50, 60
CHOSEN, OWN, OTHER, INK, FAINT = "#c0392b", "#2c5f8a", "#9aa5ad", "#222222", "#dddddd"
LABEL, LETTER = 46, 6.3
"""The longest label, in letters, and pixels of a letter."""


def write_plot(tuning: Tuning, path: Path) -> None:
    """Write the picture to an ``.svg`` file. Raises `UsageError` for another suffix, `StorageError`."""
    if path.suffix.lower() != ".svg":
        raise UsageError(f"the plot is written as SVG; give a file that ends in .svg, not {path.name!r:.60}")
    with storage(path):
        replace_file(path, frontier_svg(tuning).encode())


def frontier_svg(tuning: Tuning) -> str:
    """The picture: a logarithmic scale of milliseconds, the frontier as a line, the limit as a dashed one."""
    points = tuning.points
    limit = tuning.limits.milliseconds
    times = [point.p95 for point in points] + ([limit] if limit is not None else [])
    low, high = math.log10(min(times) / 1.4), math.log10(max(times) * 1.9)
    worst, best = min(point.score for point in points), max(point.score for point in points)
    room = max(0.01, 0.12 * (best - worst))
    bottom, top = worst - room, best + room

    def x(milliseconds: float) -> float:
        return LEFT + (math.log10(milliseconds) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(score: float) -> float:
        return TOP + (top - score) / (top - bottom) * (HEIGHT - TOP - BOTTOM)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(LEFT, 24, f"{tuning.measure} against time, {tuning.queries:,} queries of {tuning.judgments}", size=15),
        _text(
            (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, "milliseconds of a search, 95th percentile (logarithmic)", anchor="middle"
        ),
    ]
    for tick in ticks(low, high):
        out.append(_line(x(tick), TOP, x(tick), HEIGHT - BOTTOM, FAINT))
        out.append(_text(x(tick), HEIGHT - BOTTOM + 18, f"{tick:g}", anchor="middle"))
    step = _step(top - bottom)
    score = math.ceil(bottom / step) * step
    while score <= top:
        out.append(_line(LEFT, y(score), WIDTH - RIGHT, y(score), FAINT))
        out.append(_text(LEFT - 8, y(score) + 4, f"{score:.3f}", anchor="end"))
        score += step
    if limit is not None:
        out.append(_line(x(limit), TOP, x(limit), HEIGHT - BOTTOM, INK, "4 4"))
        out.append(_text(x(limit) - 4, TOP + 12, f"limit {limit:g} ms", anchor="end"))
    front = [point for point in points if point.frontier]
    line = " ".join(f"{x(point.p95):.1f},{y(point.score):.1f}" for point in front)
    out.append(f'<polyline points="{line}" fill="none" stroke="{OTHER}" stroke-width="1.5"/>')
    taken: list[tuple[float, float, float]] = []
    for point in sorted(points, key=lambda point: not point.frontier):
        colour = _colour(tuning, point)
        out.append(f'<circle cx="{x(point.p95):.1f}" cy="{y(point.score):.1f}" r="5" fill="{colour}"/>')
        if point.frontier or colour != OTHER:
            out.append(_label(point, x(point.p95), y(point.score), taken, colour))
    return "\n".join([*out, "</svg>"]) + "\n"


def _colour(tuning: Tuning, point: Point) -> str:
    if point.same(tuning.chosen) and not tuning.kept:
        return CHOSEN
    return OWN if point.same(tuning.baseline) else OTHER


def _label(point: Point, x: float, y: float, taken: list[tuple[float, float, float]], colour: str) -> str:
    """Beside the point, on the side with room; above or below where another label is there already."""
    text = point.recipe if len(point.recipe) <= LABEL else point.recipe[: LABEL - 1] + "…"
    left = x > WIDTH / 2
    width = LETTER * len(text)
    start = x - 9 - width if left else x + 9
    moves = (0, -14, 14, -28, 28, -42, 42)

    def is_free(at: float) -> bool:
        return not any(abs(at - other) < 13 and start < end and begin < start + width for begin, end, other in taken)

    at = next((y + 4 + move for move in moves if is_free(y + 4 + move)), y + 4)
    taken.append((start, start + width, at))
    shade = INK if colour == OTHER else colour
    return _text(x - 9 if left else x + 9, at, text, anchor="end" if left else "start", fill=shade)


def _step(span: float) -> float:
    raw = span / 6
    base = 10.0 ** math.floor(math.log10(raw))
    return next(base * one for one in (1, 2, 5, 10) if base * one >= raw)


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12, fill: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{fill}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, dashes: str = "") -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dashed}/>'
