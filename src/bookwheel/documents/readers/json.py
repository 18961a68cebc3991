"""JSON: a list of objects with texts is read as records, anything else as plain text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from ..._errors import InputError
from ..document import Document
from ..seen_ids import without_duplicates
from ..source import DEFAULT_FIELDS, Fields, Source
from .base import Format, Items
from .chat import CHAT_NAMES, is_chat
from .json_size import end_of, parsed_size, room_of, too_large
from .jsonl import Records, clean_values
from .record import plan_for
from .text import read_text

__all__ = ["JSON"]

_HEAD = 1 << 14
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
        yield from records.told()
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
        return bool(plan_for(first, DEFAULT_FIELDS, "").text) or _has_turns(first)
    except (ValueError, RecursionError):
        return False


def _has_turns(record: object) -> bool:
    return isinstance(record, dict) and any(is_chat(record.get(name)) for name in CHAT_NAMES)


def _conversation(source: Source, fields: Fields, text: str) -> Document | None:
    """The document of a file that is one conversation: an object with its turns, or the list of them; else None."""
    if fields.text is not None or ('"content"' not in text[:_HEAD] and '"value"' not in text[:_HEAD]):
        return None
    if parsed_size(text) > room_of(source):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, list) and all(isinstance(item, dict) and {"role", "content"} <= item.keys() for item in found):
        found = {"messages": found}
    if not _has_turns(found):
        return None
    made = Records(source, fields).document(clean_values(found), 1)
    return replace(made, title=made.title or source.stem) if isinstance(made, Document) else None


def _read(source: Source, fields: Fields) -> Items:
    text = read_text(source)
    if (conversation := _conversation(source, fields, text)) is not None:
        yield conversation
    elif _are_records(text, fields, room_of(source)):
        yield from without_duplicates(_records(source, fields, text), source.label)
    elif text and not text.isspace():
        yield Document(source.path, text, source.name or source.stem, kind="code", lines=True)


JSON = Format("json", (".json", ".geojson", ".json5", ".jsonc"), _read)
