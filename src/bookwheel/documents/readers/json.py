"""JSON: a list of objects with texts is read as records, anything else as plain text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from ..._errors import InputError
from ..document import Document
from ..seen_ids import without_duplicates
from ..source import DEFAULT_FIELDS, Fields, Source
from .base import Format, Items
from .json_size import end_of, parsed_size, room_of, too_large
from .jsonl import Records, clean_values
from .record import plan_for
from .text import read_text

__all__ = ["JSON"]

_SPACE = re.compile(r"[ \t\r\n]*")
_LIST_OF_OBJECTS = re.compile(r"[ \t\r\n]*\[[ \t\r\n]*\{")


def _records(source: Source, fields: Fields, text: str) -> Iterator[Document | InputError]:
    """Parses one element at a time: the whole list as Python objects would
    take many times the file's size.
    """
    records = Records(source, fields)
    parse = json.JSONDecoder().raw_decode
    position = text.index("[") + 1
    line = 1
    counted = number = 0
    heavy = parsed_size(text) > room_of(source)
    while True:
        position = _end(_SPACE, text, position)
        if text[position : position + 1] == "]" and not text[position + 1 :].strip():
            return
        line += text.count("\n", counted, position)
        counted = position
        if heavy and (size := parsed_size(text[position : (end := end_of(text, position))])) > room_of(source):
            number += 1
            position = end
            yield InputError(f"{source.label}:{line}: {too_large(size, source)}; the record was skipped")
            position = _comma(source, text, position)
            continue
        try:
            record, position = parse(text, position)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{source.label}:{line}: not JSON ({error}); the rest of the file was skipped") from error
        number += 1
        yield records.document(clean_values(record), line, number)
        position = _comma(source, text, position)


def _comma(source: Source, text: str, position: int) -> int:
    """Where the next element may begin, after the comma."""
    position = _end(_SPACE, text, position)
    if text[position : position + 1] == ",":
        return position + 1
    if text[position : position + 1] != "]":
        raise InputError(f"{source.label}: not JSON (the list is not closed); the rest of the file was skipped")
    return position


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position


def _are_records(text: str, fields: Fields, room: int) -> bool:
    """True for a list of objects of which the first has a text; other lists are settings or
    data, to be read as they stand.
    """
    if not _LIST_OF_OBJECTS.match(text):
        return False
    if fields.text is not None:
        return True
    start = text.index("{")
    if parsed_size(text) > room and parsed_size(text[start : end_of(text, start)]) > room:
        return True  # told when it is its turn
    try:
        first, _ = json.JSONDecoder().raw_decode(text, start)
        return bool(plan_for(first, DEFAULT_FIELDS, "").text)
    except (ValueError, RecursionError):
        return False


def _read(source: Source, fields: Fields) -> Items:
    text = read_text(source)
    if _are_records(text, fields, room_of(source)):
        yield from without_duplicates(_records(source, fields, text), source.label)
    elif text and not text.isspace():
        yield Document(source.path, text, source.name or source.stem, kind="code", lines=True)


JSON = Format("json", (".json", ".geojson", ".json5", ".jsonc"), _read)
