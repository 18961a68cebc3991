"""The metadata filter of ``--where``: ``year >= 2020 and author = "Knuth"``, as a condition in SQL.

The text is read by a tokenizer and a recursive descent of our own; what comes out is SQL of fixed
pieces with every name and value as a parameter. The grammar, and how values compare (documented for
users in ``docs/filters.md``):

    or      = and {"or" and}                        and  = not {"and" not}              not = "not" not | test
    test    = "(" or ")" | "exists" FIELD | FIELD "exists" | FIELD OP VALUE
            | FIELD ["not"] "in" "(" VALUE {"," VALUE} ")" | FIELD ["not"] ("like" | "~") STRING
    OP      = "=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">="
    FIELD   = a bare word | "quoted" | [in brackets]
    VALUE   = "text" | 'text' | number | 2024-01-31 | true | false | null

* A number compares with numbers, and with text that looks like a number (all of a CSV file is text). ``true`` is 1.
* A string compares with text only, case-sensitively, by code points: dates written year first compare rightly.
* A date without quotes is text, too, and stands for all of its day or month: ``date <= 2024-01`` holds on 31 January.
* ``like`` finds a substring in text, whatever the case.
* A document without the field meets no comparison, ``!=`` and ``not in`` included; ``not (year = 2020)`` it does meet.
* Where a field has several values, one that fits is enough; ``!=`` and ``not in`` mean that none of them is equal.
"""

from __future__ import annotations

import math
import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from ..._caret import caret
from ..._errors import FilterError
from .conditions import BUILT_IN, LAST, Compare, Condition, Contains, Exists, Group, Not, OneOf, StartsWith, Value, register
from .file_fields import FILE_FIELDS, PLACES, require_place

__all__ = ["BUILT_IN", "FILE_FIELDS", "Filter", "parse_filter", "register"]

MAX_TEXT = 200_000
"""Longest filter, in characters."""
MAX_TESTS = 300
"""Most comparisons in a filter; with ``MAX_VALUES`` it keeps below SQLite's
limits on parameters and depth.
"""
MAX_VALUES = 10_000
"""Most values in its ``in`` lists together."""
MAX_DEPTH = 50
"""Deepest nesting of parentheses and ``not``."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on documents."""

    text: str
    """As it was written."""
    condition: Condition
    fields: tuple[str, ...]
    """Metadata keys that it names, without the built-in fields, in order of appearance."""

    def sql(self) -> tuple[str, list[Value]]:
        """A condition for ``SELECT … FROM documents d WHERE``, and its parameters. True
        or false for a row, never NULL.
        """
        parameters: list[Value] = []
        return self.condition.sql(parameters), parameters


# -- reading ---------------------------------------------------------------------------------------------------------------


class _Token(NamedTuple):
    kind: str
    """word, name (in brackets), single, double (quotes), number, an operator or word
    of the grammar itself, or end.
    """
    text: str
    column: int


_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?P<tail>[\w.:/-]*)
  | (?P<word>[^\W\d][\w.-]*)
  | "(?P<double>(?:[^"\\]|\\.)*)"
  | '(?P<single>(?:[^'\\]|\\.)*)'
  | \[(?P<name>[^\]]+)\]
  | (?P<operator>==|!=|<>|<=|>=|[=<>~(),])
    )""",
    re.VERBOSE | re.DOTALL,
)
_DATE = re.compile(r"\d{4}-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?)?)?", re.ASCII)
_KEYWORDS = ("and", "or", "not", "in", "like", "exists", "true", "false", "null")
_COMPARISONS = {"=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_CONSTANTS: dict[str, int | None] = {"true": 1, "false": 0, "null": None}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}
_HINTS = {"&": "write 'and'", "|": "write 'or'", "!": "write 'not'", "%": 'find part of a text with: title like "word"'}


def parse_filter(text: str) -> Filter:
    """Parse a filter. Raises `FilterError` with the column of the first
    mistake and what was expected there.
    """
    if not isinstance(text, str):
        raise FilterError(f"a filter must be a string such as 'year >= 2020', not {type(text).__name__}")
    if len(text) > MAX_TEXT:
        raise FilterError(f"a filter can have at most {MAX_TEXT} characters, not {len(text)}; shorten it")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise FilterError(f"the filter has an unpaired surrogate at column {error.start + 1}; remove it") from None
    if not text.strip():
        raise FilterError('the filter is empty; write one such as: year >= 2020 and author = "Knuth"')
    parser = _Parser(text)
    condition = parser.any_of()
    parser.expect("end", "'and', 'or' or the end of the filter")
    return Filter(text, condition, tuple(dict.fromkeys(name for name in parser.fields if name not in BUILT_IN)))


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self.tokenized()
        self.at = 0
        self.depth = 0
        self.tests = 0
        self.values = 0
        self.fields: list[str] = []

    # grammar

    def any_of(self) -> Condition:
        parts = [self.all_of()]
        while self.take("or"):
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else Group("OR", tuple(parts))

    def all_of(self) -> Condition:
        parts = [self.negated()]
        while self.take("and"):
            parts.append(self.negated())
        return parts[0] if len(parts) == 1 else Group("AND", tuple(parts))

    def negated(self) -> Condition:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(f"parentheses and 'not' can be nested at most {MAX_DEPTH} deep; simplify the filter")
        if self.take("not"):
            condition: Condition = Not(self.negated())
        elif self.take("("):
            condition = self.any_of()
            self.expect(")", "'and', 'or' or a closing parenthesis")
        else:
            condition = self.test()
        self.depth -= 1
        return condition

    def test(self) -> Condition:
        self.tests += 1
        if self.tests > MAX_TESTS:
            self.fail(f"a filter can have at most {MAX_TESTS} comparisons; use: field in (value, value, …)")
        if self.take("exists"):
            inside = self.take("(")
            condition: Condition = Exists(self.field())
            if inside:
                self.expect(")", "a closing parenthesis")
            return condition
        field = self.field()
        if self.take("exists"):
            return Exists(field)
        if self.peek.kind in _COMPARISONS:
            operator = _COMPARISONS[self.next().kind]
            return self.comparison(field, operator)
        negated = self.take("not")
        if self.take("in"):
            condition = self.one_of(field)
        elif self.take("like") or self.take("~"):
            condition = Contains(field, self.string())
        else:
            self.fail(f"expected a comparison after the field {_shown(field)}: = != < <= > >= in like exists")
        return _unequal(field, condition) if negated else condition

    def comparison(self, field: str, operator: str) -> Condition:
        token = self.peek
        value = self.value()
        if operator not in ("=", "!=") and token.kind in _CONSTANTS:
            self.fail(f"{token.text} can only be compared with = or !=", token)
        if value is None:
            return Not(Exists(field)) if operator == "=" else Exists(field)
        if field in PLACES and operator in ("=", "!="):
            equal = OneOf(field, self.places(field, token, value))
            return equal if operator == "=" else _unequal(field, equal)
        if token.kind == "date":
            return self.period(field, operator, token.text)
        if operator == "!=":
            return _unequal(field, Compare(field, "=", value))
        return Compare(field, operator, value)

    def period(self, field: str, operator: str, date: str) -> Condition:
        """A comparison with a date without quotes, which is all of that day or month."""
        if operator in ("=", "!="):
            within = StartsWith(field, date)
            return within if operator == "=" else _unequal(field, within)
        return Compare(field, operator, date + LAST if operator in ("<=", ">") else date)

    def one_of(self, field: str) -> Condition:
        self.expect("(", 'a list after \'in\', as in: lang in ("en", "de")')
        values: list[Value] = []
        while True:
            token = self.peek
            value = self.value()
            if value is None:
                self.fail("a list cannot contain null; use: not (field exists)", token)
            values += self.places(field, token, value) if field in PLACES else (value,)
            self.values += 1
            if self.values > MAX_VALUES:
                self.fail(f"the lists of a filter can have at most {MAX_VALUES} values in total")
            if not self.take(","):
                break
        self.expect(")", "a comma or a closing parenthesis")
        return OneOf(field, tuple(values))

    def field(self) -> str:
        token = self.next()
        match token.kind:
            case "word" | "name":
                name = token.text
            case "double":
                name = self.unescaped(token)
            case "single":
                self.fail('expected a field name: plain, in "double quotes" or in [brackets]', token)
            case "number":
                self.fail("expected a field name on the left, as in: year >= 2020", token)
            case kind if kind in _KEYWORDS:
                self.fail(f"expected a field name; if {kind!r} is one, write [{kind}]", token)
            case _:
                self.fail("expected a field name, as in: year >= 2020", token)
        name = unicodedata.normalize("NFC", name)
        self.fields.append(name)
        return name

    def value(self) -> Value | None:
        token = self.next()
        match token.kind:
            case "single" | "double":
                return self.unescaped(token)
            case "number":
                return self.number(token)
            case "date":
                return token.text
            case kind if kind in _CONSTANTS:
                return _CONSTANTS[kind]
            case "word" | "name":
                self.fail(
                    f"expected a value; put text in quotes: \"{token.text}\" (and, in a shell, the whole filter in ' ')",
                    token,
                )
            case _:
                self.fail('expected a value: "text", a number, true, false or null', token)

    def places(self, field: str, token: _Token, value: Value) -> tuple[Value, ...]:
        """What a part of a path may be: a folder can be called 2024."""
        if not isinstance(value, str):
            return (token.text, value)
        try:
            require_place(field, value)
        except FilterError as error:
            self.fail(str(error), token)
        return (value,)

    def string(self) -> str:
        token = self.next()
        if token.kind not in ("single", "double"):
            self.fail('expected a text in quotes, as in: title like "search"', token)
        return self.unescaped(token)

    # tokens

    def tokenized(self) -> list[_Token]:
        tokens: list[_Token] = []
        at, end = 0, len(self.text.rstrip())
        while at < end:
            found = _TOKEN.match(self.text, at)
            if found is None:
                self.unreadable(at)
            at = found.end()
            kind = found.lastgroup or ""
            if found["number"] is not None:
                kind = "number"
                if found["tail"] and _DATE.fullmatch(found["number"] + found["tail"]):
                    kind = "date"
                elif found["tail"]:
                    self.fail_at(
                        found.start("number"),
                        f'expected a number; put dates and other text in quotes: "{found["number"]}{found["tail"]}"',
                    )
            if kind == "date":
                tokens.append(_Token(kind, found["number"] + found["tail"], found.start("number")))
                continue
            text, column = found[kind], found.start(kind)
            if kind == "operator" or (kind == "word" and text.lower() in _KEYWORDS):
                kind = text.lower()
            tokens.append(_Token(kind, text, column - (kind in ("double", "single", "name"))))
        tokens.append(_Token("end", "", end))
        return tokens

    def unreadable(self, at: int) -> NoReturn:
        at += len(self.text[at:]) - len(self.text[at:].lstrip())
        character = self.text[at]
        if character in "\"'[":
            self.fail_at(at, f"the {'bracket' if character == '[' else 'quote'} that opens here is not closed")
        hint = _HINTS.get(character, 'put text and unusual field names in quotes, as in: author = "Knuth"')
        self.fail_at(at, f"{character!r} is not allowed here; {hint}")

    def number(self, token: _Token) -> int | float:
        with suppress(ValueError):  # has a point or an exponent, or thousands of digits
            return int(token.text)
        value = float(token.text)
        if value in (math.inf, -math.inf):
            self.fail("the number is too large", token)
        return value

    def unescaped(self, token: _Token) -> str:
        def character(found: re.Match[str]) -> str:
            if found[1] not in _ESCAPES:
                self.fail_at(
                    token.column + 1 + found.start(), f"'\\{found[1]}' is not an escape sequence; write a backslash as '\\\\'"
                )
            return _ESCAPES[found[1]]

        return re.sub(r"\\(.)", character, token.text, flags=re.DOTALL)

    @property
    def peek(self) -> _Token:
        return self.tokens[self.at]

    def next(self) -> _Token:
        token = self.tokens[self.at]
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def take(self, kind: str) -> bool:
        if self.peek.kind != kind:
            return False
        self.next()
        return True

    def expect(self, kind: str, what: str) -> None:
        if not self.take(kind):
            self.fail(f"expected {what}")

    def fail(self, message: str, token: _Token | None = None) -> NoReturn:
        self.fail_at((token or self.peek).column, message)

    def fail_at(self, column: int, message: str) -> NoReturn:
        raise FilterError(f"filter, column {column + 1}: {message}\n{caret(self.text, column)}")


def _unequal(field: str, equal: Condition) -> Condition:
    return Group("AND", (Exists(field), Not(equal)))


def _shown(field: str) -> str:
    return repr(field if len(field) < 40 else field[:37] + "…")
