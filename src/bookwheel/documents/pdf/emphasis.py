"""What sets a row of a page apart from the rows below it, as the head of a table: its type, its ground, or a rule under it."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .chars import Words
from .layout import Line

__all__ = ["Emphasis"]

_MOST_OBJECTS = 20_000
"""Objects of a page among which rules and grounds are looked for."""
_THIN = 3.0
"""Points that a rule is high at most."""
_SHARE = 0.8
"""Part of a row's width that a rule covers, or rules together."""
_UNLIKE = 0.5
"""Part of the rows below that may look like the first: a table has rows of sums, too."""

Style = tuple[Any, ...]


class _Ground(NamedTuple):
    """Something filled, or a rule."""

    left: float
    bottom: float
    right: float
    top: float
    color: tuple[int, ...]


class Emphasis:
    """Looks at the rows of one page. ``page`` and ``content`` are PDFium's; they must stay open."""

    def __init__(self, page: Any, content: Any, words: Words) -> None:
        self._page, self._content, self._words = page, content, words

    def is_apart(self, row: Line, below: Sequence[Line]) -> bool:
        """Whether ``row`` is set otherwise than the rows ``below``, in all of its cells but perhaps the first."""
        return bool(below) and (self._has_rule(row, below) or self._has_ground(row, below) or self._has_type(row, below))

    def _has_type(self, row: Line, below: Sequence[Line]) -> bool:
        """Whether the cells are in a type that most cells below them are not in; the first may name the rows, in the same."""
        if not len(self._words.boxes):
            return False
        for _, left, right in row.cells[1:]:
            style = self._style(row, left, right)
            others = [
                self._style(line, begin, end)
                for line in below
                for _, begin, end in line.cells
                if min(end, right) - max(begin, left) > 0
            ]
            if not style or not others or others[0] == style or others.count(style) > _UNLIKE * len(others):
                return False
        return True

    def _style(self, line: Line, left: float, right: float) -> Style:
        """Font, size, way of painting and colour of the first word between ``left`` and ``right``; ``()`` if there is none."""
        import pypdfium2.raw as raw

        boxes = self._words.boxes
        middle = (line.box[1] + line.box[3]) / 2
        inside = np.flatnonzero(
            (boxes[:, 0] >= left - 0.1) & (boxes[:, 0] < right) & (boxes[:, 1] <= middle) & (boxes[:, 3] >= middle)
        )
        if not len(inside):
            return ()
        item = raw.FPDFText_GetTextObject(self._content, int(self._words.chars[inside[0]]))
        if not item:
            return ()
        color = [ctypes.c_uint() for _ in range(4)]
        raw.FPDFPageObj_GetFillColor(item, *color)
        font = raw.FPDFTextObj_GetFont(item)
        name = ctypes.create_string_buffer(128)
        if font:
            raw.FPDFFont_GetBaseFontName(font, name, len(name))
        return (
            name.value.rpartition(b"+")[2],
            round(float(boxes[inside[0], 3] - boxes[inside[0], 1])),
            raw.FPDFTextObj_GetTextRenderMode(item),
            *(part.value for part in color),
        )

    def _has_rule(self, row: Line, below: Sequence[Line]) -> bool:
        """Whether there is a rule under ``row``, and none under most of the rows below it, as in a grid."""
        rows = [row, *below]
        ruled = [self._is_ruled(upper, lower) for upper, lower in zip(rows, below, strict=False)]
        return ruled[0] and len(ruled) > 1 and not ruled[1] and sum(ruled[1:]) <= _UNLIKE * len(ruled[1:])

    def _is_ruled(self, upper: Line, lower: Line) -> bool:
        left, right = upper.box[0], upper.box[2]
        high, low = (upper.box[1] + upper.box[3]) / 2, (lower.box[1] + lower.box[3]) / 2
        pieces = sorted(
            (max(rule.left, left), min(rule.right, right))
            for rule in self._rules
            if low < rule.bottom < high and rule.right > left and rule.left < right
        )
        covered, reached = 0.0, left
        for begin, end in pieces:
            covered += max(0.0, end - max(begin, reached))
            reached = max(reached, end)
        return covered >= _SHARE * (right - left)

    def _has_ground(self, row: Line, below: Sequence[Line]) -> bool:
        """Whether one colour lies behind all cells of ``row``, and another or none behind those of most rows below."""
        colors = {self._ground(row, left, right) for _, left, right in row.cells}
        if len(colors) != 1 or None in colors:
            return False
        same = [any(self._ground(line, left, right) in colors for _, left, right in line.cells) for line in below]
        return not same[0] and not any(same[1:3]) and sum(same) <= _UNLIKE * len(same)

    def _ground(self, line: Line, left: float, right: float) -> tuple[int, ...] | None:
        """The colour of what was painted last behind a cell; None if there is nothing, or something of many rows."""
        x, y = (left + right) / 2, (line.box[1] + line.box[3]) / 2
        found = None
        for ground in self._grounds:
            if ground.left <= x <= ground.right and ground.bottom <= y <= ground.top:
                found = ground.color
        return found

    @property
    def _rules(self) -> list[_Ground]:
        return self._painted[0]

    @property
    def _grounds(self) -> list[_Ground]:
        return self._painted[1]

    @cached_property
    def _painted(self) -> tuple[list[_Ground], list[_Ground]]:
        """The rules of the page, and what is filled, in the order in which they are painted."""
        import pypdfium2.raw as raw

        rules: list[_Ground] = []
        grounds: list[_Ground] = []
        count = raw.FPDFPage_CountObjects(self._page)
        if count > _MOST_OBJECTS:
            return rules, grounds
        mode, stroke = ctypes.c_int(), ctypes.c_int()
        ends = [ctypes.c_float() for _ in range(4)]
        for index in range(count):
            item = raw.FPDFPage_GetObject(self._page, index)
            if raw.FPDFPageObj_GetType(item) != raw.FPDF_PAGEOBJ_PATH or not raw.FPDFPath_GetDrawMode(item, mode, stroke):
                continue
            if not raw.FPDFPageObj_GetBounds(item, *ends):
                continue
            left, bottom, right, top = (end.value for end in ends)
            color = [ctypes.c_uint() for _ in range(4)]
            if mode.value:
                raw.FPDFPageObj_GetFillColor(item, *color)
            elif stroke.value:
                raw.FPDFPageObj_GetStrokeColor(item, *color)
            shown = tuple(part.value for part in color)
            if right - left > 4 * _THIN and top - bottom <= _THIN:
                if (mode.value or stroke.value) and min(shown[:3]) < 250:
                    rules.append(_Ground(left, bottom, right, top, shown))
            elif mode.value:
                grounds.append(_Ground(left, bottom, right, top, shown))
        return rules, grounds
