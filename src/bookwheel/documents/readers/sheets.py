"""From the cells of a workbook's sheets to one text: a line for each row, each sheet under its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..parts import Hidden, Part, column_name
from .grid import Row, header_of, line_of

__all__ = ["Sheet", "workbook"]


@dataclass(slots=True)
class Sheet:
    """A sheet as its reader found it."""

    name: str
    rows: list[tuple[int, dict[int, str]]] = field(default_factory=list)
    """Row number and cells by column number (both from 1), of rows that are not empty, ascending."""
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    """First column and row, last column and row, of cells that were merged into one."""
    notes: list[tuple[int, int, str]] = field(default_factory=list)
    """Column, row and text of comments."""
    texts: list[str] = field(default_factory=list)
    """What shapes and charts on it say."""
    hidden: bool = False
    hidden_rows: set[int] = field(default_factory=set)
    """Numbers of the rows that are not shown."""
    hidden_columns: set[int] = field(default_factory=set)
    """Numbers of the columns that are not shown."""


_MOST_FILLED = 100_000
"""Cells that merged cells are spread to."""


def workbook(sheets: Iterator[Sheet]) -> tuple[str, tuple[Part, ...], tuple[Hidden, ...]]:
    """The text of all sheets, its parts, and what of it is in hidden sheets, rows and columns."""
    hidden: list[Hidden] = []
    pieces: list[str] = []
    parts: list[Part] = []
    length = 0

    def add(text: str, part: Part | None) -> None:
        nonlocal length
        if part is not None:
            parts.append(part._replace(start=length))
        pieces.append(text)
        length += len(text)

    for sheet in sheets:
        blocks = list(_blocks(sheet))
        if not blocks and not sheet.texts and not sheet.notes:
            continue
        begin = length
        add(f"{sheet.name}{' (hidden sheet)' if sheet.hidden else ''}\n\n", Part(0, f"sheet {sheet.name}"))
        header: Row | None = None
        for block in blocks:
            at = header_of([row for _, row in block])
            if at is not None:
                header = block[at][1]
            elif header is not None and not header.keys() >= block[0][1].keys():
                header = None
            columns = [column for _, row in block for column in row]
            lines: list[str] = []
            before = length
            for place, (number, row) in enumerate(block):
                # The header's own row, and titles above it, stand as they are.
                line, shown = _line(sheet, number, row, header if at is None or place > at else None)
                if shown < len(line) and not sheet.hidden:
                    start = before + shown
                    if not shown and hidden and hidden[-1].end == before - 1 and before > length:  # rows one after the other
                        start = hidden.pop().start
                    hidden.append(Hidden(start, before + len(line), "hidden cells"))
                before += len(line) + 1
                lines.append(line)
            add(
                "\n".join(lines) + "\n\n",
                Part(0, sheet.name, f"{column_name(min(columns))}:{column_name(max(columns))}", block[0][0], rows=len(lines)),
            )
        for column, row_number, text in sheet.notes:
            letter = column_name(column)
            add(" ".join(text.split()) + "\n\n", Part(0, sheet.name, f"{letter}:{letter}", row_number, rows=1))
        if sheet.texts:
            add("\n".join(sheet.texts) + "\n\n", Part(0, f"sheet {sheet.name}"))
        if sheet.hidden:
            hidden.append(Hidden(begin, length, "hidden sheet"))
    text = "".join(pieces).rstrip()
    return text, tuple(parts), tuple(span._replace(end=min(span.end, len(text))) for span in hidden if span.start < len(text))


def _line(sheet: Sheet, number: int, row: Row, header: Row | None) -> tuple[str, int]:
    """The line of a row, and where in it the cells begin that are not shown; these come last."""
    if number in sheet.hidden_rows:
        return line_of(row, header), 0
    if sheet.hidden_columns.isdisjoint(row):
        line = line_of(row, header)
        return line, len(line)
    seen, unseen = ({c: v for c, v in row.items() if (c in sheet.hidden_columns) == hidden} for hidden in (False, True))
    shown = line_of(seen, header) if seen else ""
    return (f"{shown}\t" if shown else "") + line_of(unseen, header), len(shown)


def _blocks(sheet: Sheet) -> Iterator[list[tuple[int, Mapping[int, str]]]]:
    """Rows that follow each other without an empty one between."""
    _spread(sheet)
    block: list[tuple[int, Mapping[int, str]]] = []
    for number, row in sheet.rows:
        if block and number != block[-1][0] + 1:
            yield block
            block = []
        block.append((number, row))
    if block:
        yield block


def _spread(sheet: Sheet) -> None:
    """Merged cells say what they say in each of their rows."""
    rows = dict(sheet.rows)
    left = _MOST_FILLED
    for first_column, first, _, last in sheet.merged:
        text = rows.get(first, {}).get(first_column)
        if text is None:
            continue
        for number in range(first + 1, min(last, first + left) + 1):
            if number in rows:
                rows[number].setdefault(first_column, text)
            left -= 1
