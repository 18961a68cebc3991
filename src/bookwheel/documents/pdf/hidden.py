"""Which words of a PDF page its readers do not see: white on white, of a point's height, transparent, unpainted, beside the page.

Painting nothing (text rendering mode 3) is what text recognition does with the words that it puts over the picture of a page:
these are the page's text. White words on something dark are, too.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from functools import cache
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .chars import Words
from .covered import covered_words

__all__ = ["REASONS", "hidden_words"]

REASONS = (
    "",
    "text outside the page",
    "text of a point's height",
    "invisible text",
    "transparent text",
    "white text",
    "text that is painted over",
)
"""By the numbers that `hidden_words` gives."""
_OUTSIDE, _TINY, _UNPAINTED, _TRANSPARENT, _WHITE, _COVERED = range(1, 7)

_LOWEST = 1.5
"""Height in points up to which type is of one point: ascent and descent together are some 1.1 to 1.4 times the type's size."""
_PAGE, _SMALL = 792.0, 200.0
"""Height of a page in points, and that of pages so small that they may be measured in larger units."""
_PALE = 245
"""Red, green and blue of what counts as white …"""
_DARK = 225
"""… and one of them below which something can be seen behind white words."""
_FAINT = 8
"""Opacity (of 255) below which nothing is seen."""
_MOST_OBJECTS = 20_000
"""Objects of a page among which what is behind words is looked for; on a page of more, words count as seen."""
_MOST_DEPTH = 6

Box = tuple[float, float, float, float]


@cache
def _functions() -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """PDFium's functions by prototypes of our own, as in `chars`."""
    import pypdfium2.raw as raw

    def own(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
        return ctypes.PYFUNCTYPE(result, *arguments)(ctypes.cast(getattr(raw, name), ctypes.c_void_p).value or 0)

    pointer, number = ctypes.c_void_p, ctypes.c_int
    return (
        own("FPDFText_GetTextObject", pointer, pointer, number),
        own("FPDFTextObj_GetTextRenderMode", number, pointer),
        own("FPDFPageObj_GetFillColor", number, pointer, pointer, pointer, pointer, pointer),
    )


def hidden_words(page: Any, content: Any, words: Words, crop: Box | None) -> NDArray[np.uint8] | None:
    """Of each word why it is hidden, as a place in `REASONS`; None where all are seen.

    ``page`` and ``content`` are PDFium's, ``crop`` is what a viewer shows of the page.
    """
    count = len(words.starts)
    boxes = words.boxes
    if not count or not len(boxes):
        return None
    found = np.zeros(count, np.uint8)
    odd = _odd_objects(content, words)
    if odd is not None:
        modes, alphas, pale = odd
        behind = None
        for reason, chosen in ((_WHITE, pale), (_TRANSPARENT, alphas), (_UNPAINTED, modes)):
            if chosen.any():
                if reason != _TRANSPARENT:
                    behind = _behind(page) if behind is None else behind
                    chosen = chosen & ~_covered(boxes, behind, pictures=reason == _UNPAINTED)
                found[chosen] = reason
    covered = covered_words(page, content, words)
    if covered is not None:
        found[covered & (found == 0)] = _COVERED
    tall = boxes[:, 3] - boxes[:, 1]
    lowest = _LOWEST
    if crop is not None:  # where a unit is more than a point, pages seem small; PDFium does not tell it
        largest = max(crop[2] - crop[0], crop[3] - crop[1])
        lowest *= largest / _PAGE if largest < _SMALL else 1.0
    found[(tall > 0) & (tall < lowest)] = _TINY
    if crop is not None:
        middle_x, middle_y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
        seen = (middle_x >= crop[0]) & (middle_x <= crop[2]) & (middle_y >= crop[1]) & (middle_y <= crop[3])
        found[~seen & (boxes[:, 2] > boxes[:, 0])] = _OUTSIDE  # without a box it is not known
    return found if found.any() else None


def _odd_objects(content: Any, words: Words) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]] | None:
    """Which words are drawn without paint, transparent, or white; None where none are."""
    text_object, render_mode, fill_color = _functions()
    handle = ctypes.cast(content, ctypes.c_void_p).value or 0
    pointers = list(map(text_object, repeat(handle, len(words.chars)), words.chars.tolist()))
    different = dict.fromkeys(pointers)
    different.pop(None, None)
    objects = list(different)
    count = len(objects)
    modes = np.fromiter(map(render_mode, objects), np.int64, count)
    colors = np.zeros((count, 4), np.uint32)
    begin = colors.ctypes.data
    parts = (range(begin + 4 * part, begin + 4 * part + 16 * count, 16) for part in range(4))
    told = np.fromiter(map(fill_color, objects, *parts), np.int64, count) != 0
    kinds_of = np.zeros(count, np.uint8)
    filled = told & ((modes == 0) | (modes == 4))
    kinds_of[filled & (colors[:, :3] >= _PALE).all(axis=1)] = _WHITE
    kinds_of[filled & (colors[:, 3] < _FAINT)] = _TRANSPARENT
    kinds_of[(modes == 3) | (modes == 7)] = _UNPAINTED
    if not kinds_of.any():
        return None
    odd = dict(zip(objects, kinds_of.tolist(), strict=True))
    kinds = np.array([odd.get(pointer, 0) for pointer in pointers], np.uint8)
    return kinds == _UNPAINTED, kinds == _TRANSPARENT, kinds == _WHITE


def _covered(boxes: NDArray[np.float32], behind: list[tuple[Box, bool]] | None, *, pictures: bool) -> NDArray[np.bool_]:
    """Whether the middle of each word lies on something that can be seen, or on a picture."""
    found = np.zeros(len(boxes), np.bool_)
    if behind is None:
        return ~found
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    for (left, bottom, right, top), picture in behind:
        if picture or not pictures:
            found |= (x >= left) & (x <= right) & (y >= bottom) & (y <= top)
    return found


def _behind(page: Any) -> list[tuple[Box, bool]] | None:
    """What on the page is not white nor text: its box, and whether it is a picture; None where there is too much to tell."""
    import pypdfium2.raw as raw

    found: list[tuple[Box, bool]] = []
    count = raw.FPDFPage_CountObjects(page)
    left = _MOST_OBJECTS
    for index in range(min(count, left)):
        item = raw.FPDFPage_GetObject(page, index)
        kinds = set()
        for kind in _kinds(raw, item, _MOST_DEPTH):
            kinds.add(kind)
            left -= 1
            if left < 0:
                return None
        if kinds - {0}:
            ends = [ctypes.c_float() for _ in range(4)]
            if raw.FPDFPageObj_GetBounds(item, *ends):
                box = ends[0].value, ends[1].value, ends[2].value, ends[3].value
                found.append((box, 2 in kinds))
    return found if count <= _MOST_OBJECTS else None


def _kinds(raw: Any, item: Any, depth: int) -> Iterator[int]:
    """Of an object and all in it: 0 for what is not seen behind words, 1 for what is, 2 for a picture."""
    kind = raw.FPDFPageObj_GetType(item)
    if kind == raw.FPDF_PAGEOBJ_IMAGE:
        yield 2
    elif kind == raw.FPDF_PAGEOBJ_SHADING:
        yield 1
    elif kind == raw.FPDF_PAGEOBJ_PATH:
        mode, stroke = ctypes.c_int(), ctypes.c_int()
        colors = [ctypes.c_uint() for _ in range(4)]
        filled = raw.FPDFPath_GetDrawMode(item, mode, stroke) and mode.value
        # What is filled with a pattern has no colour.
        seen = filled and (not raw.FPDFPageObj_GetFillColor(item, *colors) or _is_dark([color.value for color in colors]))
        yield 1 if seen or (stroke.value and _is_bar(raw, item)) else 0
    elif kind == raw.FPDF_PAGEOBJ_FORM and depth:
        yield 0
        for index in range(raw.FPDFFormObj_CountObjects(item)):
            yield from _kinds(raw, raw.FPDFFormObj_GetObject(item, index), depth - 1)
    else:
        yield 0


def _is_bar(raw: Any, item: Any) -> bool:
    """Whether a path is one straight line, dark and so thick that words stand on it; a frame has nothing behind what it holds."""
    width = ctypes.c_float()
    ends = [ctypes.c_float() for _ in range(4)]
    colors = [ctypes.c_uint() for _ in range(4)]
    if not raw.FPDFPageObj_GetStrokeWidth(item, width) or not raw.FPDFPageObj_GetBounds(item, *ends):
        return False
    left, bottom, right, top = (end.value for end in ends)
    thin = min(right - left, top - bottom)
    straight = raw.FPDFPath_CountSegments(item) == 2
    shown = raw.FPDFPageObj_GetStrokeColor(item, *colors) and _is_dark([color.value for color in colors])
    return bool(straight and shown and width.value > 2 * _LOWEST and thin >= 2 * _LOWEST)


def _is_dark(color: list[int]) -> bool:
    return color[3] >= _FAINT and min(color[:3]) < _DARK
