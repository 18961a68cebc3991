"""The part of a passage that matches best, wrapped to the terminal, with the matching words marked."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence

from .._width import display_width
from .output import clean

__all__ = ["passage_lines"]

_WORD = re.compile(r"\S+")
_TAB = "    "
Highlights = Sequence[tuple[int, int]]
Mark = Callable[[str], str]


def passage_lines(text: str, highlights: Highlights, width: int, lines: int | None, mark: Mark = str) -> list[str]:
    """At most ``lines`` lines (all where None) of ``text``, each at most ``width`` columns.

    Of a longer text, the lines with the most distinct matching words are shown; ``…`` marks what is
    left out. ``mark`` is applied to the text within ``highlights`` (start, end). Code keeps its
    line ends; prose is rewrapped.
    """
    if _is_code(text):
        return _code(clean(text, lines=True), highlights, width, lines, mark)
    text = clean(text)
    if lines is None or display_width(text) <= width:
        return _fill(text, 0, len(text), highlights, width, mark)
    start, end = _window(text, highlights, width * lines)
    filled = _fill(text, start, end, highlights, width - 2, mark)
    shown = filled[:lines]
    if shown and start > 0:
        shown[0] = "… " + shown[0]
    if shown and (end < len(text) or len(filled) > lines):
        shown[-1] += " …"
    return shown


def _is_code(text: str) -> bool:
    """Whether the text looks like code: two lines in five are indented."""
    lines = [line for line in text[:5000].split("\n") if line.strip()]
    return len(lines) > 1 and sum(line[0] in " \t" for line in lines) >= 0.4 * len(lines)


def _window(text: str, highlights: Highlights, size: int) -> tuple[int, int]:
    """The ``size`` characters of ``text`` with the most distinct matching words, from
    the start of a sentence or word.
    """
    if len(text) <= size:
        return 0, len(text)
    count: Counter[str] = Counter()
    first, best, best_start = 0, 0, 0
    for number, (start, end) in enumerate(highlights):
        count[text[start:end].lower()] += 1
        while first < number and end - highlights[first][0] > size:
            word = text[slice(*highlights[first])].lower()
            count[word] -= 1
            if not count[word]:
                del count[word]
            first += 1
        if len(count) > best:
            best, best_start = len(count), highlights[first][0]
    lead = size // 4
    if best_start <= lead:
        return 0, size
    before = text[max(0, best_start - lead) : best_start]
    sentence = max(before.rfind(stop) for stop in (". ", "? ", "! "))
    start = best_start - len(before) + (sentence + 2 if sentence >= 0 else before.find(" ") + 1)
    return start, min(len(text), start + size)


def _pieces(start: int, end: int, highlights: Highlights) -> list[tuple[int, int, bool]]:
    """The span ``start`` to ``end``, split where a highlight begins or ends; each piece
    with whether it is highlighted.
    """
    pieces, at = [], start
    for first, last in highlights:
        first, last = max(first, at), min(last, end)
        if last <= first:
            continue
        if first > at:
            pieces.append((at, first, False))
        pieces.append((first, last, True))
        at = last
    if at < end:
        pieces.append((at, end, False))
    return pieces


def _fill(text: str, start: int, end: int, highlights: Highlights, width: int, mark: Mark) -> list[str]:
    """The words from ``start`` to ``end`` as lines; a word longer than a line is broken."""
    lines: list[str] = []
    line, used = "", 0
    inside = [h for h in highlights if h[1] > start and h[0] < end]
    upcoming = 0
    for match in _WORD.finditer(text, start, end):
        while upcoming < len(inside) and inside[upcoming][1] <= match.start():
            upcoming += 1
        for first, last in _broken(text, match.start(), match.end(), width):
            columns = display_width(text[first:last])
            glue = 1 if used and first == match.start() else 0
            if used and used + glue + columns > width:
                lines.append(line)
                line, used, glue = "", 0, 0
            marked = "".join(
                mark(text[a:b]) if hit else text[a:b] for a, b, hit in _pieces(first, last, inside[upcoming : upcoming + 64])
            )
            line += " " * glue + marked
            used += glue + columns
    return [*lines, line] if line else lines


def _broken(text: str, start: int, end: int, width: int) -> list[tuple[int, int]]:
    """The word ``start`` to ``end``, in parts no wider than ``width`` columns."""
    if display_width(text[start:end]) <= width:
        return [(start, end)]
    parts, at, used = [], start, 0
    for position in range(start, end):
        columns = display_width(text[position])
        if used + columns > width:
            parts.append((at, position))
            at, used = position, 0
        used += columns
    return [*parts, (at, end)]


def _code(text: str, highlights: Highlights, width: int, lines: int | None, mark: Mark) -> list[str]:
    """Whole lines without their common indentation, cut at ``width``."""
    spans: list[tuple[int, int]] = []
    at = 0
    for part in text.split("\n"):
        spans.append((at, at + len(part)))
        at += len(part) + 1
    spans = [(a, a + len(text[a:b].rstrip())) for a, b in spans]
    words: list[set[str]] = [set() for _ in spans]
    starts = [a for a, _ in spans]
    for start, end in highlights:
        words[bisect_right(starts, start) - 1].add(text[start:end].lower())
    first, last = 0, len(spans)
    if lines is not None and len(spans) > lines:
        best = 0
        for candidate in range(len(spans) - lines + 1):
            if (found := len(set().union(*words[candidate : candidate + lines]))) > best:
                first, best = candidate, found
        while not words[first] and first + lines < len(spans):
            first += 1
        last = first + lines
    shown = spans[first:last]
    while shown and shown[0][0] == shown[0][1]:
        shown = shown[1:]
    while shown and shown[-1][0] == shown[-1][1]:
        shown = shown[:-1]
    # A passage may begin in the middle of a line: the first line's indentation says nothing then.
    deep = [len(line) - len(line.lstrip()) for a, b in shown[first == 0 :] if (line := text[a:b])]
    cut = min(deep, default=0)
    return [_one(text, a + min(cut, b - a - len(text[a:b].lstrip())), b, highlights, width, mark) for a, b in shown]


def _one(text: str, start: int, end: int, highlights: Highlights, width: int, mark: Mark) -> str:
    """One line of code, cut at ``width`` columns."""
    line, used = "", 0
    for first, last, hit in _pieces(start, end, highlights):
        piece = text[first:last].replace("\t", _TAB)
        while display_width(piece) > width - used:
            piece = piece[:-1]
        line += mark(piece) if hit else piece
        used += display_width(piece)
    return line
