"""Rows of tables with the names of their columns, so that a passage from the middle of a table tells what its numbers are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from .layout import Line

__all__ = ["Tables"]

Cell = tuple[str, float, float]

MIN_ROWS = 3
"""Rows below a header from which it is one."""
_COLUMNS = 3
"""Columns from which on rows are a table: two are a list of keys and their values."""
_LONGEST = 40
"""Characters of a column's name."""
_NUMBERS = 0.6
"""Part of a column's cells that are numbers in a column of numbers; a table has at least one."""
_SHIFT = 3.0
"""Points by which a header may stand elsewhere on the next page."""


class Tables:
    """Names the cells of rows by the header above them, on the pages of one document in order.

    A row is taken for a header only if something says so: it is set apart from the rows below (`Emphasis`), or the table of the
    page before, which went on to its end, had the same. Words above numbers are not enough, for they may be the table's first
    row or what a form asks for. Lists of two columns, a key and its value, have none.
    """

    def __init__(self) -> None:
        self._before: list[tuple[Cell, ...]] = []
        """What may be the header of the table at the end of the page before."""

    def named(self, lines: list[Line], is_apart: Callable[[Line, Sequence[Line]], bool]) -> list[Line]:
        """The lines of a page; rows below a header as ``Name: cell; Name: cell``.

        ``is_apart``: whether a row is set apart from those below it.
        """
        before, self._before = self._before, []
        if not any(len(line.cells) > 1 for line in lines):  # as most pages
            return lines
        found: list[Line] = []
        at = 0
        while at < len(lines):
            end = at
            while end < len(lines) and len(lines[end].cells) > 1:
                end += 1
            if end - at < MIN_ROWS:
                found.extend(lines[at : max(end, at + 1)])
                at = max(end, at + 1)
                continue
            run = lines[at:end]
            possible = list(_possible_headers(run))
            first = next(
                (first for first in possible if _is_among(run[first].cells, before) or is_apart(run[first], run[first + 1 :])),
                len(run) - 1,
            )
            header = run[first].cells
            found.extend(run[: first + 1])
            for line in run[first + 1 :]:
                found.append(Line(_named(line.cells, header) or line.text, line.box, line.cells))
            if len(lines) - end <= 2:  # but for a foot
                self._before = [run[first].cells for first in possible]
            before = []
            at = end
        return found


def _possible_headers(run: list[Line]) -> Iterator[int]:
    """Which of the first two rows has words that may name the columns of those below."""
    for first in (0, 1):
        cells, rows = run[first].cells, run[first + 1 :]
        if len(rows) >= MIN_ROWS - 1 and _is_header(cells) and _fits(rows, cells):
            yield first
        elif any(_is_number(text) for text, _, _ in cells):  # it names columns by numbers, or is the first row
            return


def _is_among(cells: tuple[Cell, ...], headers: list[tuple[Cell, ...]]) -> bool:
    """Whether one of ``headers`` has the same words at the same places."""
    return any(
        len(cells) == len(header)
        and all(
            text == other and abs(left - begin) <= _SHIFT
            for (text, left, _), (other, begin, _) in zip(cells, header, strict=True)
        )
        for header in headers
    )


def _is_header(cells: tuple[Cell, ...]) -> bool:
    return all(
        0 < len(text.strip()) <= _LONGEST and any(map(str.isalpha, text)) and not any(map(str.isdigit, text))
        for text, _, _ in cells
    )


def _fits(rows: list[Line], header: tuple[Cell, ...]) -> bool:
    """Whether the cells of most rows stand below ``header``, in three columns or more, one of them of numbers."""
    numbers = [0] * len(header)
    totals = [0] * len(header)
    placed = unnamed = 0
    for row in rows:
        columns = _columns(row.cells, header)
        if columns is None:
            continue
        placed += 1
        unnamed += columns[0] < 0
        for column, (text, _, _) in zip(columns, row.cells, strict=True):
            if column >= 0:
                totals[column] += 1
                numbers[column] += _is_number(text)
    if placed < 0.7 * len(rows) or len(header) + (unnamed * 2 > placed) < _COLUMNS:
        return False
    return any(total >= MIN_ROWS - 1 and count >= _NUMBERS * total for count, total in zip(numbers, totals, strict=True))


def _is_number(text: str) -> bool:
    digits = sum(map(str.isdigit, text))
    return digits > 0 and digits >= sum(map(str.isalpha, text))


def _columns(cells: tuple[Cell, ...], header: tuple[Cell, ...]) -> list[int] | None:
    """The column of each cell, -1 for one left of all names (a row's own name); None if they do not stand below the names."""
    found: list[int] = []
    for text, left, right in cells:
        del text
        under = [at for at, (_, begin, end) in enumerate(header) if min(right, end) - max(left, begin) > 0]
        if len(under) > 1:
            return None
        if under:
            column = under[0]
        elif right <= header[0][1]:
            column = -1
        else:
            column = min(range(len(header)), key=lambda at: min(abs(left - header[at][1]), abs(right - header[at][2])))
        if found and column <= found[-1]:
            return None
        found.append(column)
    return found


def _named(cells: tuple[Cell, ...], header: tuple[Cell, ...]) -> str:
    columns = _columns(cells, header)
    if columns is None:
        return ""
    return "; ".join(
        f"{header[column][0].strip().rstrip(':')}: {text.strip()}" if column >= 0 else text.strip()
        for column, (text, _, _) in zip(columns, cells, strict=True)
    )
