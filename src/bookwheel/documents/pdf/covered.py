"""Which words of a PDF page lie under something opaque that was painted over them, as in a redaction that left the words.

Candidates are words inside the box of something filled that was painted later. Whether nothing of them is seen is told by
drawing the page: where a word is, there must be one colour only. Pictures are no candidates: scanners put recognised words under them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .chars import Words

__all__ = ["covered_words"]

_MOST_OBJECTS = 20_000
"""Objects of a page that are looked at; on a page of more, words count as seen."""
_MOST_PIXELS = 4_000_000
_SCALE = 2.0
"""Pixels for a point."""
_EVEN = 6
"""Difference of grey (of 255) up to which an area has one colour."""
_MARGIN = 0.5
"""Points by which a word may stick out of what covers it."""


@cache
def _functions() -> tuple[Callable[..., Any], ...]:
    """PDFium's functions by prototypes of our own, as in `chars`."""
    import pypdfium2.raw as raw

    def own(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
        return ctypes.PYFUNCTYPE(result, *arguments)(ctypes.cast(getattr(raw, name), ctypes.c_void_p).value or 0)

    pointer, number = ctypes.c_void_p, ctypes.c_int
    return (
        own("FPDFPage_GetObject", pointer, pointer, number),
        own("FPDFPageObj_GetType", number, pointer),
        own("FPDFText_GetTextObject", pointer, pointer, number),
    )


def covered_words(page: Any, content: Any, words: Words) -> NDArray[np.bool_] | None:
    """Of each word whether it is painted over; None where none is. ``page`` and ``content`` are PDFium's."""
    import pypdfium2.raw as raw

    count = raw.FPDFPage_CountObjects(page)
    if not len(words.boxes) or count > _MOST_OBJECTS:
        return None
    get, kind_of, text_object = _functions()
    handle = ctypes.cast(page, ctypes.c_void_p).value or 0
    items = list(map(get, repeat(handle, count), range(count)))
    kinds = np.fromiter(map(kind_of, items), np.int64, count)
    texts = np.flatnonzero(kinds == raw.FPDF_PAGEOBJ_TEXT)
    paths = np.flatnonzero(kinds == raw.FPDF_PAGEOBJ_PATH)
    if not len(texts) or not len(paths) or paths[-1] < texts[0]:
        return None
    covers = [(int(at), box) for at in paths[paths > texts[0]] if (box := _opaque(raw, items[at])) is not None]
    if not covers:
        return None
    order = {items[at]: at for at in texts.tolist()}
    reading = ctypes.cast(content, ctypes.c_void_p).value or 0
    painted = np.array([order.get(text_object(reading, char), 1 << 30) for char in words.chars.tolist()])
    boxes = words.boxes
    found = np.zeros(len(boxes), np.bool_)
    for at, (left, bottom, right, top) in covers:
        found |= (
            (painted < at)
            & (boxes[:, 0] >= left - _MARGIN)
            & (boxes[:, 1] >= bottom - _MARGIN)
            & (boxes[:, 2] <= right + _MARGIN)
            & (boxes[:, 3] <= top + _MARGIN)
            & (boxes[:, 2] > boxes[:, 0])
        )
    if not found.any():
        return None
    found &= _is_even(raw, page, boxes, np.flatnonzero(found))
    return found if found.any() else None


def _opaque(raw: Any, item: int) -> tuple[float, float, float, float] | None:
    """The box of a path that is filled and not seen through."""
    path = ctypes.cast(item, raw.FPDF_PAGEOBJECT)
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    if not raw.FPDFPath_GetDrawMode(path, mode, stroke) or not mode.value:
        return None
    ends = [ctypes.c_float() for _ in range(4)]
    if not raw.FPDFPageObj_GetBounds(path, *ends):
        return None
    left, bottom, right, top = (end.value for end in ends)
    return (left, bottom, right, top) if right - left > 2 and top - bottom > 2 else None


def _is_even(raw: Any, page: Any, boxes: NDArray[np.float32], chosen: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Of ``boxes`` whether the page has one colour only there; True for ``chosen`` ones at most."""
    found = np.zeros(len(boxes), np.bool_)
    width, height = raw.FPDF_GetPageWidthF(page), raw.FPDF_GetPageHeightF(page)
    if not (width >= 1 and height >= 1):
        return found
    scale = min(_SCALE, (_MOST_PIXELS / (width * height)) ** 0.5)
    across, down = max(1, int(width * scale)), max(1, int(height * scale))
    bitmap = raw.FPDFBitmap_CreateEx(across, down, raw.FPDFBitmap_Gray, None, 0)
    if not bitmap:
        return found
    try:
        raw.FPDFBitmap_FillRect(bitmap, 0, 0, across, down, 0xFFFFFFFF)
        raw.FPDF_RenderPageBitmap(bitmap, page, 0, 0, across, down, 0, raw.FPDF_GRAYSCALE)
        stride = raw.FPDFBitmap_GetStride(bitmap)
        begin = ctypes.cast(raw.FPDFBitmap_GetBuffer(bitmap), ctypes.POINTER(ctypes.c_ubyte * (stride * down)))
        drawn = np.frombuffer(begin.contents, np.uint8).reshape(down, stride)[:, :across]
        x, y = ctypes.c_int(), ctypes.c_int()
        for at in chosen.tolist():
            ends = []
            for first, second in ((0, 1), (2, 3)):
                place = float(boxes[at, first]), float(boxes[at, second])
                raw.FPDF_PageToDevice(page, 0, 0, across, down, 0, *place, x, y)
                ends.append((x.value, y.value))
            (left, right), (upper, lower) = sorted((ends[0][0], ends[1][0])), sorted((ends[0][1], ends[1][1]))
            area = drawn[max(upper + 1, 0) : lower, max(left + 1, 0) : right]
            found[at] = area.size > 8 and int(area.max()) - int(area.min()) <= _EVEN
    finally:
        raw.FPDFBitmap_Destroy(bitmap)
    return found
