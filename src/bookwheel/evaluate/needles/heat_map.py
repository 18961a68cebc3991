"""Draws the results of a needle test as a heat map, in SVG: a panel a kind, a column a length, a row a depth."""

from __future__ import annotations

import itertools
from html import escape

from .report import Cell, NeedleReport, tokens

__all__ = ["heat_map"]

WIDE, HIGH = 64, 30
"""Of a cell, in pixels."""
LEFT, TOP = 64, 74
BETWEEN = 26
TITLE = 34
FONT = "font-family='Helvetica, Arial, sans-serif'"
_COLOURS = ((0.0, (178, 40, 48)), (0.5, (247, 220, 140)), (1.0, (33, 102, 120)))
"""Red, sand, teal: also told apart by who sees red and green alike, and by lightness."""


def heat_map(report: NeedleReport) -> str:
    """The picture as the text of an SVG file. Every cell has its numbers; what was not asked is hatched."""
    depths = sorted(report.depths)
    wide = max(LEFT + len(report.lengths) * WIDE + 24, 420)
    panel = TITLE + len(depths) * HIGH + 22
    height = TOP + len(report.kinds) * (panel + BETWEEN) + 6
    who, how = report.title.partition(", ")[::2]
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {wide} {height}' width='{wide}' height='{height}' {FONT} role='img'>",
        f"<title>{escape(report.title)}</title>",
        "<defs><pattern id='none' width='6' height='6' patternUnits='userSpaceOnUse' patternTransform='rotate(45)'>"
        "<rect width='6' height='6' fill='#fff'/><rect width='1.5' height='6' fill='#ccc'/></pattern></defs>",
        "<rect width='100%' height='100%' fill='#fff'/>",
        _text(16, 26, _short(who, wide), 15, "#111", weight="bold"),
        _text(16, 44, _short(how.partition("; ")[0], wide), 12, "#444"),
        _text(16, 60, _short(how.partition("; ")[2], wide), 12, "#444"),
    ]
    for number, kind in enumerate(report.kinds):
        top = TOP + number * (panel + BETWEEN)
        parts.append(_text(16, top + 20, kind, 13, "#111", weight="bold"))
        parts.append(_text(LEFT - 8, top + TITLE - 4, "depth", 10, "#666", anchor="end"))
        parts.append(_text(LEFT - 8, top + TITLE + len(depths) * HIGH + 15, "tokens", 10, "#666", anchor="end"))
        for row, depth in enumerate(depths):
            y = top + TITLE + row * HIGH
            parts.append(_text(LEFT - 8, y + HIGH / 2 + 4, f"{100 * depth:.0f} %", 11, "#444", anchor="end"))
            parts += [
                _cell(LEFT + column * WIDE, y, report.cell(kind, length, depth)) for column, length in enumerate(report.lengths)
            ]
        for column, length in enumerate(report.lengths):
            middle = LEFT + column * WIDE + WIDE / 2
            parts.append(_text(middle, top + TITLE + len(depths) * HIGH + 15, tokens(length), 11, "#444", anchor="middle"))
    return "\n".join([*parts, "</svg>\n"])


def _cell(x: float, y: float, cell: Cell | None) -> str:
    box = f"<rect x='{x + 1}' y='{y + 1}' width='{WIDE - 2}' height='{HIGH - 2}' rx='3'"
    if cell is None:
        return f"{box} fill='url(#none)'><title>not asked</title></rect>"
    red, green, blue = _colour(cell.share)
    ink = "#fff" if 0.299 * red + 0.587 * green + 0.114 * blue < 140 else "#111"
    low, high = cell.interval
    said = f"{cell.right} of {cell.count} right, interval {low:.2f} to {high:.2f}"
    label = _text(x + WIDE / 2, y + HIGH / 2 + 4, f"{cell.right}/{cell.count}", 12, ink, anchor="middle")
    return f"{box} fill='rgb({red},{green},{blue})'><title>{said}</title></rect>{label}"


def _colour(share: float) -> tuple[int, int, int]:
    for (low, first), (high, second) in itertools.pairwise(_COLOURS):
        if share <= high:
            part = (share - low) / (high - low)
            red, green, blue = (round(a + part * (b - a)) for a, b in zip(first, second, strict=True))
            return red, green, blue
    return _COLOURS[-1][1]


def _text(x: float, y: float, text: str, size: int, colour: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f"<text x='{x}' y='{y}' font-size='{size}' fill='{colour}' text-anchor='{anchor}' font-weight='{weight}'>"
        f"{escape(text)}</text>"
    )


def _short(text: str, wide: int) -> str:
    most = (wide - 32) // 7
    return text if len(text) <= most else f"{text[: most - 1]}…"
