"""How a table of delimited text is laid out: what separates its cells, which lines stand above it, which row names its columns.

A guess that goes wrong must cost no row: one that names the columns only perhaps is kept as text too.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from ..source import DEFAULT_FIELDS, Fields
from .grid import is_value
from .record import ID_NAMES, TEXT_NAMES, TITLE_NAMES
from .values import number

__all__ = ["Layout", "is_declaration", "is_number", "layout_of"]

_DELIMITERS = ",;\t|"
_MOST_ABOVE = 10
"""Lines of titles above a table, comments not counted."""
_LONG, _WORDS = 60, 8
"""Characters and words that the name of a column seldom exceeds."""
_PASSAGE = 20
"""Characters, on average, from which the cells of a column without a name count as passages."""
_MOST_COLUMNS = 1000
"""Columns that are looked at."""
_KNOWN = frozenset((*ID_NAMES, *TITLE_NAMES, *TEXT_NAMES))
_USUAL = frozenset(
    (
        "address",
        "amount",
        "answer",
        "author",
        "category",
        "city",
        "code",
        "comment",
        "comments",
        "company",
        "count",
        "country",
        "date",
        "department",
        "email",
        "first_name",
        "gender",
        "file",
        "filename",
        "full_name",
        "keywords",
        "label",
        "lang",
        "language",
        "last_name",
        "latitude",
        "location",
        "longitude",
        "name",
        "note",
        "notes",
        "phone",
        "price",
        "product",
        "quantity",
        "question",
        "rating",
        "review",
        "sentence",
        "sex",
        "source",
        "status",
        "surname",
        "tag",
        "tags",
        "time",
        "timestamp",
        "topic",
        "type",
        "unit",
        "url",
        "value",
        "year",
    )
)
"""Names of columns that say by themselves that they are some."""
_MISSING = frozenset(("", "-", "--", "?", ".", "na", "n/a", "nan", "null", "none", "nil", "#n/a", "inf", "-inf"))
_FLAGS = frozenset(("true", "false", "yes", "no"))
_DECLARED = re.compile(r"sep=(.)\r?\n?\Z", re.IGNORECASE)
_COLUMN = re.compile(r"column[1-9]\d*\Z")
_QUOTED = re.compile(r'"(?:[^"]|"")*"\Z')
_DECIMAL = re.compile(r"[+-]?\d+(?:,\d+)?(?:[eE][+-]?\d+)?\Z|[+-]?\d*\.\d+(?:[eE][+-]?\d+)?\Z|[+-]?\d+\.?[eE][+-]?\d+\Z")

Verdict = Literal[0, 1, 2]
"""Whether a row names the columns: no, perhaps, surely."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What the first lines of a table tell."""

    delimiter: str
    quoting: Literal[0, 3]
    """``csv.QUOTE_MINIMAL`` or ``csv.QUOTE_NONE``."""
    above: int
    """Lines before the first row: titles and comments."""
    columns: tuple[str, ...]
    """The names of the columns, "" where one has none."""
    header: Verdict
    """Whether the first row is those names."""
    signed: bool = False
    """The row of names begins with ``#``, which is no part of them."""
    row_names: bool = False
    """The first column has no name, for it names the rows, as R writes it."""
    numbers: bool = False
    """There is nothing but numbers in the rows looked at."""
    roles: Fields = DEFAULT_FIELDS
    """Which columns are ID, title and text, where their content says so and no name."""


def is_number(cell: str) -> bool:
    """A number (codes such as ``007`` are none), decimal commas and exponents included."""
    return not isinstance(number(cell), str) or (_DECIMAL.match(cell) is not None and not re.match(r"[+-]?0\d", cell))


def is_declaration(line: str) -> bool:
    """``sep=;``, with which Excel begins a file."""
    return _DECLARED.match(line) is not None


def layout_of(lines: Sequence[str], fields: Fields, *, tabs: bool, cut: bool) -> Layout:
    """The layout of a table that begins with ``lines``; ``cut`` says that more follow, ``tabs`` that its suffix promises tabs."""
    start, declared = 0, None
    if lines and (match := _DECLARED.match(lines[0])):
        start, declared = 1, match.group(1)
    comments = start
    while comments < len(lines) and (not lines[comments].strip() or lines[comments].startswith("#")):
        comments += 1
    if comments == len(lines):  # all rows begin so
        comments = start
    body = lines[comments:]
    delimiter = declared or _delimiter(body, tabs, cut)
    quoting = _quoting(body, delimiter)
    rows = _rows(body, delimiter, quoting, cut)
    above = comments
    named = _commented_header(lines[start:comments], rows, delimiter, quoting)
    if named is not None:
        at, names = named
        return _table(delimiter, quoting, start + at, [names, *(row for _, row in rows)], fields, 2, signed=True)
    titles = _titles([row for _, row in rows], fields)
    if titles:
        above = comments + rows[titles][0]
    return _table(delimiter, quoting, above, [row for _, row in rows[titles:]], fields, None)


def _table(
    delimiter: str,
    quoting: Literal[0, 3],
    above: int,
    rows: list[list[str]],
    fields: Fields,
    header: Verdict | None,
    *,
    signed: bool = False,
) -> Layout:
    if not rows:
        return Layout(delimiter, quoting, above, ("",), 0)
    names, below = rows[0], rows[1:]
    row_names = _has_row_names(names, below)
    width = len(names) + row_names
    if header is None:
        header = _asked_for(names, fields)
    if header is None:
        header = _verdict(["", *names] if row_names else names, below)
    if header:
        columns = ("", *names) if row_names else tuple(names)
        roles = DEFAULT_FIELDS
    else:
        row_names, below = False, rows
        width = Counter(map(len, rows)).most_common(1)[0][0]
        columns = ("",) * max(width, len(names))
        roles = _roles(below, delimiter, width)
    filled = [cell.strip() for row in below for cell in row[row_names:] if cell.strip().lower() not in _MISSING]
    numbers = bool(filled) and all(map(is_number, filled)) and not (row_names and any(not is_number(row[0]) for row in below))
    return Layout(delimiter, quoting, above, columns, header, signed, row_names, numbers, roles)


def _delimiter(lines: Sequence[str], tabs: bool, cut: bool) -> str:
    """What splits most rows into the same number of cells, at least two."""
    best, best_score = "", (0.0, 0, 0)
    first = next((line for line in lines if line.strip()), "")
    if len(lines) == 1 and not tabs:  # the only one that is not too long to look at, perhaps
        counts = {delimiter: "".join(first.split('"')[0::2]).count(delimiter) for delimiter in _DELIMITERS}
        return max(counts, key=lambda delimiter: counts[delimiter])
    for delimiter in "\t" + _DELIMITERS if tabs else _DELIMITERS:
        rows = [row for _, row in _rows(lines, delimiter, _quoting(lines, delimiter), cut)]
        widths = Counter(len(row) for row in rows if len(row) > 1)
        if not widths:
            continue
        if tabs and delimiter == "\t":
            return delimiter
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        # A first line split in two or more is most likely the header; a row may be wider, or a cell short of its name.
        score = (round(count / len(rows), 1), "".join(first.split('"')[0::2]).count(delimiter), width)
        if score > best_score:
            best, best_score = delimiter, score
    if best:
        return best
    quoted = [line for line in lines if line.strip()]
    if len(quoted) > 1 and all(line.startswith('"') for line in quoted) and all('" ' in line for line in quoted[1:]):
        return " "  # R's write.table
    return "\t" if tabs else ","


def _quoting(lines: Sequence[str], delimiter: str) -> Literal[0, 3]:
    """A tab-separated file has no quoting, unless its first rows show that it has."""
    if delimiter != "\t":
        return csv.QUOTE_MINIMAL
    cells = [line.rstrip("\r\n").split("\t") for line in lines if line.strip()]
    if cells and len(cells[0]) > 1 and all(_QUOTED.match(cell) for cell in cells[0]):
        return csv.QUOTE_MINIMAL
    shown = [any(_QUOTED.match(cell) for cell in row) for row in cells]
    return csv.QUOTE_MINIMAL if shown and shown[0] and sum(shown) * 2 >= len(shown) else csv.QUOTE_NONE


def _rows(lines: Sequence[str], delimiter: str, quoting: Literal[0, 3], cut: bool) -> list[tuple[int, list[str]]]:
    """Each row that is not empty, with the number of lines before it."""
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting)
    rows: list[tuple[int, list[str]]] = []
    at = 0
    try:
        for row in reader:
            if any(row):
                rows.append((at, row))
            at = reader.line_num
    except csv.Error:  # told where the rows are read
        pass
    return rows[:-1] if cut and len(rows) > 2 else rows  # the last may go on below the lines looked at


def _commented_header(
    comments: Sequence[str], rows: list[tuple[int, list[str]]], delimiter: str, quoting: Literal[0, 3]
) -> tuple[int, list[str]] | None:
    """``#id<tab>name``: names behind the sign of a comment; the line's number, and they."""
    at = next((at for at in range(len(comments) - 1, -1, -1) if comments[at].strip()), None)
    if at is None or not rows or not comments[at].startswith("#"):
        return None
    (names,) = list(csv.reader([comments[at].lstrip("# ")], delimiter=delimiter, quoting=quoting))[:1] or [[]]
    below = [row for _, row in rows]
    if len(names) < 2 or len(names) != len(below[0]) or _verdict(below[0], below[1:]) == 2 or not _verdict(names, below):
        return None
    return at, names


def _titles(rows: list[list[str]], fields: Fields) -> int:
    """How many rows above the table are titles: a single cell, where the rows below have several."""
    wide = sum(len(row) > 1 for row in rows)
    if wide * 2 <= len(rows):
        return 0
    count = 0
    while count < min(_MOST_ABOVE, len(rows) - 1) and _is_title(rows[count]):
        count += 1
    if not count or len(rows[count]) < 2:
        return 0
    following = _verdict(rows[count], rows[count + 1 :])
    if len(rows[0]) > 1 and following < 2:
        return 0  # a row whose other cells are empty
    if count == 1 and _has_row_names(rows[0], rows[1:]) and following < 2 and " " not in rows[0][0].strip():
        return 0  # the name of the one column
    return 0 if _asked_for(rows[0], fields) == 2 else count


def _is_title(row: list[str]) -> bool:
    return len(row) != 2 and bool(row[0].strip()) and not any(cell.strip() for cell in row[1:])


def _has_row_names(names: list[str], below: list[list[str]]) -> bool:
    """Whether each row has one cell more than there are names, and its first cell is its own."""
    if not below or any(len(row) != len(names) + 1 for row in below):
        return False
    if any(name.strip().lower() in ID_NAMES for name in names):
        return False
    last = [row[-1] for row in below]
    if not any(last) or any(cell.startswith(" ") for cell in last):  # the end of the line, or the rest of a sentence
        return False
    firsts = [row[0].strip() for row in below]
    return len(set(firsts)) == len(firsts) and all(firsts)


def _asked_for(names: list[str], fields: Fields) -> Verdict | None:
    """Whether the columns that the user names are names in this row; None if none are named."""
    wanted = [name for name in (fields.id, fields.title, *(fields.text or ())) if name is not None]
    if not wanted:
        return None
    stripped = {name.strip() for name in names}
    return 0 if all(_COLUMN.match(name) for name in wanted) and not stripped.issuperset(wanted) else 2


def _verdict(row: Sequence[str], below: Sequence[Sequence[str]]) -> Verdict:
    """Whether ``row`` names the columns of ``below``."""
    lower = {name.strip().lower() for name in row}
    names = [" ".join(name.split()) for name in row[:_MOST_COLUMNS]]
    filled = [name for name in names if name]
    if not filled:
        return 0
    long = any(len(name) > _LONG or len(name.split()) > _WORDS or name.endswith((". ", ".")) for name in filled)
    years = _are_years(names, below)
    kinds = {name: _kind(name) for name in filled}
    if not years and any(kind in ("number", "date", "mail", "url") for kind in kinds.values()):
        return 0
    if not long and any(name in _KNOWN or name.replace(" ", "_") in _USUAL for name in lower):
        return 2
    same = differs = 0
    bare = 0  # names of columns with nothing in them, which no row would say
    for column, name in enumerate(names):
        cells = [cell for cell in (other[column].strip() for other in below if column < len(other)) if cell]
        found = {kind for kind in map(_kind, cells) if kind}
        bare += bool(name) and not cells
        if not name or not cells:
            continue
        if any(cell == name for cell in cells) and not any(list(other) == list(row) for other in below):
            same += 1
        elif len(found) == 1 and found != {"text"}:
            (kind,) = found
            same += kind == kinds[name]
            differs += kinds[name] in ("text", "code") and kind != kinds[name]
        elif kinds[name] == "text" and not long:
            length = sum(map(len, cells)) / len(cells)
            capital = name.islower() and all(cell[0].isupper() for cell in cells)
            differs += capital or (length > 2 * _PASSAGE and length > 5 * len(name))
    if years or (differs and not same):
        return 2 if (not long or differs > 1) and not bare else 1
    if same and not differs:
        return 0
    if not differs and (long or len(names) == 1 or len({name.lower() for name in filled}) < len(filled)):
        return 0
    return 1


def _are_years(names: list[str], below: Sequence[Sequence[str]]) -> bool:
    """``Country,2019,2020``: years at the same distance name columns of other numbers."""
    at = [column for column, name in enumerate(names) if is_value(name)]
    if len(at) < 2 or len(at) == len(names) or any(not re.match(r"(?:1[5-9]|20|21)\d\d\Z", names[column]) for column in at):
        return False
    years = [int(names[column]) for column in at]
    steps = {after - before for before, after in pairwise(years)}
    others = [other[column].strip() for other in below for column in at if column < len(other)]
    return len(steps) == 1 and steps != {0} and any(not re.match(r"(?:1[5-9]|20|21)\d\d\Z", cell) for cell in others)


def _kind(cell: str) -> str:
    """number, date, mail, url, flag, code (one word with digits) or text; "" where a value is missing."""
    cell = cell.strip()
    lower = cell.lower()
    if lower in _MISSING:
        return ""
    if is_value(cell) or is_number(cell):
        return "date" if cell.count("-") > 1 or ":" in cell else "number"
    if " " in cell:
        return "text"
    if "://" in cell:
        return "url"
    if "@" in cell[1:-1]:
        return "mail"
    if lower in _FLAGS:
        return "flag"
    return "code" if any(character.isdigit() for character in cell) else "text"


def _roles(rows: list[list[str]], delimiter: str, width: int) -> Fields:
    """ID and text of tables without names: MS MARCO's passages (ID, text) and documents (ID, URL, title, text), and such."""
    whole = [row for row in rows if len(row) == width]
    ids = [row[0].strip() for row in whole]
    if not 2 <= width <= 4 or (width > 2 and delimiter != "\t") or len(whole) * 2 <= len(rows):
        return DEFAULT_FIELDS
    kinds = {_kind(name) for name in ids}
    unique = len(set(ids)) == len(ids) and len(kinds) == 1 and kinds <= {"number", "code"}
    if not unique or sum(len(row[-1]) for row in whole) / len(whole) < _PASSAGE:
        return DEFAULT_FIELDS
    if any(is_value(row[-1]) for row in whole) or any(" " not in row[-1].strip() for row in whole[:1]):
        return DEFAULT_FIELDS
    if width == 4 and not all(_kind(row[1]) in ("url", "") for row in whole):
        return DEFAULT_FIELDS
    title = f"column{width - 1}" if width > 2 else None
    return Fields("column1", title, (f"column{width}",))
