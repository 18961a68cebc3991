"""CSV and TSV: one document a row; the columns that are not its text become metadata."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Literal

from ..._errors import InputError
from ..document import Document, Scalar
from ..encoding import clean, decode, utf8_stream
from ..seen_ids import without_duplicates
from ..source import Fields, Source, megabytes
from .base import Format, Items
from .lines import bounded_lines
from .record import Plan, plan_for
from .values import number

__all__ = ["CSV", "TSV"]


_MAX_LINES = 10_000
"""Lines that one quoted field may have."""


class _TooLongError(Exception):
    """A line or row beyond the limit, and its length."""


class _Lines:
    """Feeds a csv reader, counting lines (a quoted field may hold several)."""

    def __init__(self, lines: Iterator[bytes | int], limit: int) -> None:
        self._lines = lines
        self._limit = limit
        self.number = 0
        self.row = 0
        """Bytes of the row being read, which may have several lines."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        self.row += line if isinstance(line, int) else len(line)
        if self.row > self._limit:
            raise _TooLongError(self.row)
        assert isinstance(line, bytes)
        try:
            text = line.decode()
        except UnicodeDecodeError:
            text = decode(line)
        return text.replace("\0", " ")


def _delimiter(header: str) -> str:
    """The most frequent of comma, semicolon, tab and bar in the header line, outside quotes."""
    plain = "".join(header.split('"')[0::2])
    return max(",;\t|", key=plain.count)


def _rows(source: Source, fields: Fields, delimiter: str | None) -> Iterator[Document | InputError]:
    with source.open() as raw, utf8_stream(raw) as stream:
        lines = _Lines(bounded_lines(stream, source.max_bytes), source.max_bytes)
        try:
            header = next(line for line in lines if line.strip())
        except (StopIteration, _TooLongError):
            raise InputError(f"{source.label} has no header line with column names") from None
        delimiter = delimiter or _delimiter(header)
        # A tab-separated file has no quoting, unless its header shows that it has.
        quoting: Literal[0, 3] = csv.QUOTE_NONE if delimiter == "\t" and '"' not in header else csv.QUOTE_MINIMAL
        columns = [
            name.strip() or f"column{index + 1}" for index, name in enumerate(next(csv.reader([header], delimiter=delimiter)))
        ]
        columns = _distinct(columns)
        del header  # of a row with half a million cells few copies may exist at a time
        plan = plan_for(columns, fields, source.label)
        previous = csv.field_size_limit()
        rows = csv.reader(lines, delimiter=delimiter, quoting=quoting)
        while True:
            line = lines.number + 1
            lines.row = 0
            # The limit is the process's own; it is raised only while the csv module is at work.
            csv.field_size_limit(source.max_bytes)
            try:
                row = next(rows)
            except StopIteration:
                return
            except _TooLongError as error:
                yield InputError(
                    f"{source.label}:{lines.number}: the row has {megabytes(error.args[0])}, more than the limit of "
                    f"{megabytes(source.max_bytes)} per record; it was skipped"
                )
                rows = csv.reader(lines, delimiter=delimiter, quoting=quoting)
                continue
            except csv.Error as error:
                yield InputError(f"{source.label}:{line}: the row cannot be read ({str(error).rstrip('.')}); it was skipped")
                rows = csv.reader(lines, delimiter=delimiter, quoting=quoting)
                continue
            finally:
                csv.field_size_limit(previous)
            if lines.number - line > _MAX_LINES:
                yield InputError(
                    f"{source.label}:{line}: the row spans {lines.number - line:,} lines, probably because a quotation mark is "
                    "not closed; it was skipped"
                )
            elif any(row):
                made = _document(source, plan, columns, row, line)
                del row
                yield made
                del made


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


def _document(source: Source, plan: Plan, columns: list[str], row: list[str], line: int) -> Document | InputError:
    if len(row) > len(columns):  # what has no name in the header is kept under its number
        extra = [f"column{at + 1}" for at in range(len(columns), len(row))]
        columns = _distinct([*columns, *extra])
    roles = {plan.id, plan.title, *plan.text}
    record: dict[str, str] = {}
    metadata: dict[str, Scalar] = {}
    for name, value in zip(columns, row, strict=False):
        value = clean(value)
        if name in roles:
            record[name] = value
        elif value := value.strip():
            metadata[name] = number(value)
    title = record.get(plan.title, "").strip() if plan.title is not None else ""
    if plan.text:
        text = "\n\n".join(value for value in (record.get(name, "").strip() for name in plan.text) if value)
    else:  # no column is known to be the text: join all that are not numbers
        text = "\n".join(value for value in metadata.values() if isinstance(value, str))
    if not text:
        text, title = title, ""
    if not text:
        return InputError(f"{source.label}:{line}: the row has no text; it was skipped")
    identifier = record.get(plan.id, "") if plan.id is not None else ""
    return Document(identifier or f"{source.path}#{line}", text, title, metadata, "prose", (), line)


def _read_csv(source: Source, fields: Fields) -> Items:
    return without_duplicates(_rows(source, fields, None), source.label)


def _read_tsv(source: Source, fields: Fields) -> Items:
    return without_duplicates(_rows(source, fields, "\t"), source.label)


CSV = Format("csv", (".csv",), _read_csv, streamed=True)
TSV = Format("tsv", (".tsv", ".tab"), _read_tsv, streamed=True)
