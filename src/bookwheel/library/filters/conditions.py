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
_ORDER = "bookwheel_order"
_COMPOSED = "bookwheel_composed"
_EXACT = 1 << 53
"""Whole numbers from here on are not all floating-point numbers, which SQLite compares text as."""
_INFINITE = {"Infinity": math.inf, "-Infinity": -math.inf}
"""How infinity is shown, and what it is compared as."""


def register(connection: sqlite3.Connection) -> None:
    """Give ``connection`` the functions that filters need. Call once on each connection that runs them."""
    connection.create_function(_FOLD, 1, _folded, deterministic=True)
    connection.create_function(_ORDER, 2, _order, deterministic=True)
    connection.create_function(_COMPOSED, 1, _composed, deterministic=True)
    register_files(connection)


def _folded(text: str) -> str:
    return _nfc(text.casefold())


def _composed(value: Value | None) -> Value | None:
    return _nfc(value) if isinstance(value, str) else value


def _order(text: str, other: str) -> int | None:
    """The sign of the difference of the number that ``text`` writes and the whole number ``other``, exactly."""
    try:
        number: int | float = int(text)
    except ValueError:
        try:
            number = float(text)
        except ValueError:
            return None
    return None if number != number else (number > int(other)) - (number < int(other))


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


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
            if self.operator == "=" and (self.field in BUILT_IN or self.field in FILE_FIELDS or self.value in _INFINITE):
                return OneOf(self.field, (self.value,)).sql(parameters)
            test = f"{{0}} {self.operator} ?{_TEXT_BOUND[self.operator]}"
            as_held: list[_Test] = [(test, [_nfc(self.value)])]
            # The spellings of one text have one place in the order: metadata is held composed, ids, titles and paths as they came.
            composed: list[_Test] = [(test.replace("{0}", f"{_COMPOSED}({{0}})"), [_nfc(self.value)])]
            return _select(self.field, composed if self.field in BUILT_IN else as_held, parameters, composed)
        tests = _numeric(self.field, self.operator, self.value)
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
        texts = [_nfc(value) for value in self.values if isinstance(value, str)]
        numbers = [value for value in self.values if not isinstance(value, str)]
        tests: list[_Test] = []
        if texts:
            # By the index, but where what is held may be another spelling.
            in_any_form = self.field in BUILT_IN and not all(map(str.isascii, texts))
            tests.append((f"{f'{_COMPOSED}({{0}})' if in_any_form else '{0}'} IN ({_marks(texts)})", texts))
            numbers += [_INFINITE[text] for text in texts if text in _INFINITE]
        if numbers:
            tests += _equal_to_one(self.field, numbers)
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


# Compared with a NUMERIC expression, SQLite takes text that looks like a number as one and leaves other text alone; and text that
# is left alone is greater than every number, infinity included.
_LOOKS_NUMERIC = f"{_TEXT} AND {{0}} <= CAST(? AS NUMERIC)"


def _numeric(field: str, operator: str, value: int | float) -> list[_Test]:
    """``operator`` and ``value`` as tests of numbers, and of text that looks like one."""
    if not _is_exact(value):
        tests: list[_Test] = [(f"{_LOOKS_NUMERIC} AND CAST({{0}} AS NUMERIC) {operator} ?", [math.inf, value])]
    else:
        tests = [(f"{_LOOKS_NUMERIC} AND {_ORDER}({{0}}, ?) {operator} 0", [math.inf, str(value)])]
    if field in BUILT_IN:  # those are text
        return tests
    bound = "" if operator in ("=", "<", "<=") else _NUMBER_BOUND
    if -(1 << 63) <= value < 1 << 63 or isinstance(value, float):
        tests.append((f"{{0}} {operator} ?{bound}", [value]))
    elif operator != "=" or _nearest(value) == value:
        tests.append((f"{{0}} {operator} ?{bound}", [_nearest(value)]))
    return tests


def _equal_to_one(field: str, numbers: Sequence[int | float]) -> list[_Test]:
    """The tests of numbers, and of text that looks like one, that are equal to one of ``numbers``."""
    plain = [value for value in numbers if not _is_exact(value)]
    tests = [test for value in numbers if _is_exact(value) for test in _numeric(field, "=", value)]
    if plain:
        tests.append((f"{_LOOKS_NUMERIC} AND CAST({{0}} AS NUMERIC) IN ({_marks(plain)})", [math.inf, *plain]))
        if field not in BUILT_IN:
            tests.append((f"{{0}} IN ({_marks(plain)})", plain))
    return tests


def _is_exact(value: int | float) -> bool:
    return isinstance(value, int) and abs(value) >= _EXACT


def _nearest(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


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
