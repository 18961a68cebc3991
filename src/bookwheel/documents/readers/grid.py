"""Tables as text: a line for each row, in which every value carries the name of its column, where a row names the columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .number_formats import Figure

__all__ = ["Row", "header_of", "is_value", "line_of", "table_lines"]

Row = Mapping[int, str]
"""The cells of a row that are not empty, by column."""

_LONGEST = 60
"""Characters in the name of a column."""
_LOOKED_AT = 20
_NUMBER = re.compile(r"[-+(]?[$€£¥]?[-+]?\d[\d.,'\u202f ]*(?:[eE][-+]?\d+)?\s?[%$€£¥]?\)?\Z")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].*)?\Z|\d\d:\d\d(?::\d\d)?\Z")


def header_of(rows: Sequence[Row]) -> int | None:
    """Which of the first rows of a table names its columns; None if none does, or if it is uncertain.

    It has short different texts, no numbers, nearly as many as the widest row; what they say is not said below them; and
    either a number or date is below one of them, or some rows are.
    """
    widest = max((len(row) for row in rows[:_LOOKED_AT]), default=0)
    if widest < 2:
        return None
    for at, row in enumerate(rows[:_LOOKED_AT]):
        if len(row) < 2 or len(row) < 0.6 * widest:
            continue
        below = rows[at + 1 :]
        names = list(row.values())
        if not below or any(len(name) > _LONGEST or is_value(name) for name in names) or len(set(names)) < len(names):
            return None
        if any(other.get(column) == name for other in below for column, name in row.items()):
            return None
        numbers = any(is_value(other[column]) for other in below for column in row if column in other)
        return at if numbers or len(below) >= 2 else None
    return None


def is_value(text: str) -> bool:
    """A number, perhaps with a currency or in percent, a date or a time."""
    return isinstance(text, Figure) or _NUMBER.match(text) is not None or _DATE.match(text) is not None


def line_of(row: Row, header: Row | None) -> str:
    """A row as a line: ``Name: Ada; Year: 1843``, or its cells with tabs between them."""
    cells = [(column, " ".join(text.split())) for column, text in sorted(row.items())]
    if header is None:
        return "\t".join(text for _, text in cells)
    return "; ".join(f"{header[column].rstrip(':')}: {text}" if column in header else text for column, text in cells)


def table_lines(rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a small table."""
    filled = [{column: cell for column, cell in enumerate(row) if cell and not cell.isspace()} for row in rows]
    filled = [row for row in filled if row]
    at = header_of([{column: " ".join(cell.split()) for column, cell in row.items()} for row in filled[:1000]])
    header = {column: " ".join(cell.split()) for column, cell in filled[at].items()} if at is not None else None
    return [line_of(row, header if at is not None and number > at else None) for number, row in enumerate(filled)]
