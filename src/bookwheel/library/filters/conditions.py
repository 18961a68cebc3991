"""The tree of a metadata filter, and its SQL: fixed pieces, every name and value a parameter.

The tables are those of the library's store: ``documents d (name, title, source)``,
``sources (id, path, size, mtime_ns)`` and ``metadata (key, value, document)`` with its primary key
in that order, which serves as the index.
"""

from __future__ import annotations

import math
import sqlite3
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from .file_fields import FILE_FIELDS, FILES, equal_tests, register_files

__all__ = [
    "BUILT_IN",
    "LAST",
    "Compare",
    "Condition",
    "Contains",
    "Exists",
    "Group",
    "Not",
    "OneOf",
    "StartsWith",
    "Value",
    "register",
]

Value = str | int | float

BUILT_IN = {"id": "d.name", "title": "d.title", "source": "path"}
"""Fields that every document has, and their columns. They hide metadata of the same name."""

LAST = "\U0010ffff"
"""The greatest character: no text that begins with a text is greater than that text with this at its end."""

_FOLD = "bookwheel_casefold"


def register(connection: sqlite3.Connection) -> None:
    """Give ``connection`` the functions that filters need. Call once on each connection that runs them."""
    connection.create_function(_FOLD, 1, _folded, deterministic=True)
    register_files(connection)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text.casefold())


def _written(field: str, text: str) -> list[str]:
    """``text`` in the forms that ``field`` may have it in: metadata is held composed, ids, titles and paths are as they came."""
    composed = unicodedata.normalize("NFC", text)
    if field not in BUILT_IN:
        return [composed]
    return list(dict.fromkeys([composed, unicodedata.normalize("NFD", text), text]))


class Condition:
    """A node of the filter's tree."""

    __slots__ = ()

    def sql(self, parameters: list[Value]) -> str:
        """SQL of the condition; appends its parameters."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Group(Condition):
    """``word`` is AND or OR."""

    word: str
    parts: tuple[Condition, ...]

    def sql(self, parameters: list[Value]) -> str:
        """See `Condition.sql`."""
        return "(" + f" {self.word} ".join(part.sql(parameters) for part in self.parts) + ")"


@dataclass(frozen=True, slots=True)
class Not(Condition):
    """What ``part`` does not meet."""

    part: Condition

    def sql(self, parameters: list[Value]) -> str:
        """See `Condition.sql`."""
        return f"NOT {self.part.sql(parameters)}"


@dataclass(frozen=True, slots=True)
class Exists(Condition):
    """The field has a value."""

    field: str

    def sql(self, parameters: list[Value]) -> str:
        """See `Condition.sql`."""
        return _select(self.field, [("1", [])], parameters)


@dataclass(frozen=True, slots=True)
class Contains(Condition):
    """A text of the field has ``text`` in it, whatever the case."""

    field: str
    text: str

    def sql(self, parameters: list[Value]) -> str:
        """See `Condition.sql`."""
        return _select(self.field, [(f"{_TEXT} AND instr({_FOLD}({{0}}), ?) > 0", [_folded(self.text)])], parameters)


@dataclass(frozen=True, slots=True)
class Compare(Condition):
    """``operator`` is one of = < <= > >=."""

    field: str
    operator: str
    value: Value

    def sql(self, parameters: list[Value]) -> str:
        """See `Condition.sql`."""
        if isinstance(self.value, str):
            forms = _written(self.field, self.value)
            if self.operator == "=" and (len(forms) > 1 or self.field in FILE_FIELDS):
                return OneOf(self.field, (self.value,)).sql(parameters)
            return _select(self.field, [(f"{{0}} {self.operator} ?{_TEXT_BOUND[self.operator]}", forms[:1])], parameters)
        bound = "" if self.operator in ("=", "<", "<=") else _NUMBER_BOUND
        tests = _numeric(self.field, f"{self.operator} ?", [self.value], bound)
        return _select(self.field, tests + _dated(f"{self.operator} ?", _years([self.value])), parameters)


@dataclass(frozen=True, slots=True)
class StartsWith(Condition):
    """A text of the field begins with ``text``."""

    field: str
    text: str

    def sql(self, parameters: list[Value]) -> str:
        """See `Condition.sql`."""
        return _select(self.field, [("{0} >= ? AND {0} <= ?", [self.text, self.text + LAST])], parameters)


@dataclass(frozen=True, slots=True)
class OneOf(Condition):
    """The field has one of the values."""

    field: str
    values: tuple[Value, ...]

    def sql(self, parameters: list[Value]) -> str:
        """See `Condition.sql`."""
        texts = [form for value in self.values if isinstance(value, str) for form in _written(self.field, value)]
        numbers = [value for value in self.values if not isinstance(value, str)]
        tests: list[_Test] = []
        if texts:
            tests.append((f"{{0}} IN ({_marks(texts)})", texts))
        if numbers:
            tests += _numeric(self.field, f"IN ({_marks(numbers)})", numbers)
            years = _years(numbers)
            tests += _dated(f"IN ({_marks(years)})", years)
        if self.field in FILE_FIELDS:
            of_files: list[_Test] = [*equal_tests(self.field, [value for value in self.values if isinstance(value, str)])]
            return _select(self.field, tests, parameters, of_files + tests[1 if texts else 0 :])
        return _select(self.field, tests, parameters)


_Test = tuple[str, Sequence[Value]]
"""A condition on the value ``{0}`` and its parameters."""

# SQLite orders values by type: numbers, then text, then blobs. So a bound at the least text,
# or at the least blob, keeps a range to one type, and the index on values still serves. An
# equality needs none: with a second condition on the same column, SQLite would take the
# range for its search of the index.
_TEXT = "{0} >= '' AND {0} < x''"
_TEXT_BOUND = {"=": "", "<": " AND {0} >= ''", "<=": " AND {0} >= ''", ">": " AND {0} < x''", ">=": " AND {0} < x''"}
_DATED = "{0} >= '1' AND {0} < '3' AND {0} GLOB '[12][0-9][0-9][0-9]-[0-9][0-9]*'"
_NUMBER_BOUND = " AND {0} < ''"


def _numeric(field: str, test: str, values: Sequence[Value], bound: str = "") -> list[_Test]:
    """``test`` of numbers (kept to numbers by ``bound``), and of text that looks like one.

    Compared with a NUMERIC expression, SQLite takes text that looks like a number as one and leaves
    other text alone; and text that is left alone is greater than every number, infinity included.
    """
    looks_numeric = f"{_TEXT} AND {{0}} <= CAST(? AS NUMERIC)"
    tests: list[_Test] = [(f"{looks_numeric} AND CAST({{0}} AS NUMERIC) {test}", [math.inf, *values])]
    if field not in BUILT_IN:  # those are text
        tests.append((f"{{0}} {test}{bound}", values))
    return tests


def _years(values: Sequence[Value]) -> list[Value]:
    return [value for value in values if isinstance(value, int) and 1000 <= value < 3000]


def _dated(test: str, years: Sequence[Value]) -> list[_Test]:
    """``test`` of the year of a date."""
    return [(f"{_DATED} AND CAST(substr({{0}}, 1, 4) AS INTEGER) {test}", years)] if years else []


def _select(field: str, tests: Sequence[_Test], parameters: list[Value], of_files: Sequence[_Test] | None = None) -> str:
    """Documents with a value in ``field`` that meets one of ``tests``; what their files tell is to meet ``of_files``, if given."""
    if field in FILE_FIELDS:
        return _select_file(field, tests, tests if of_files is None else of_files, parameters)
    selects = []
    for test, values in tests:
        if field not in BUILT_IN:
            selects.append(f"SELECT document FROM metadata WHERE key = ? AND {test.format('value')}")
            parameters.append(field)
        elif field == "source":
            selects.append(f"SELECT id FROM sources WHERE path <> '' AND {test.format('path')}")
        else:
            selects.append(f"(COALESCE({BUILT_IN[field]}, '') <> '' AND {test.format(BUILT_IN[field])})")
        parameters.extend(values)
    if field not in BUILT_IN:
        return f"d.id IN ({' UNION ALL '.join(selects)})"
    if field == "source":
        return f"(d.source IS NOT NULL AND d.source IN ({' UNION ALL '.join(selects)}))"
    return f"({' OR '.join(selects)})"


def _select_file(field: str, tests: Sequence[_Test], of_files: Sequence[_Test], parameters: list[Value]) -> str:
    """`_select` for a field of `FILE_FIELDS`: of a document that has no value of its own, its file's counts."""
    own = []
    for test, values in tests:
        own.append(f"SELECT document FROM metadata WHERE key = ? AND {test.format('value')}")
        parameters.extend((field, *values))
    value = FILE_FIELDS[field]
    files = []
    for test, values in of_files:
        files.append(f"SELECT id FROM sources WHERE {FILES} AND COALESCE({value}, '') <> '' AND {test.format(value)}")
        parameters.extend(values)
    parameters.append(field)
    first = f"d.id IN ({' UNION ALL '.join(own)}) OR " if own else ""
    return (
        f"({first}(d.source IS NOT NULL AND d.source IN ({' UNION ALL '.join(files)}) "
        "AND d.id NOT IN (SELECT document FROM metadata WHERE key = ?)))"
    )


def _marks(values: Sequence[Value]) -> str:
    return ", ".join("?" * len(values))
