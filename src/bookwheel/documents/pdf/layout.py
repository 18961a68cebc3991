"""The lines of a page in reading order: PDFium's own, unless columns were drawn row by row; and the rows of tables.

PDFium gives text in the order in which it is drawn. Some programs draw a page of several columns row by row across all columns:
its lines are then cut at the wide gaps that stand above each other, and put in order column by column, if what is left and right
of them reads like running text. What does not (cells of a table, commands with their meaning) stays as rows.
"""

from __future__ import annotations

import itertools
from bisect import bisect
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .chars import HYPHEN, Words
from .direction import along, direction_of, is_backwards, runs_leftwards

__all__ = ["Line", "lines_of"]

MIN_ROWS = 4
"""Rows that have to agree on a gap."""
_WIDE = 0.9
"""Part of a line's height from which a gap between words may divide columns."""
_SHARE = 0.6
"""Part of the rows that a gap has to run through."""
_PROSE_WORDS = 2.5
_PROSE_FILL = 0.5
MAX_SEGMENTS = 5_000
"""Pieces of lines on one page beyond which they stay as drawn."""

Box = tuple[float, float, float, float]


@dataclass(slots=True)
class Line:
    """A line of text and where it stands."""

    text: str
    box: Box
    """Left, bottom, right, top; all 0 if not known."""
    cells: tuple[tuple[str, float, float], ...] = ()
    """Of a row of a table, its cells with where they begin and end in the direction of writing."""


def lines_of(words: Words, kept: NDArray[np.bool_] | None = None) -> list[Line]:
    """The lines of a page, or of those of its words that are ``kept``."""
    if not len(words.starts):
        return []
    boxes = words.boxes
    if not len(boxes):
        return [Line(text, (0.0, 0.0, 0.0, 0.0)) for text in _plain(words.text)]
    starts, ends, numbers = words.starts, words.ends, words.lines
    parted: NDArray[np.bool_] | None = None
    if kept is not None:
        parted = np.diff(np.flatnonzero(kept)) > 1  # a line's text is cut out of the page's
        starts, ends, numbers, boxes = starts[kept], ends[kept], numbers[kept], boxes[kept]
        if not len(starts):
            return []
    drawn = boxes
    direction = direction_of(boxes, numbers)
    if direction != "right":
        boxes = along(boxes, direction)
    height = np.minimum(boxes[1:, 3] - boxes[1:, 1], boxes[:-1, 3] - boxes[:-1, 1])
    overlap = np.minimum(boxes[1:, 3], boxes[:-1, 3]) - np.maximum(boxes[1:, 1], boxes[:-1, 1])
    ahead = boxes[1:, 0] - boxes[:-1, 2]
    wide = (ahead > height * _WIDE) & (overlap > height * 0.5) & (height > 0)
    new_line = numbers[1:] != numbers[:-1]
    divided = int(np.count_nonzero(wide)) >= MIN_ROWS
    cut = new_line | wide if divided else new_line & ~wide
    if parted is not None:
        cut |= parted
    first = np.concatenate(([0], np.flatnonzero(cut) + 1))
    last = np.concatenate((first[1:], [len(starts)])) - 1
    left = np.minimum.reduceat(boxes[:, 0], first)
    bottom = np.minimum.reduceat(boxes[:, 1], first)
    right = np.maximum.reduceat(boxes[:, 2], first)
    top = np.maximum.reduceat(boxes[:, 3], first)
    text = words.text
    pieces = [_cleaned(text[a:b]) for a, b in zip(starts[first].tolist(), ends[last].tolist(), strict=True)]
    sides = list(zip(left.tolist(), right.tolist(), strict=True))
    if direction == "right":
        where = list(zip(left.tolist(), bottom.tolist(), right.tolist(), top.tolist(), strict=True))
    else:
        lows = np.minimum.reduceat(drawn[:, :2], first, axis=0).tolist()
        highs = np.maximum.reduceat(drawn[:, 2:], first, axis=0).tolist()
        where = [(low[0], low[1], high[0], high[1]) for low, high in zip(lows, highs, strict=True)]
    if not divided:
        lines = list(map(Line, pieces, where))
        falls = words.falls[kept] if kept is not None else words.falls
        if words.upright and falls.any():
            for begin, end in runs_leftwards(where, falls[first].tolist()):
                lines[begin:end] = lines[begin:end][::-1]
        return lines[::-1] if direction == "right" and words.upright and is_backwards(where) else lines
    joins = wide[first[1:] - 1]  # to the piece before, in one row
    order = None
    if len(pieces) <= MAX_SEGMENTS:
        order = _column_order(np.stack((left, bottom, right, top), axis=1), joins, (last - first + 1).tolist(), pieces)
    return _assembled(pieces, where, sides, joins.tolist(), order)


def _assembled(
    pieces: list[str], where: list[Box], sides: list[tuple[float, float]], joins: list[bool], order: list[int] | None
) -> list[Line]:
    """Pieces as lines: those of one row joined where they are not parted by columns."""
    found: list[Line] = []
    row: list[int] = []
    for piece in order or range(len(pieces)):
        if row and piece == row[-1] + 1 and joins[row[-1]]:
            row.append(piece)
        else:
            if row:
                found.append(_row(row, pieces, where, sides))
            row = [piece]
    if row:
        found.append(_row(row, pieces, where, sides))
    return found


def _row(row: list[int], pieces: list[str], where: list[Box], sides: list[tuple[float, float]]) -> Line:
    if len(row) == 1:
        return Line(pieces[row[0]], where[row[0]])
    boxes = [where[piece] for piece in row]
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    cells = tuple((pieces[piece], *sides[piece]) for piece in row)
    return Line(" ".join(text for text, _, _ in cells), (min(lefts), min(bottoms), max(rights), max(tops)), cells)


def _cleaned(text: str) -> str:
    if "\r" in text or "\n" in text:
        return " ".join(text.split())
    return text


def _plain(text: str) -> list[str]:
    return [line for line in text.replace(HYPHEN, HYPHEN + "\n").replace("\r", "\n").split("\n") if line and not line.isspace()]


def _column_order(
    boxes: NDArray[np.float32], joins: NDArray[np.bool_], lengths: list[int], pieces: list[str]
) -> list[int] | None:
    """The pieces column by column; None if they stay as drawn."""
    rows: list[list[int]] = [[0]]
    for piece, joined in enumerate(joins.tolist(), 1):
        if joined:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    sides = boxes[:, [0, 2]].tolist()
    zones = _zones(rows, sides)
    order: list[int] = []
    changed = False
    at = 0
    for begin, end, gutters in zones:
        order.extend(piece for row in rows[at:begin] for piece in row)
        at = end
        columns: list[list[int]] = [[] for _ in range(len(gutters) + 1)]
        for row in rows[begin:end]:
            for piece in row:
                columns[bisect(gutters, sides[piece][0])].append(piece)
        if all(_is_prose(column, boxes, lengths, pieces) for column in columns):
            changed = True
            for column in columns:
                order.extend(column)
        else:
            order.extend(piece for row in rows[begin:end] for piece in row)
    order.extend(piece for row in rows[at:] for piece in row)
    return order if changed else None


def _zones(rows: list[list[int]], sides: list[list[float]]) -> list[tuple[int, int, list[float]]]:
    """Runs of rows with the same gaps: the first row, the one after the last, and where the gaps are, from the left."""
    found: list[tuple[int, int, list[float]]] = []
    begin = 0
    total = len(rows)
    while begin < total:
        if len(rows[begin]) < 2:
            begin += 1
            continue
        gaps = _gaps(rows[begin], sides)
        seen = 1
        end = begin + 1
        several = end
        while end < total:
            narrowed = _narrowed(gaps, rows[end], sides)
            if not narrowed or (len(narrowed) < len(gaps) and seen >= MIN_ROWS):  # a heading across columns
                break
            gaps = narrowed
            end += 1
            if len(rows[end - 1]) > 1:
                seen += 1
                several = end
        if seen >= MIN_ROWS and seen >= (several - begin) * _SHARE:
            found.append((begin, several, [(low + high) / 2 for low, high in gaps]))
            begin = several
        else:
            begin += 1
    return found


def _gaps(row: list[int], sides: list[list[float]]) -> list[tuple[float, float]]:
    return [(sides[a][1], sides[b][0]) for a, b in itertools.pairwise(row)]


def _narrowed(gaps: list[tuple[float, float]], row: list[int], sides: list[list[float]]) -> list[tuple[float, float]]:
    """What is left of ``gaps`` where the pieces of ``row`` stand."""
    for piece in row:
        left, right = sides[piece]
        kept: list[tuple[float, float]] = []
        for low, high in gaps:
            if right <= low or left >= high:
                kept.append((low, high))
            elif left <= low and right < high and high - right > 2:
                kept.append((right, high))
            elif right >= high and left > low and left - low > 2:
                kept.append((low, left))
        gaps = kept
        if not gaps:
            break
    return gaps


def _is_prose(column: list[int], boxes: NDArray[np.float32], lengths: list[int], pieces: list[str]) -> bool:
    """Whether these pieces, top to bottom, read like running text: several words each, and lines of nearly the same length."""
    if len(column) < MIN_ROWS - 1:
        return False
    words = sum(lengths[piece] for piece in column) / len(column)
    characters = sum(len(pieces[piece]) for piece in column)
    if words < _PROSE_WORDS and characters < 14 * len(column):
        return False
    letters = sum(1 for piece in column for character in pieces[piece] if character.isalpha())
    if letters < 0.6 * characters:
        return False
    widths = boxes[column, 2] - boxes[column, 0]
    full = float(widths.max())
    filled = int(np.count_nonzero(widths > 0.7 * full))
    left = float(boxes[column, 0].min())
    indented = int(np.count_nonzero(boxes[column, 0] - left < 0.25 * full))
    if filled < _PROSE_FILL * len(column) or indented < 0.7 * len(column):
        return False
    # Cells begin anew in each row; lines of running text go on.
    starts = sum(1 for piece in column if pieces[piece][:1].islower())
    caseless = not any(character.isupper() or character.islower() for character in pieces[column[0]])
    return caseless or starts >= 0.3 * len(column)
