"""Arabic and Hebrew in reading order, where PDFium gives words as they are drawn: from the left, and so with their last letter first.

PDFium turns text round that is written from right to left, but misses pieces of it, as Chromium and others draw them. Such words
show: their letters stand further to the right, one after the other. So do brackets, which in such text are drawn mirrored.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["reading_order"]

_STEP = 0.25
"""How much further the middle of a letter is than that of the one before, in parts of their widths, at least."""
_PAIRS = {ord(left): ord(right) for left, right in ("()", "[]", "{}", "«»")}
_CLOSING = {right: left for left, right in _PAIRS.items()}
_ENDS = frozenset(map(ord, " \r\n\xa0.,;:!?،؛؟"))

Codes = NDArray[np.uint32]
Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


def reading_order(codes: Codes, boxes: Callable[[Ints], Floats], upright: Callable[[int], bool]) -> Ints | None:
    """The numbers of the characters of a page in reading order, and its brackets in ``codes`` turned the right way; None if
    the order is right.

    ``boxes``: left, bottom, right and top of the characters of these numbers; ``upright``: whether a character is drawn upright.
    """
    if not len(codes) or int(codes.max()) < 0x590:
        return None
    found = np.flatnonzero((codes >= 0x590) & (codes < 0x900) | (codes >= 0xFB1D) & (codes < 0xFEFF))
    if not len(found):
        return None
    kinds = {code: unicodedata.bidirectional(chr(code)) for code in np.unique(codes[found]).tolist()}
    letters = {code for code, kind in kinds.items() if kind in ("R", "AL")}
    marks = {code for code, kind in kinds.items() if kind == "NSM"}
    at = np.array([place for place in found.tolist() if int(codes[place]) in letters], np.int64)
    order = list(range(len(codes)))
    if len(at) > 1:
        places = boxes(at)
        for begin, end in _turned(codes, at, places, marks, upright):
            same = {int(at[number]) for number in np.flatnonzero((np.diff(places[:, 0]) == 0) & (np.diff(at) == 1))}
            order[begin:end] = _reversed(codes, begin, end, same)
    shown = [int(codes[place]) for place in order]
    for place, code in enumerate(shown):
        if code in _PAIRS or code in _CLOSING:
            _set_bracket(place, shown, order, letters, marks, boxes)
    codes[order] = shown
    return np.array(order, np.int64) if order != list(range(len(order))) else None


def _turned(codes: Codes, at: Ints, places: Floats, marks: set[int], upright: Callable[[int], bool]) -> list[tuple[int, int]]:
    """The runs of characters that are given from the left: the first, and the one after the last."""
    middle = (places[:, 0] + places[:, 2]) / 2
    width = (places[1:, 2] - places[1:, 0] + places[:-1, 2] - places[:-1, 0]) / 2
    step = np.diff(middle)
    level = np.minimum(places[1:, 3], places[:-1, 3]) > np.maximum(places[1:, 1], places[:-1, 1])
    ahead = (level & (step > width * _STEP)).tolist()
    same = (step == 0).tolist()
    numbers = at.tolist()
    runs: list[list[int]] = []
    first = 0
    while first < len(numbers):
        last, grows = first, False
        while last + 1 < len(numbers) and (ahead[last] or same[last]):
            if any(int(code) not in marks for code in codes[numbers[last] + 1 : numbers[last + 1]]):
                break
            grows = grows or ahead[last]
            last += 1
        if grows and upright(numbers[first]):
            begin = numbers[first]
            while begin and int(codes[begin - 1]) in marks:
                begin -= 1
            if first and numbers[first - 1] == begin - 1:  # the marks of a letter that comes before
                begin = numbers[first]
            between = codes[runs[-1][1] : begin].tolist() if runs else []
            if between and len(between) < 3 and set(between) <= {32, 0xA0} and ahead[first - 1]:
                runs[-1][1] = numbers[last] + 1  # a piece of several words
            else:
                runs.append([begin, numbers[last] + 1])
        first = last + 1
    return [(begin, end) for begin, end in runs]


def _reversed(codes: Codes, begin: int, end: int, same: set[int]) -> list[int]:
    """A run the other way round, but for letters that one sign stands for.

    ``same``: the letters of which the next one has the same place.
    """
    units: list[list[int]] = []
    for place in range(begin, end):
        if units and place - 1 in same:
            units[-1].append(place)
        else:
            units.append([place])
    return [place for unit in reversed(units) for place in unit]


def _set_bracket(
    place: int, shown: list[int], order: list[int], letters: set[int], marks: set[int], boxes: Callable[[Ints], Floats]
) -> None:
    """Puts a bracket before the space that is left of it, or behind the one that is right of it; and turns it to its word."""
    inside = letters | marks
    for space in (place - 1, place + 1):
        low, high = min(space, place), max(space, place)
        if low > 0 and high + 1 < len(shown) and shown[space] == 32 and shown[low - 1] in inside and shown[high + 1] in inside:
            here, there = boxes(np.array([order[low], order[high]]))
            if here[0] < there[0] and here[2] <= there[2]:
                shown[low], shown[high] = shown[high], shown[low]
                order[low], order[high] = order[high], order[low]
                place = space
            break
    code = shown[place]
    before = shown[place - 1] if place else 32
    behind = shown[place + 1] if place + 1 < len(shown) else 32
    if behind in letters and before in _ENDS:
        shown[place] = _CLOSING.get(code, code)
    elif before in inside and behind in _ENDS:
        shown[place] = _PAIRS.get(code, code)
