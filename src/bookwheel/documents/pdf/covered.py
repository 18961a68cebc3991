"""Which words of a PDF page lie under something opaque that was painted over them, as in a redaction that left the words.

Candidates are words inside the box of something filled that was painted later, in forms and annotations too. Whether nothing of
them is seen is told by drawing the page: where a word is, there must be one colour only. Pictures are no candidates: scanners
put recognised words under them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from functools import cache
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
_MOST_DEPTH = 6
_MOST_NOTES = 2_000
_UNSEEN = 2 | 32
"""Flags of annotations that are not shown on the screen."""

Box = tuple[float, float, float, float]
Matrix = tuple[float, float, float, float, float, float]
_PLAIN: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


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
        own("FPDFFormObj_CountObjects", number, pointer),
        own("FPDFFormObj_GetObject", pointer, pointer, ctypes.c_ulong),
    )


def covered_words(page: Any, content: Any, words: Words) -> NDArray[np.bool_] | None:
    """Of each word whether it is painted over; None where none is. ``page`` and ``content`` are PDFium's."""
    import pypdfium2.raw as raw

    if not len(words.boxes):
        return None
    items = list(_painted(raw, page))
    covers = [(at, box) for at, (_, kind, box) in enumerate(items) if kind == raw.FPDF_PAGEOBJ_PATH and box is not None]
    notes = _opaque_notes(raw, page)
    covers += [(len(items), box) for box in notes]
    texts = [at for at, (_, kind, _) in enumerate(items) if kind == raw.FPDF_PAGEOBJ_TEXT]
    if not texts or not covers or covers[-1][0] < texts[0]:
        return None
    order = {items[at][0]: at for at in texts}
    text_object = _functions()[2]
    reading = ctypes.cast(content, ctypes.c_void_p).value or 0
    painted = np.array([order.get(text_object(reading, char), 1 << 30) for char in words.chars.tolist()])
    boxes = words.boxes
    found = np.zeros(len(boxes), np.bool_)
    for at, (left, bottom, right, top) in covers:
        if at < texts[0]:
            continue
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
    found &= _is_even(raw, page, boxes, np.flatnonzero(found), notes=bool(notes))
    return found if found.any() else None


def _painted(raw: Any, page: Any) -> Iterator[tuple[int, int, Box | None]]:
    """What is on the page and in the forms on it, in the order of painting: address, kind, and of what is filled after a text the box."""
    get, kind_of, _, count_of, get_inner = _functions()
    handle = ctypes.cast(page, ctypes.c_void_p).value or 0
    left, has_text = _MOST_OBJECTS, False

    def inside(item: int, matrix: Matrix, depth: int) -> Iterator[tuple[int, int, Box | None]]:
        nonlocal left, has_text
        left -= 1
        kind = kind_of(item)
        has_text = has_text or kind == raw.FPDF_PAGEOBJ_TEXT
        if kind == raw.FPDF_PAGEOBJ_FORM and depth:
            moved = _times(_matrix(raw, item), matrix)
            for index in range(count_of(item)):
                if left <= 0:
                    return
                yield from inside(get_inner(item, index), moved, depth - 1)
        else:
            yield item, kind, _opaque(raw, item, matrix) if kind == raw.FPDF_PAGEOBJ_PATH and has_text else None

    count = raw.FPDFPage_CountObjects(page)
    if count <= _MOST_OBJECTS:
        for index in range(count):
            yield from inside(get(handle, index), _PLAIN, _MOST_DEPTH)


def _matrix(raw: Any, item: int) -> Matrix:
    given = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(ctypes.cast(item, raw.FPDF_PAGEOBJECT), given):
        return _PLAIN
    return given.a, given.b, given.c, given.d, given.e, given.f


def _times(first: Matrix, then: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    p, q, r, s, t, u = then
    return a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u


def _opaque(raw: Any, item: int, matrix: Matrix) -> Box | None:
    """The box, on the page, of a path that is filled."""
    path = ctypes.cast(item, raw.FPDF_PAGEOBJECT)
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    if not raw.FPDFPath_GetDrawMode(path, mode, stroke) or not mode.value:
        return None
    ends = [ctypes.c_float() for _ in range(4)]
    if not raw.FPDFPageObj_GetBounds(path, *ends):
        return None
    left, bottom, right, top = (end.value for end in ends)
    if matrix != _PLAIN:
        a, b, c, d, e, f = matrix
        corners = [(a * x + c * y + e, b * x + d * y + f) for x in (left, right) for y in (bottom, top)]
        (left, right), (bottom, top) = ((min(ends_of), max(ends_of)) for ends_of in zip(*corners, strict=True))
    return (left, bottom, right, top) if right - left > 2 and top - bottom > 2 else None


def _opaque_notes(raw: Any, page: Any) -> list[Box]:
    """The boxes of the annotations that may cover words: drawn shapes, and text on a ground."""
    found: list[Box] = []
    for index in range(min(raw.FPDFPage_GetAnnotCount(page), _MOST_NOTES)):
        note = raw.FPDFPage_GetAnnot(page, index)
        if not note:
            continue
        try:
            if raw.FPDFAnnot_GetSubtype(note) not in (
                raw.FPDF_ANNOT_SQUARE,
                raw.FPDF_ANNOT_CIRCLE,
                raw.FPDF_ANNOT_POLYGON,
                raw.FPDF_ANNOT_FREETEXT,
                raw.FPDF_ANNOT_REDACT,
            ):
                continue
            box = raw.FS_RECTF()
            if not raw.FPDFAnnot_GetFlags(note) & _UNSEEN and raw.FPDFAnnot_GetRect(note, box):
                (left, right), (bottom, top) = sorted((box.left, box.right)), sorted((box.bottom, box.top))
                found.append((left, bottom, right, top))
        finally:
            raw.FPDFPage_CloseAnnot(note)
    return found


def _is_even(raw: Any, page: Any, boxes: NDArray[np.float32], chosen: NDArray[np.intp], *, notes: bool) -> NDArray[np.bool_]:
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
        raw.FPDF_RenderPageBitmap(bitmap, page, 0, 0, across, down, 0, raw.FPDF_GRAYSCALE | (raw.FPDF_ANNOT if notes else 0))
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
