"""Whether a page of a PDF shows text that is no text: a scan, with or without a stamp at its edge, or letters drawn as outlines."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import numpy as np

from .chars import Words

__all__ = ["DRAWN", "SCAN", "STAMPED", "unread_kind"]

SCAN, STAMPED, DRAWN = "scan", "stamp", "drawn"

_FEW = 20
"""Words that a stamp has at most: ``Case 1:20-cv-00123 Document 45 Filed 01/02/20 Page 3 of 10``."""
_EDGE = 0.12
"""Part of a page's width and height that its edge is, where stamps stand."""
_FULL = 0.6
"""Part of a page that a picture covers in a scan."""
_GRID = 32
_OUTLINES = 1_500
"""Segments of filled paths from which on they may be letters, which have some twenty each; a page with an ornament has fewer."""
_MOST_OBJECTS = 20_000
_MOST_DEPTH = 6

Box = tuple[float, float, float, float]


def unread_kind(page: Any, content: Any, words: Words, seen: int, crop: Box | None, *, bare: bool) -> str:
    """`SCAN`, `STAMPED` or `DRAWN` if the page's text is but a picture or outlines, else ``""``.

    ``page`` and ``content`` are PDFium's, ``seen`` is the number of ``words`` that are not hidden, ``crop`` is what a viewer shows
    of the page, and ``bare`` tells that nothing at all was read from it, comments included.
    """
    if seen > _FEW or len(words.starts) > len(words.boxes) or crop is None:
        return ""
    if seen and not (_at_edge(words, crop) and _is_painted(content, words)):
        return ""
    covered, pictures, segments = _shown(page, crop)
    if covered >= _FULL:
        return STAMPED if seen else SCAN
    if bare and pictures:
        return SCAN
    return DRAWN if segments >= _OUTLINES else ""


def _at_edge(words: Words, crop: Box) -> bool:
    """Whether all words stand at the edge of the page."""
    left, bottom, right, top = crop
    x, y = (words.boxes[:, 0] + words.boxes[:, 2]) / 2, (words.boxes[:, 1] + words.boxes[:, 3]) / 2
    across, down = _EDGE * (right - left), _EDGE * (top - bottom)
    inside = (x > left + across) & (x < right - across) & (y > bottom + down) & (y < top - down)
    return not inside.any()


def _is_painted(content: Any, words: Words) -> bool:
    """Whether no word is without paint: those are what text recognition has read already."""
    import pypdfium2.raw as raw

    for char in words.chars.tolist():
        item = raw.FPDFText_GetTextObject(content, char)
        if item and raw.FPDFTextObj_GetTextRenderMode(item) in (3, 7):
            return False
    return True


def _shown(page: Any, crop: Box) -> tuple[float, bool, int]:
    """The part of the page that pictures cover, whether there are any, and the number of segments of filled paths."""
    import pypdfium2.raw as raw

    left, bottom, right, top = crop
    width, height = max(right - left, 0.1), max(top - bottom, 0.1)
    grid = np.zeros((_GRID, _GRID), np.bool_)
    pictures, segments = False, 0
    ends = [ctypes.c_float() for _ in range(4)]
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    for outer, item in _items(raw, page):
        kind = raw.FPDFPageObj_GetType(item)
        if kind == raw.FPDF_PAGEOBJ_IMAGE:
            pictures = True
            if raw.FPDFPageObj_GetBounds(outer, *ends):
                x0, y0, x1, y1 = (end.value for end in ends)
                across = [min(max(round((x - left) / width * _GRID), 0), _GRID) for x in (x0, x1)]
                down = [min(max(round((y - bottom) / height * _GRID), 0), _GRID) for y in (y0, y1)]
                grid[slice(*down), slice(*across)] = True
        elif kind == raw.FPDF_PAGEOBJ_PATH and raw.FPDFPath_GetDrawMode(item, mode, stroke) and mode.value:
            segments += max(0, raw.FPDFPath_CountSegments(item))
    return float(grid.mean()), pictures, segments


def _items(raw: Any, page: Any) -> Iterator[tuple[Any, Any]]:
    """The objects of a page and those of the forms on it, each behind the object of the page that it belongs to."""
    left = _MOST_OBJECTS

    def inner(outer: Any, item: Any, depth: int) -> Iterator[tuple[Any, Any]]:
        nonlocal left
        left -= 1
        if left < 0:
            return
        yield outer, item
        if depth and raw.FPDFPageObj_GetType(item) == raw.FPDF_PAGEOBJ_FORM:
            for index in range(max(0, raw.FPDFFormObj_CountObjects(item))):
                if left <= 0:
                    return
                yield from inner(outer, raw.FPDFFormObj_GetObject(item, index), depth - 1)

    for index in range(min(max(0, raw.FPDFPage_CountObjects(page)), _MOST_OBJECTS)):
        item = raw.FPDFPage_GetObject(page, index)
        yield from inner(item, item, _MOST_DEPTH)
