"""What a reading process and its parent say to each other: frames of a kind, a head in JSON, and a text in UTF-8.

The parent believes nothing of what comes: a parser that was taken over can send what it likes, but only documents, errors and
notes come out, of the types that they have, and none longer than the limit. No pickles, which would run code.
"""

from __future__ import annotations

import json
import struct
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from typing import Any, get_args, get_origin, get_type_hints

from ... import _errors
from ..._errors import BookwheelError, InputError
from .. import document, failures, parts
from ..document import Document
from ..source import Fields, Skipped, Source

__all__ = [
    "DOCUMENT",
    "FAILED",
    "FINISHED",
    "HEAD",
    "HELLO",
    "ITEM",
    "READ",
    "FrameError",
    "decoded",
    "document_frame",
    "encoded",
    "error_of",
    "frame",
    "item_of",
    "said",
]

HEAD = struct.Struct("<cII")
"""Kind, bytes of the head, bytes of the text."""
READ = b"R"
"""To the process: read this source."""
HELLO, DOCUMENT, ITEM, FAILED, FINISHED = b"H", b"D", b"I", b"X", b"F"
"""From the process: it has started; a document; what else a reader yields; why the source could not be read to its end; the end."""

_TAG = "$"
_DOCUMENT = {item.name: item for item in fields(Document)}
_DATES: dict[str, Any] = {"datetime": datetime, "date": date, "time": time}
_CLASSES: dict[str, Any] = {
    **{
        name: value
        for module in (document, failures, parts)
        for name, value in vars(module).items()
        if isinstance(value, type)
        and value.__module__ == module.__name__
        and (is_dataclass(value) or hasattr(value, "_fields"))
    },
    **{item.__name__: item for item in (Skipped, Source, Fields)},
}
"""What may be sent beside plain values: data classes and named tuples."""
_HINTS = {name: get_type_hints(value) for name, value in _CLASSES.items() if name not in ("Source", "Fields")}
_ERRORS: dict[str, type[BookwheelError]] = {
    name: value
    for module in (failures, _errors)
    for name, value in vars(module).items()
    if isinstance(value, type) and issubclass(value, BookwheelError)
}


class FrameError(ValueError):
    """A frame that is none, or that holds what no reader sends."""


def frame(kind: bytes, head: Any = None, text: bytes = b"") -> bytes:
    """The bytes of a frame, ``text`` not among them where it is empty."""
    encoded_head = encoded(head)
    return HEAD.pack(kind, len(encoded_head), len(text)) + encoded_head + text


def encoded(value: Any) -> bytes:
    """``value`` as JSON that `decoded` turns into an equal value of equal types. Raises `TypeError` for what cannot be sent."""
    return json.dumps(_packed(value), ensure_ascii=False, separators=(",", ":"), check_circular=False).encode(
        "utf-8", "surrogatepass"
    )


def decoded(data: bytes | bytearray) -> Any:
    """The value that `encoded` made ``data`` of. Raises `FrameError`."""
    try:
        return _unpacked(json.loads(data.decode("utf-8", "surrogatepass")))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise FrameError(str(error)[:200]) from error


def _packed(value: Any) -> Any:
    kind = type(value)
    if kind is str or value is None or kind is bool or kind is float:
        return value
    if kind is int:
        # Decimal digits of long numbers take the square of their number, and are limited.
        return value if -(1 << 63) <= value < 1 << 63 else {_TAG: "int", "v": hex(value)}
    if kind is list:
        return [_packed(item) for item in value]
    if kind is tuple:
        return {_TAG: "tuple", "v": [_packed(item) for item in value]}
    if kind is bytes:
        return {_TAG: "bytes", "v": value.hex()}
    if kind in (datetime, date, time):
        return {_TAG: kind.__name__, "v": value.isoformat(), "fold": getattr(value, "fold", 0)}
    if hasattr(kind, "_fields") and kind is _CLASSES.get(kind.__name__):
        return {_TAG: "row", "n": kind.__name__, "v": [_packed(item) for item in value]}
    if kind is _CLASSES.get(kind.__name__):
        # A stream stays where it is: whoever needs it sends its bytes.
        shown = {item.name: _packed(getattr(value, item.name)) for item in fields(value) if item.name != "stream"}
        return {_TAG: "data", "n": kind.__name__, "v": shown}
    if isinstance(value, BookwheelError):
        return {_TAG: "error", "n": kind.__name__, "v": [_packed(item) for item in value.args], "s": _packed(vars(value))}
    if isinstance(value, dict) or hasattr(value, "keys"):
        if all(type(key) is str for key in value) and _TAG not in value:
            return {key: _packed(item) for key, item in value.items()}
        return {_TAG: "dict", "v": [[_packed(key), _packed(item)] for key, item in value.items()]}
    if isinstance(value, str | int | float):  # of a class of its own: a numpy scalar, an enumeration
        return _packed((str if isinstance(value, str) else int if isinstance(value, int) else float)(value))
    raise TypeError(f"a reader yielded a value of type {kind.__name__}, which cannot be sent")


def _unpacked(value: Any) -> Any:
    kind = type(value)
    if kind is list:
        return [_unpacked(item) for item in value]
    if kind is not dict:
        return value
    tag = value.get(_TAG)
    if tag is None:
        return {key: _unpacked(item) for key, item in value.items()}
    inner = value["v"]
    if tag == "int":
        return int(inner, 16)
    if tag == "tuple":
        return tuple(_unpacked(item) for item in inner)
    if tag == "bytes":
        return bytes.fromhex(inner)
    if tag in _DATES:
        when = _DATES[tag].fromisoformat(inner)
        return when.replace(fold=value["fold"]) if isinstance(when, datetime | time) else when
    if tag == "dict":
        return {_unpacked(key): _unpacked(item) for key, item in inner}
    if tag == "data":
        return _CLASSES[value["n"]](**{name: _unpacked(item) for name, item in inner.items()})
    if tag == "row":
        made = _CLASSES[value["n"]](*[_unpacked(item) for item in inner])
        if not all(_is(item, hint) for item, hint in zip(made, _HINTS[value["n"]].values(), strict=True)):
            raise FrameError(f"a {value['n']} of wrong types")
        return made
    if tag == "error":
        return error_of(value["n"], tuple(_unpacked(inner)), _unpacked(value["s"]))
    raise FrameError(f"unknown tag {tag!r:.40}")


def error_of(name: str, args: tuple[Any, ...], state: dict[str, Any]) -> BookwheelError:
    """An error of bookwheel's by its name. Raises `FrameError` for another."""
    kind = _ERRORS.get(name)
    if kind is None or not all(isinstance(item, str | int | float | None) for item in args):
        raise FrameError(f"unknown error {name!r:.40}")
    error = kind.__new__(kind, *args)
    error.args = args
    vars(error).update(state)
    return error


def _is(value: Any, hint: Any) -> bool:
    """Whether ``value`` is what the hint of a field says: a plain type, a class of ours, or a tuple of either; metadata aside."""
    if get_origin(hint) is tuple:
        return type(value) is tuple and all(_is(item, get_args(hint)[0]) for item in value)
    if get_origin(hint) is not None:  # a mapping
        return type(value) is dict
    return type(value) is hint


def _plain(value: Any) -> bool:
    """Whether metadata can have such a value."""
    if isinstance(value, list | tuple):
        return all(_plain(item) for item in value)
    if isinstance(value, dict):
        return all(type(key) is str and _plain(item) for key, item in value.items())
    return value is None or isinstance(value, str | int | float | bytes | date | time)


def document_frame(found: Document) -> tuple[bytes, bytes]:
    """The frame of a document in two pieces, of which the second, its text, is not copied into the first."""
    shown = {name: getattr(found, name) for name in _DOCUMENT if name != "text"}
    head = encoded({name: value for name, value in shown.items() if value != _DOCUMENT[name].default})
    text = found.text.encode("utf-8", "surrogatepass")
    return HEAD.pack(DOCUMENT, len(head), len(text)) + head, text


def said(data: bytes | bytearray) -> dict[str, Any]:
    """A head that is an object. Raises `FrameError` for another."""
    value = decoded(data)
    if type(value) is not dict:
        raise FrameError("the head is no object")
    return value


def item_of(kind: bytes, head: bytes | bytearray, text: bytes | bytearray) -> Document | InputError:
    """What a reader yielded, from its frame. Raises `FrameError` for what no reader yields."""
    if kind == ITEM:
        value = decoded(head)
        if not isinstance(value, InputError):
            raise FrameError(f"a reader yields no {type(value).__name__}")
        return value
    values = said(head)
    if not values.keys() <= _DOCUMENT.keys() - {"text"}:
        raise FrameError(f"a document has no {', '.join(values.keys() - _DOCUMENT.keys())!s:.80}")
    for name, value in values.items():
        if not _is(value, _HINTS["Document"][name]):
            raise FrameError(f"a document's {name} of a wrong type")
    if not all(type(key) is str and _plain(value) for key, value in values.get("metadata", {}).items()):
        raise FrameError("a document's metadata are of wrong types")
    try:
        return Document(text=text.decode("utf-8", "surrogatepass"), **values)
    except (ValueError, TypeError) as error:
        raise FrameError(str(error)[:200]) from error
