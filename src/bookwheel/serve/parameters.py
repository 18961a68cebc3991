"""One parser of parameters: a frozen dataclass says what a page or an endpoint takes.

    @dataclass(frozen=True, slots=True)
    class FindParameters:
        q: str = parameter("", "words to look for", longest=1000)
        k: int = parameter(10, "how many", least=1, most=100)
        group: bool = parameter(False, "each document once")
        tag: tuple[str, ...] = parameter((), "may be given several times")

The same class is read from a query string (`Parser.query`), a form (`Parser.form`) and a JSON object (`Parser.json`), and is
what the OpenAPI document says (`Parser.schema`). What is unknown, wrong or given twice is told, all of it in one sentence
(`ParameterError`, 400). An empty value in a query string or form means that it is not given.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
import types
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from difflib import get_close_matches
from functools import cache
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

from .._errors import UsageError

__all__ = ["LONGEST", "ParameterError", "Parser", "given", "parameter", "parser"]

LONGEST = 1 << 15
"""The longest text of a parameter, in characters, where it says nothing else: that of a query."""
MANY = 1000
"""The most parameters of one request, and values of one parameter."""
T = TypeVar("T")
_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


class ParameterError(UsageError):
    """Parameters that a request may not have, one sentence."""


def parameter(
    default: Any = MISSING,
    doc: str = "",
    *,
    least: float | None = None,
    most: float | None = None,
    longest: int = LONGEST,
    choices: tuple[str, ...] = (),
    many: int = MANY,
) -> Any:
    """A field of a class of parameters: its default (none: it is needed), what it means, and what its values may be."""
    about = {"doc": doc, "least": least, "most": most, "longest": longest, "choices": choices, "many": many}
    return dataclasses.field(metadata=about) if default is MISSING else dataclasses.field(default=default, metadata=about)


def given(asked: Any, without: Collection[str] = ()) -> list[tuple[str, str]]:
    """Names and values of an instance of a class of parameters, as `Parser.pairs` reads them: those that are not as they are
    where they are left out, and not ``without``. Forms and links carry them on.
    """
    found: list[tuple[str, str]] = []
    for field in fields(asked):
        value = getattr(asked, field.name)
        if field.name in without or value is None or value == field.default:
            continue
        for one in value if isinstance(value, tuple) else (value,):
            found.append((field.name, str(one).lower() if isinstance(one, bool) else str(one)))
    return found


@dataclass(frozen=True, slots=True)
class _Parameter:
    """One field, its annotation taken apart."""

    name: str
    kind: type
    """``str``, ``int``, ``float``, ``bool``, ``dict``, another class of parameters, or ``object`` for anything."""
    several: bool
    """A tuple of them."""
    needed: bool
    optional: bool
    """Whether it may be null."""
    default: Any
    about: Mapping[str, Any]

    @classmethod
    def of(cls, field: Field[Any], hint: Any) -> _Parameter:
        optional = get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint)
        if optional:
            (hint,) = (one for one in get_args(hint) if one is not type(None))
        several = get_origin(hint) is tuple
        kind = get_args(hint)[0] if several else hint
        about = {"doc": "", "least": None, "most": None, "longest": LONGEST, "choices": (), "many": MANY, **field.metadata}
        return cls(field.name, kind, several, field.default is MISSING, optional, field.default, about)

    def schema(self) -> dict[str, Any]:
        """Its JSON schema."""
        about = self.about
        kind: dict[str, Any] = {"type": _TYPES[self.kind]} if self.kind in _TYPES else {}
        if dataclasses.is_dataclass(self.kind):
            kind = parser(self.kind).schema()
        if self.kind is str:
            kind |= {"maxLength": about["longest"]} | ({"minLength": 1} if self.needed else {})
            if about["choices"]:
                kind = {"type": "string", "enum": list(about["choices"])}
        if self.kind in (int, float):
            kind |= {key: about[name] for key, name in (("minimum", "least"), ("maximum", "most")) if about[name] is not None}
        if self.several:
            kind = {"type": "array", "items": kind, "maxItems": about["many"], **({"minItems": 1} if self.needed else {})}
        if about["doc"]:
            kind["description"] = about["doc"]
        if self.default is not MISSING and self.default not in (None, (), ""):
            kind["default"] = self.default
        return kind

    # -- values --------------------------------------------------------------------------------------------------------

    def of_text(self, text: str) -> Any:
        """The value that ``text`` writes. Raises `ValueError` with the rest of a sentence."""
        if self.kind is str:
            return self.checked(text)
        low = text.strip().lower()
        if self.kind is bool:
            if low in _TRUE or low in _FALSE:
                return low in _TRUE
            raise ValueError(f"must be true or false, not {text!r:.50}")
        if self.kind is int:
            if not re.fullmatch("[+-]?[0-9]{1,20}", low):
                raise ValueError(f"must be a whole number, not {text!r:.50}")
            return self.checked(int(low))
        if self.kind is float:
            try:
                return self.checked(float(low))
            except ValueError as error:
                if isinstance(error, _WrongError):
                    raise
                raise ValueError(f"must be a number, not {text!r:.50}") from None
        raise ValueError("can only be given in a JSON body")

    def of_json(self, value: Any) -> Any:
        """The value that JSON gives. Raises `ValueError` as `of_text`."""
        kind = self.kind
        if kind is object:
            return value
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            try:
                value = float(value)
            except OverflowError:
                value = math.inf
        if kind is int and isinstance(value, float) and value.is_integer():
            value = int(value)
        if dataclasses.is_dataclass(kind):
            if not isinstance(value, dict):
                raise ValueError(f"must be {_NAMES[dict]}, not {_shown(value)}")
            return parser(kind).json(value)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ValueError(f"must be {_NAMES[kind]}, not {_shown(value)}")
        return self.checked(value)

    def checked(self, value: Any) -> Any:
        """``value`` where it is within its bounds."""
        about = self.about
        if isinstance(value, str):
            if len(value) > about["longest"]:
                raise _WrongError(f"can have at most {about['longest']:,} characters, not {len(value):,}")
            if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value if c > "\ud7ff"):
                raise _WrongError("has NUL characters or half characters; remove them")
            if about["choices"] and value not in about["choices"]:
                raise _WrongError(f"must be one of {', '.join(about['choices'])}, not {value!r:.50}")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            least, most = about["least"], about["most"]
            if not math.isfinite(value) if isinstance(value, float) else False:
                raise _WrongError(f"must be a number, not {value!r:.50}")
            if (least is not None and value < least) or (most is not None and value > most):
                raise _WrongError(f"must be {_bounds(least, most)}, not {value!r:.50}")
        return value


class _WrongError(ValueError):
    """A value out of bounds; its sentence is to be kept."""


_NAMES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", dict: "an object"}


_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", dict: "object"}


def _shown(value: Any) -> str:
    told = {dict: "an object", list: "a list", type(None): "null", bool: "true or false"}
    return told.get(type(value)) or f"{value!r:.50}"


def _bounds(least: float | None, most: float | None) -> str:
    if least is None:
        return f"at most {most:,}"
    return f"{least:,} or more" if most is None else f"from {least:,} to {most:,}"


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of what may be null, too."""
    found = dict(schema)
    if "type" in found:
        found["type"] = [found["type"], "null"]
    if "enum" in found:
        found["enum"] = [*found["enum"], None]
    return found


class Parser(Generic[T]):
    """Reads instances of ``kind``, a dataclass of parameters. Use `parser` to get one."""

    def __init__(self, kind: type[T]) -> None:
        self.kind = kind
        hints = get_type_hints(kind)
        self.parameters = {field.name: _Parameter.of(field, hints[field.name]) for field in fields(kind)}  # type: ignore[arg-type]

    def query(self, text: bytes | str) -> T:
        """From a query string, as a URL or a form has it."""
        if not text:
            return self._made({}, [])
        raw = text.decode("ascii", "replace") if isinstance(text, bytes) else text
        try:
            pairs = parse_qsl(raw, keep_blank_values=True, max_num_fields=MANY, errors="strict")
        except UnicodeDecodeError:
            raise ParameterError("the parameters are not encoded as UTF-8; encode them as a browser does") from None
        except ValueError:
            raise ParameterError(f"a request can have at most {MANY:,} parameters; give fewer") from None
        return self.pairs(pairs)

    form = query

    def pairs(self, pairs: Iterable[tuple[str, str]]) -> T:
        """From names and values; a name may be given more than once for a parameter with several values."""
        given: dict[str, list[str]] = {}
        for name, value in pairs:
            if value != "":
                given.setdefault(name, []).append(value)
            elif name not in self.parameters:
                given.setdefault(name, [])
        values: dict[str, Any] = {}
        wrong = self._unknown(given)
        for name, texts in given.items():
            one = self.parameters.get(name)
            if one is None:
                continue
            if not one.several and len(texts) > 1:
                wrong.append(f"{name} is given {len(texts)} times; give it once")
                continue
            self._set(values, wrong, one, one.of_text, texts if one.several else texts[0])
        return self._made(values, wrong)

    def json(self, body: bytes | Mapping[str, Any]) -> T:
        """From a JSON object. Null means that a parameter is not given."""
        if isinstance(body, bytes):
            try:
                body = json.loads(body) if body.strip() else {}
            except (ValueError, RecursionError):
                raise ParameterError('the body is not JSON; send an object, as in {"query": "words"}') from None
        if not isinstance(body, Mapping):
            raise ParameterError(f"the body must be a JSON object, not {_shown(body)}")
        values: dict[str, Any] = {}
        wrong = self._unknown(body)
        for name, value in body.items():
            one = self.parameters.get(name)
            if one is None or value is None:
                continue
            if one.several and not isinstance(value, list):
                value = [value]
            self._set(values, wrong, one, one.of_json, value)
        return self._made(values, wrong)

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the object that `json` reads."""
        needed = [one.name for one in self.parameters.values() if one.needed]
        properties = {one.name: one.schema() if one.needed else _or_null(one.schema()) for one in self.parameters.values()}
        return {
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
            **({"required": needed} if needed else {}),
        }

    def _set(self, values: dict[str, Any], wrong: list[str], one: _Parameter, read: Callable[[Any], Any], given: Any) -> None:
        try:
            if not one.several:
                values[one.name] = read(given)
                return
            if len(given) > one.about["many"]:
                raise ValueError(f"can have at most {one.about['many']:,} values, not {len(given):,}")
            values[one.name] = tuple(map(read, given))
        except ValueError as error:
            wrong.append(f"{one.name} {error}" if not isinstance(error, ParameterError) else f"in {one.name}: {error}")

    def _unknown(self, given: Iterable[str]) -> list[str]:
        known = list(self.parameters)
        told = []
        for name in given:
            if name in self.parameters:
                continue
            near = get_close_matches(str(name)[:50], known, 1)
            hint = f"did you mean {near[0]}?" if near else f"parameters are {', '.join(known)}" if known else "there are none"
            told.append(f"there is no parameter {str(name)!r:.60}; {hint}")
            if len(told) == 5:
                break
        return told

    def _made(self, values: dict[str, Any], wrong: list[str]) -> T:
        wrong += [f"{one.name} is missing" for one in self.parameters.values() if one.needed and one.name not in values]
        if wrong:
            raise ParameterError("; ".join(dict.fromkeys(wrong)))
        return self.kind(**values)


@cache
def parser(kind: type[T]) -> Parser[T]:
    """The parser of a class of parameters."""
    return Parser(kind)
