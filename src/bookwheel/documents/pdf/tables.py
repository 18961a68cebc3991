"""Rows of tables with the names of their columns, so that a passage from the middle of a table tells what its numbers are."""

from __future__ import annotations

from .layout import Line

__all__ = ["Tables"]

Cell = tuple[str, float, float]

MIN_ROWS = 3
"""Rows below a header from which it is one."""
_LONGEST = 40
"""Characters of a column's name."""
_NUMBERS = 0.6
"""Part of a column's cells that are numbers in a column of numbers; a table has at least one."""


class Tables:
    """Names the cells of rows by the header above them, on the pages of one document in order."""

    def __init__(self) -> None:
        self._header: tuple[Cell, ...] = ()
        """Of the table at the end of the page before, which may go on."""

    def named(self, lines: list[Line]) -> list[Line]:
        """The lines of a page; rows below a header as ``Name: cell; Name: cell``."""
        carried, self._header = self._header, ()
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
            header, first = self._header_of(run, carried)
            carried = ()
            for line in run[:first]:
                found.append(line)
            for line in run[first:]:
                text = _named(line.cells, header) if header else ""
                found.append(Line(text or line.text, line.box, line.cells))
            if header and len(lines) - end <= 2:  # but for a foot
                self._header = header
            at = end
        return found

    def _header_of(self, run: list[Line], carried: tuple[Cell, ...]) -> tuple[tuple[Cell, ...], int]:
        """The header that holds for rows and the number of rows up to it; an empty one if they have none."""
        for first in (0, 1):
            cells, rows = run[first].cells, run[first + 1 :]
            if len(rows) >= MIN_ROWS - 1 and _is_header(cells) and _fits(rows, cells):
                return cells, first + 1
        if carried and _fits(run, carried):
            return carried, 0
        return (), len(run)


def _is_header(cells: tuple[Cell, ...]) -> bool:
    return all(
        0 < len(text.strip()) <= _LONGEST and any(map(str.isalpha, text)) and not any(map(str.isdigit, text))
        for text, _, _ in cells
    )


def _fits(rows: list[Line], header: tuple[Cell, ...]) -> bool:
    """Whether the cells of most rows stand below ``header``, and one column is of numbers."""
    numbers = [0] * len(header)
    totals = [0] * len(header)
    placed = 0
    for row in rows:
        columns = _columns(row.cells, header)
        if columns is None:
            continue
        placed += 1
        for column, (text, _, _) in zip(columns, row.cells, strict=True):
            if column >= 0:
                totals[column] += 1
                numbers[column] += _is_number(text)
    if placed < 0.7 * len(rows):
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
