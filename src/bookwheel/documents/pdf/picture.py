"""A page as a picture (PNG), with the places of quotes marked. It runs in a process of its own (`isolated.drawing`)."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..._errors import InputError
from .chars import words_of
from .quote import boxes_of

__all__ = ["MOST_PIXELS", "WIDTHS", "Picture", "draw_page"]

WIDTHS = (100, 2000)
"""Pixels that a picture may be wide."""
MOST_PIXELS, MOST_HEIGHT = 6_000_000, 10_000
"""Of a page that is very long, the picture is narrower than asked for."""
_MARK = np.array([255, 230, 110], np.float32) / 255
"""What the colour of a marked place is multiplied by: yellow on white."""
_EDGE = np.array([176, 112, 0], np.uint8)
_SHADES = 16
_AROUND = 0.15
"""Parts of its height by which a mark is larger than the text."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A page drawn."""

    png: bytes
    width: int
    height: int
    boxes: tuple[tuple[int, int, int, int], ...]
    """Left, top, right and bottom of each marked line, in pixels."""
    pages: int
    """Pages of the document."""


def draw_page(stream: BinaryIO, label: str, page: int, width: int, quotes: Sequence[tuple[str, str]] = ()) -> Picture:
    """Page ``page`` (from 1) of the PDF in ``stream``, ``width`` pixels wide; ``quotes``: see `boxes_of`.

    Raises `InputError`, in which the file is called ``label``.
    """
    import pypdfium2
    import pypdfium2.raw as raw

    try:
        pdf = pypdfium2.PdfDocument(stream)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise InputError(f"{label} is protected by a password; index a copy saved without one") from error
        raise InputError(f"{label} is damaged or not a PDF ({str(error).rstrip('.')})") from error
    try:
        count = len(pdf)
        if not 1 <= page <= count:
            raise InputError(f"{label} has {count:,} page{'s' if count > 1 else ''}, no page {page:,}")
        try:
            drawn = pdf[page - 1]
            across, down = drawn.get_size()
            if not (across > 0 and down > 0 and math.isfinite(across * down)):
                raise InputError(f"{label} p. {page} has no size that can be drawn")
            scale = min(width / across, math.sqrt(MOST_PIXELS / (across * down)), MOST_HEIGHT / down)
            pixels = np.array(drawn.render(scale=scale, rev_byteorder=True).to_numpy()[..., :3], np.uint8)
        except pypdfium2.PdfiumError as error:
            raise InputError(f"{label} p. {page} cannot be drawn ({str(error).rstrip('.')})") from error
        boxes = _boxes(raw, drawn, pixels.shape, quotes) if quotes else []
    finally:
        pdf.close()
    height, width = pixels.shape[:2]
    png = _gray(pixels, boxes) if (pixels == pixels[..., :1]).all() else _coloured(pixels, boxes)
    return Picture(png, width, height, tuple(boxes), count)


def _boxes(raw: Any, drawn: Any, shape: tuple[int, ...], quotes: Sequence[tuple[str, str]]) -> list[tuple[int, int, int, int]]:
    """The boxes of ``quotes`` in pixels of a picture of ``shape``, whatever the page's rotation."""
    import ctypes

    height, width = shape[:2]
    content = raw.FPDFText_LoadPage(drawn)
    if not content:
        return []
    try:
        found = boxes_of(words_of(content, every=True), quotes)
    finally:
        raw.FPDFText_ClosePage(content)
    boxes: list[tuple[int, int, int, int]] = []
    x, y = ctypes.c_int(), ctypes.c_int()
    for left, bottom, right, top in found:
        corners: list[tuple[int, int]] = []
        for across, up in ((left, bottom), (right, top)):
            if raw.FPDF_PageToDevice(drawn, 0, 0, width, height, 0, across, up, ctypes.byref(x), ctypes.byref(y)):
                corners.append((x.value, y.value))
        if len(corners) < 2:
            continue
        (x0, y0), (x1, y1) = corners
        x0, x1, y0, y1 = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
        more = max(2, round(_AROUND * min(y1 - y0, x1 - x0)))
        box = (max(x0 - more, 0), max(y0 - more, 0), min(x1 + more, width), min(y1 + more, height))
        if box[0] < box[2] and box[1] < box[3]:
            boxes.append(box)
    return boxes


def _coloured(pixels: NDArray[np.uint8], boxes: Sequence[tuple[int, int, int, int]]) -> bytes:
    for left, top, right, bottom in boxes:
        inside = pixels[top:bottom, left:right]
        inside[:] = (inside * _MARK).astype(np.uint8)
        inside[-2:] = _EDGE  # underlined: a colour alone is not seen by everyone
    return _png(pixels.reshape(len(pixels), -1), pixels.shape[1])


def _gray(pixels: NDArray[np.uint8], boxes: Sequence[tuple[int, int, int, int]]) -> bytes:
    """A page in black and white, as most are: in 16 shades, which is a third of the bytes."""
    shades = (pixels[..., 0] >> 4).astype(np.uint8)
    for left, top, right, bottom in boxes:
        inside = shades[top:bottom, left:right]
        inside[inside < _SHADES] += _SHADES
        inside[-2:] = 2 * _SHADES
    plain = np.repeat(np.arange(_SHADES, dtype=np.uint8)[:, np.newaxis] * 17, 3, axis=1)
    palette = np.concatenate([plain, (plain * _MARK).astype(np.uint8), _EDGE[np.newaxis]])
    return _png(shades, shades.shape[1], palette)


def _png(rows: NDArray[np.uint8], width: int, palette: NDArray[np.uint8] | None = None) -> bytes:
    """PNG (RFC 2083) of RGB, or of numbers of colours of ``palette``; each row less the one above it: nothing where it is white."""
    height = len(rows)
    lines = np.empty((height, rows.shape[1] + 1), np.uint8)
    lines[:, 0] = 2
    lines[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=lines[1:, 1:])

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2 if palette is None else 3, 0, 0, 0)
    colours = b"" if palette is None else chunk(b"PLTE", palette.tobytes())
    data = chunk(b"IDAT", zlib.compress(lines.tobytes(), 6))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + colours + data + chunk(b"IEND", b"")
