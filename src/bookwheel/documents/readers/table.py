"""CSV and TSV: one document a row; the columns that are not its text become metadata.

A table of texts (its header names a text column, or it is laid out as MS MARCO's are) gives those texts. A row of any other table
says ``Name: Ada; Year: 1843``, and a table of nothing but numbers is one sentence.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from ..._errors import InputError
from ..document import Document, Scalar
from ..encoding import clean
from ..recoding import utf8_stream
from ..seen_ids import without_duplicates
from ..source import DEFAULT_FIELDS, Fields, Source, megabytes
from .base import Format, Items
from .lines import bounded_lines
from .record import plan_for
from .table_layout import Layout, is_declaration, is_number, layout_of
from .table_lines import Lines, TooLongError
from .values import number

__all__ = ["CSV", "TSV"]


_MAX_LINES = 10_000
"""Lines that one quoted field may have."""
_SHORT = 100
"""Characters of a cell that stands in one line with others."""
_ROW = "row"
"""The field of the names of rows, whose column has none."""


def _read(source: Source, fields: Fields, *, tabs: bool) -> Iterator[Document | InputError]:
    with source.open() as raw, utf8_stream(raw) as stream:
        lines = Lines(bounded_lines(stream, source.max_bytes), source.max_bytes)
        first, more = lines.first()
        if not first:
            with suppress(StopIteration, TooLongError):
                next(lines)  # raises what is wrong with it
            raise InputError(f"{source.label} has no header line with column names")
        layout = layout_of(first, fields, tabs=tabs, cut=more)
        del first  # these lines are held once
        table = _Table(source, fields, layout)
        yield from without_duplicates(table.documents(lines), source.label, table.renamed)


class _Table:
    """A table whose layout is known."""

    def __init__(self, source: Source, fields: Fields, layout: Layout) -> None:
        self._source = source
        self._layout = layout
        names = [name.strip() for name in layout.columns]
        if layout.signed:
            names[0] = names[0].lstrip("# ")
        self._names = names
        """As they stand in the header; "" for a column without a name."""
        keys = [_ROW if layout.row_names and not at else name or f"column{at + 1}" for at, name in enumerate(names)]
        self._keys = _distinct(keys)
        self._plan = plan_for(self._keys, fields if fields != DEFAULT_FIELDS else layout.roles, source.label)
        self._of_texts = bool(self._plan.text)
        self._guessed = not self._of_texts or layout.roles != DEFAULT_FIELDS
        """Whether what its IDs are is a guess, so that two rows may have the same."""
        self._numbers = _Numbers(self._keys) if layout.numbers and not self._of_texts and self._plan.title is None else None

    def documents(self, lines: Lines) -> Iterator[Document | InputError]:
        source, layout = self._source, self._layout
        begin = lines.number + 1
        lines_above = [next(lines).strip() for _ in range(layout.above)]
        if lines_above and is_declaration(lines_above[0]):
            lines_above[0] = ""
        above = "\n".join(line.rstrip(layout.delimiter).lstrip("# ") for line in lines_above).strip()
        if above:
            yield Document(f"{source.path}#{begin}", clean(above), "", {}, "prose", (), begin)
        damage: Exception | None = None
        header = layout.header
        names: Document | None = None
        """The row of names, kept as text if it may be something else, or if no other row says it."""
        try:
            for row, line in self._rows(lines):
                if isinstance(row, InputError):
                    yield row
                    continue
                if header:
                    names = Document(f"{source.path}#{line}", clean(self._line(row)), "", {}, "prose", (), line)
                    if header == 1 and self._numbers is None:
                        yield names
                        names = None
                    header = 0
                    continue
                if not any(cell and not cell.isspace() for cell in row):
                    continue
                names = None
                if self._numbers is None or not self._numbers.add(row, line):
                    document = self._document(row, line)
                    row.clear()  # it may be large
                    yield document
                    del document
        except Exception as error:  # the file is damaged from here on: what comes before is good
            damage = error
        if names is not None and not self._of_texts and names.text:
            yield names
        if self._numbers is not None and self._numbers.rows:
            summary = clean(self._numbers.sentence())
            yield Document(f"{source.path}#{self._numbers.line}", summary, source.stem, {}, "prose", (), self._numbers.line)
        if damage is not None:
            raise damage

    def _rows(self, lines: Lines) -> Iterator[tuple[list[str] | InputError, int]]:
        """Each row, or what is wrong with it, and its first line."""
        label, limit = self._source.label, self._source.max_bytes
        delimiter, quoting = self._layout.delimiter, self._layout.quoting
        previous = csv.field_size_limit()
        rows = csv.reader(lines, delimiter=delimiter, quoting=quoting)
        while True:
            line = lines.number + 1
            lines.row = 0
            # The limit is the process's own; it is raised only while the csv module is at work.
            csv.field_size_limit(limit)
            try:
                row = next(rows)
            except StopIteration:
                return
            except TooLongError as error:
                told = InputError(
                    f"{label}:{lines.number}: the row has {megabytes(error.args[0])}, more than the limit of "
                    f"{megabytes(limit)} per record; it was skipped"
                )
                yield told, line
                rows = csv.reader(lines, delimiter=delimiter, quoting=quoting)
                continue
            except csv.Error as error:
                yield InputError(f"{label}:{line}: the row cannot be read ({str(error).rstrip('.')}); it was skipped"), line
                rows = csv.reader(lines, delimiter=delimiter, quoting=quoting)
                continue
            finally:
                csv.field_size_limit(previous)
            if lines.number - line > _MAX_LINES:
                told = InputError(
                    f"{label}:{line}: the row spans {lines.number - line:,} lines, probably because a quotation mark is "
                    "not closed; it was skipped"
                )
                yield told, line
            elif any(row):
                yield row, line
            del row  # it may be large, and the next is read before this name stands for it

    def _document(self, row: list[str], line: int) -> Document | InputError:
        plan, keys = self._plan, self._keys
        if len(keys) == 1:  # what looked like a delimiter is none
            row = [self._layout.delimiter.join(row)]
        rest = ""
        if len(row) > len(keys):  # what has no name in the header is kept under its number
            extra = [f"column{at + 1}" for at in range(len(keys), len(row))]
            keys = _distinct([*keys, *extra])
            # It is text as well: most often a delimiter inside it was not quoted.
            rest = self._layout.delimiter.join(["", *row[-len(extra) :]]).rstrip(self._layout.delimiter)
        roles = {plan.id, plan.title, *plan.text}
        record: dict[str, str] = {}
        metadata: dict[str, Scalar] = {}
        for at, (name, value) in enumerate(zip(keys, map(clean, row), strict=False)):
            # A row may have half a million cells: each is held once.
            if not at or name in roles:
                record[name] = value
            if name not in roles and (value := value.strip()):
                metadata[name] = number(value)
        title = record.get(plan.title, "").strip() if plan.title is not None else ""
        text = "\n\n".join(value for value in (record.get(name, "").strip() for name in plan.text) if value)
        if text and rest:
            text += clean(rest if plan.text[-1] == self._keys[-1] else f"\n\n{rest[1:].strip()}")
        if self._layout.row_names and self._of_texts and not title and not is_number(row[0].strip()):
            title = record[self._keys[0]].strip()
        if not self._of_texts or (not text and (metadata or self._guessed)):
            text = clean(self._line(row, record))
        if not text:
            text, title = title, ""
        if not text:
            return InputError(f"{self._source.label}:{line}: the row has no text; it was skipped")
        identifier = record.get(plan.id, "") if plan.id is not None else ""
        return Document(identifier or f"{self._source.path}#{line}", text, title, metadata, "prose", (), line)

    def _line(self, row: Sequence[str], record: dict[str, str] | None = None) -> str:
        """The cells of a row, each with the name of its column if it has one; without ``record``, the names alone."""
        if record is None:
            cells = [cell.strip() for cell in row]
            if self._layout.signed:
                cells[0] = cells[0].lstrip("# ")
        else:
            named = [*self._names, *[""] * (len(row) - len(self._names))]
            title = self._keys.index(self._plan.title) if self._plan.title is not None else -1
            cells = [
                f"{name.rstrip(':')}: {value}" if name and self._layout.header else value
                for at, (name, value) in enumerate(zip(named, map(str.strip, row), strict=False))
                if value and at != title
            ]
        cells = [cell for cell in cells if cell]
        if any(len(cell) > _SHORT or "\n" in cell for cell in cells):
            return "\n".join(cells)
        return ("; " if record is not None and self._layout.header else "\t").join(cells)

    def renamed(self, document: Document) -> Document | None:
        """The same row under its line's number, where what seemed to be an ID occurs twice; None if it is one by its name."""
        if not self._guessed or self._plan.id is None:
            return None
        metadata = {self._plan.id: number(document.id.strip()), **document.metadata}
        return replace(document, id=f"{self._source.path}#{document.line}", metadata=metadata)


class _Numbers:
    """What a table of numbers says of itself."""

    def __init__(self, keys: list[str]) -> None:
        self.rows = 0
        self.line = 0
        self._keys = keys
        self._least: list[float | None] = [None] * len(keys)
        self._most: list[float | None] = [None] * len(keys)

    def add(self, row: list[str], line: int) -> bool:
        """Counts a row; False if it is not of numbers alone, or has too many."""
        cells = [cell.strip() for cell in row]
        if len(cells) > len(self._keys) or not all(is_number(cell) or not cell or cell.lower() == "nan" for cell in cells):
            return False
        for at, cell in enumerate(cells):
            if not is_number(cell):
                continue
            value = number(cell)
            found = value if isinstance(value, int | float) else float(cell.replace(",", "."))
            least, most = self._least[at], self._most[at]
            self._least[at] = found if least is None or found < least else least
            self._most[at] = found if most is None or found > most else most
        self.rows += 1
        self.line = self.line or line
        return True

    def sentence(self) -> str:
        columns = ", ".join(
            name if least is None else f"{name} ({least} to {most})"
            for name, least, most in zip(self._keys, self._least, self._most, strict=True)
        )
        count = f"{len(self._keys):,} column{'s' if len(self._keys) > 1 else ''}"
        return f"A table of numbers with {self.rows:,} row{'s' if self.rows > 1 else ''} and {count}: {columns}."


def _distinct(columns: list[str]) -> list[str]:
    used: set[str] = set()
    following: dict[str, int] = {}
    for index, name in enumerate(columns):
        candidate, count = name, following.get(name, 2)
        while candidate in used:
            candidate, count = f"{name}_{count}", count + 1
        if candidate is not name:
            following[name] = count  # so that a million equal names take no quadratic time
        columns[index] = candidate
        used.add(candidate)
    return columns


def _read_csv(source: Source, fields: Fields) -> Items:
    return _read(source, fields, tabs=False)


def _read_tsv(source: Source, fields: Fields) -> Items:
    return _read(source, fields, tabs=True)


CSV = Format("csv", (".csv",), _read_csv, streamed=True)
TSV = Format("tsv", (".tsv", ".tab"), _read_tsv, streamed=True)
