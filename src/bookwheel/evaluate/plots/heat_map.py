"""A grid of shares, each cell as dark as its value and with the value in it: lengths by positions, say."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .canvas import CHARACTER, LINE, WIDTH, drawing, shorten, text, text_width

__all__ = ["heat_map"]

_RIGHT = WIDTH - 4.0
_HIGH = 26.0


def heat_map(
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float | None]],
    *,
    x: str,
    y: str,
    title: str,
    low: float = 0.0,
    high: float = 1.0,
    texts: Sequence[Sequence[str]] | None = None,
) -> str:
    """``values``, a list for each of ``rows`` with one for each of ``columns``, from ``low`` (pale) to ``high`` (dark).

    None or NaN is drawn as "not known". ``x`` and ``y`` are what columns and rows stand for; ``texts`` are written into the
    cells in place of the values. Raises `ValueError` where ``values`` have another shape.
    """
    if len(values) != len(rows) or any(len(row) != len(columns) for row in values):
        raise ValueError(f"there are {len(rows)} rows and {len(columns)} columns, but the values have another shape")
    left = min(max([text_width(name) for name in rows] + [CHARACTER * 3]) + 10, 0.4 * WIDTH)
    wide = (_RIGHT - left) / max(1, len(columns))
    top = LINE * 2 + 8.0
    marks = [
        text(4, top - LINE - 6, y, kind="soft"),
        text((left + _RIGHT) / 2, top - LINE - 6, x, at="middle", kind="soft"),
    ]
    for column, name in enumerate(columns):
        middle = left + wide * (column + 0.5)
        marks.append(text(middle, top - 6, shorten(name, wide + CHARACTER), at="middle", full=name))
    for number, name in enumerate(rows):
        y_at = top + _HIGH * number
        marks.append(text(left - 6, y_at + 17, shorten(name, left - 8), at="end", full=name))
        for column, value in enumerate(values[number]):
            known = value is not None and math.isfinite(value)
            share = min(max(((value or 0.0) - low) / ((high - low) or 1.0), 0.0), 1.0) if known else 0.0
            words = texts[number][column] if texts else (f"{value:.2f}".removeprefix("0") if known else "–")
            if texts is None and known and value == int(value or 0):
                words = f"{value:.0f}"
            place = f'x="{left + wide * column + 1:.1f}" y="{y_at + 1:.1f}" width="{max(wide - 2, 1):.1f}" height="{_HIGH - 2}"'
            marks.append(f'<rect class="{"cell" if known else "none"}" fill-opacity="{0.06 + 0.94 * share:.2f}" {place}/>')
            middle = left + wide * (column + 0.5)
            marks.append(text(middle, y_at + 17, shorten(words, wide), at="middle", kind="on" if share > 0.62 else ""))
    return drawing("heat-map", title, top + _HIGH * len(rows) + 6, marks)
