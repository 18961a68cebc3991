"""The characters of a PDF page as words with boxes, through PDFium's own functions in bulk.

PDFium gives one character's box a call. Called through ctypes one by one in Python that costs more than the rest of reading, so
the calls are made by ``map`` over ranges, and as a rule only for the first and last character of each word.
"""

from __future__ import annotations

import ctypes
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .accents import composed
from .powers import power_marks
from .right_to_left import reading_order

__all__ = ["HYPHEN", "Words", "words_of"]

HYPHEN = "\ufffe"
"""PDFium's mark for the hyphen of a word that is broken at a line's end."""

_LINE_END = (10, 13)

MAX_CHARS = 200_000
"""Characters of one page beyond which its layout is not looked at."""

_SAMPLE = 64
"""Characters of a page that are asked for faults before all are."""
_GAP = 0.2
"""Part of the type's size by which two characters of one word stand apart at most."""
_HEIGHT = 1.1
"""Height of a character's box (ascent and descent) in parts of the type's size, as in most fonts."""

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a page in the order in which they are drawn."""

    text: str
    """All characters, those between words too, and marks around raised digits (``10^6``, ``Kestrel[1]``)."""
    starts: Ints
    """Of each word its first character …"""
    ends: Ints
    """… and the one after its last."""
    lines: Ints
    """The number of the line of each word, as PDFium breaks lines."""
    boxes: Floats
    """Left, bottom, right and top of each word; one row a word. Empty if the page has too many characters."""
    glued: int
    """Spaces that were put between characters standing apart; -1 if that was not looked at."""
    odd: int
    """Control and private characters, which are spaces in ``text`` if controls."""
    faults: int
    """Characters that PDFium did not find in the font's table; 0 if there are few."""
    chars: Ints
    """Of each word PDFium's number of its first character."""
    falls: NDArray[np.bool_]
    """Whether a word is written from the top down; one a box."""
    upright: bool = True
    """Whether the page's first word is neither turned nor mirrored."""


@cache
def _functions() -> tuple[Callable[..., int], ...]:
    """PDFium's functions by prototypes of our own, which take plain numbers as pointers and keep the interpreter's lock."""
    import pypdfium2.raw as raw

    def own(name: str, *arguments: Any) -> Callable[..., int]:
        address = ctypes.cast(getattr(raw, name), ctypes.c_void_p).value
        return ctypes.PYFUNCTYPE(ctypes.c_int, *arguments)(address or 0)

    page, at = ctypes.c_void_p, ctypes.c_int
    return (
        own("FPDFText_GetText", page, at, at, ctypes.c_void_p),
        own("FPDFText_GetLooseCharBox", page, at, ctypes.c_void_p),
        own("FPDFText_GetUnicode", page, at),
        own("FPDFText_HasUnicodeMapError", page, at),
        own("FPDFText_IsHyphen", page, at),
    )


def words_of(content: Any, *, every: bool = False) -> Words:
    """The words of ``content``, what PDFium's ``FPDFText_LoadPage`` gave.

    ``every``: look at the box of every character, and put a space where two stand 0.2 em apart.
    """
    import pypdfium2.raw as raw

    count = int(raw.FPDFText_CountChars(content))
    if count <= 0:
        none = np.empty(0, np.int64)
        return Words("", none, none, none, np.empty((0, 4), np.float32), 0, 0, 0, none, none.astype(np.bool_))
    page = ctypes.cast(content, ctypes.c_void_p).value or 0
    get_text, boxes, unicode, unmapped, hyphen = _functions()
    buffer = np.empty(2 * count + 2, np.uint16)
    written = get_text(page, 0, count, buffer.ctypes.data)
    if written - 1 == count:
        codes = buffer[:count].astype(np.uint32)
    else:  # characters left out, or beyond 16 bits
        codes = np.fromiter(map(unicode, repeat(page, count), range(count)), np.int64, count).astype(np.uint32)
        codes[codes > 0x10FFFF] = 0xFFFD
        for found in np.flatnonzero(codes == 2).tolist():  # what this function gives for the mark of a hyphen
            if hyphen(page, found) == 1:
                codes[found] = ord(HYPHEN)
    _mark_hyphens(codes)
    control = (codes < 32) & (codes != 10) & (codes != 13) & (codes != 9) | (codes >= 0x7F) & (codes < 0xA0) | (codes == 0xFFFF)
    odd = int(np.count_nonzero(control | (codes >= 0xE000) & (codes < 0xF900) | (codes == 0xFFFD)))
    if odd:
        codes[control] = 32
    some = range(0, count, max(1, count // _SAMPLE))
    faults = sum(map(unmapped, repeat(page, len(some)), some))
    if faults * 8 > len(some):
        faults = sum(map(unmapped, repeat(page, count), range(count)))
    else:
        faults = 0
    glued = -1
    places: Ints = np.arange(count)
    put = np.empty(0, np.int64)
    marks = np.empty(0, np.uint32)
    if count <= MAX_CHARS:
        kept = composed(codes, lambda indices: _boxes(boxes, page, indices))
        if kept is not None:
            codes, places = codes[kept], kept
        turned = reading_order(
            codes,
            lambda indices: _boxes(boxes, page, places[indices]),
            lambda index: math.cos(raw.FPDFText_GetCharAngle(content, int(places[index]))) > 0.5,
        )
        if turned is not None:
            codes, places = codes[turned], places[turned]
        put, marks = power_marks(codes, lambda indices: _boxes(boxes, page, places[indices]))
    solid = (codes > 32) & (codes != 0xA0)
    if every and count <= MAX_CHARS:
        drawn = np.flatnonzero(solid)
        at = _boxes(boxes, page, places[drawn])
        apart = _apart(codes, drawn, at)
        glued = len(apart)
        apart = np.setdiff1d(apart, put[marks != ord("]")])
        put = np.concatenate((put, apart))
        marks = np.concatenate((marks, np.full(len(apart), 32, np.uint32)))
    rows = np.cumsum(solid) - 1
    if len(put):
        codes = np.insert(codes, put, marks)
        solid = np.insert(solid, put, marks != 32)
        rows = np.insert(rows, put, rows[put - 1])  # a mark is where the character before it is
        places = np.insert(places, put, places[put - 1])
    text = codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
    before = np.empty_like(solid)
    before[0] = False
    # a word broken at a line's end is two
    np.logical_and(solid[:-1], codes[:-1] != 0xFFFE, out=before[1:])
    starts = np.flatnonzero(solid & ~before)
    after = np.empty_like(solid)
    after[-1] = False
    after[:-1] = solid[1:]
    ends = np.flatnonzero(solid & (~after | (codes == 0xFFFE))) + 1
    breaks = np.cumsum((codes == 10) | (codes == 0xFFFE))
    lines = breaks[starts] - (codes[starts] == 0xFFFE)
    if count > MAX_CHARS:
        return Words(
            text, starts, ends, lines, np.empty((0, 4), np.float32), glued, odd, faults, places[starts], np.empty(0, np.bool_)
        )
    if glued >= 0:
        first = at[rows[starts]]
        last = at[rows[ends - 1]]
    else:
        first = _boxes(boxes, page, places[starts])
        far = _far(first, ends - starts, lines)
        last = first.copy()
        last[:-1, 2] = first[1:, 0]
        last[far] = _boxes(boxes, page, places[ends[far] - 1])
    joined = np.concatenate((np.minimum(first[:, :2], last[:, :2]), np.maximum(first[:, 2:], last[:, 2:])), axis=1)
    falls = (first[:, 1] > last[:, 3]) & (np.minimum(first[:, 2], last[:, 2]) > np.maximum(first[:, 0], last[:, 0]))
    return Words(
        text, starts, ends, lines, joined, glued, odd, faults, places[starts], falls, _is_upright(content, places[starts])
    )


def _is_upright(content: Any, chars: Ints) -> bool:
    """Whether the first of these characters is drawn neither turned nor mirrored."""
    import pypdfium2.raw as raw

    matrix = raw.FS_MATRIX()
    return bool(len(chars) and raw.FPDFText_GetMatrix(content, int(chars[0]), matrix)) and matrix.a > 0 and matrix.d > 0


def _mark_hyphens(codes: NDArray[np.uint32]) -> None:
    """Marks in ``codes`` what PDFium takes for no hyphen: U+2010 at the ends of lines, perhaps with a space behind it."""
    for at in np.flatnonzero(codes[1:-1] == 0x2010).tolist():
        behind = codes[at + 2 : at + 4].tolist()
        if codes[at] > 32 and (behind[0] in _LINE_END or (behind[0] == 32 and behind[-1] in _LINE_END)):
            codes[at + 1] = ord(HYPHEN)


def _far(first: Floats, lengths: Ints, lines: Ints) -> Ints:
    """The words that may end far before the next one begins: those longer than their number of characters lets expect.

    Of the others it need not be known where they end. ``first``: the boxes of first characters.
    """
    advance = first[1:, 0] - first[:-1, 0]
    height = np.maximum(first[:-1, 3] - first[:-1, 1], 0.1)
    room = (lengths[:-1] + 0.6) * height
    near = (lines[1:] == lines[:-1]) & (advance > 0)
    width = advance[near].sum() / max(float(room[near].sum()), 0.1)
    ending = np.ones(len(first), np.bool_)
    ending[:-1] = ~near | (advance > 0.9 * width * room + 0.35 * height)
    found: Ints = np.flatnonzero(ending)
    return found


def _boxes(function: Callable[..., int], page: int, indices: Ints) -> Floats:
    """Left, bottom, right, top of the characters at ``indices``: their advance and the font's ascent and descent."""
    count = len(indices)
    raw = np.zeros((count, 4), np.float32)
    begin = raw.ctypes.data
    deque(map(function, repeat(page, count), indices.tolist(), range(begin, begin + 16 * count, 16)), maxlen=0)
    return raw[:, [0, 3, 2, 1]]  # FS_RECTF is left, top, right, bottom


def _apart(codes: NDArray[np.uint32], drawn: Ints, at: Floats) -> Ints:
    """The characters of one word and line before which a space is missing."""
    if len(drawn) < 2:
        return np.empty(0, np.int64)
    here, there = at[:-1], at[1:]
    size = np.minimum(here[:, 3] - here[:, 1], there[:, 3] - there[:, 1]) / _HEIGHT
    overlap = np.minimum(here[:, 3], there[:, 3]) - np.maximum(here[:, 1], there[:, 1])
    gap = there[:, 0] - here[:, 2]
    together = np.diff(drawn) == 1
    left, right = codes[drawn[:-1]], codes[drawn[1:]]
    wanted = together & (size > 0) & (overlap > size * 0.5) & (left < 0x2E80) & (right < 0x2E80) & (left != 0xFFFE)
    found = wanted & (gap > size * _GAP)
    if not found.any():
        return np.empty(0, np.int64)
    # Letters that are all set apart are one word: a title in spaced letters.
    word = np.concatenate(([0], np.cumsum(~together)))[1:]
    inner = np.bincount(word, wanted)
    split = np.bincount(word, found)
    usual = np.bincount(word, np.where(wanted & ~found, np.maximum(gap, 0) / size, 0)) / np.maximum(inner - split, 1)
    found &= ~((split * 2 > inner) & (inner > 2))[word] & (gap > 3 * usual[word] * size)
    after: Ints = drawn[1:][found]
    return after
