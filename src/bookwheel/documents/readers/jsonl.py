"""JSON lines: one object per line, one document per object, in constant memory whatever the size."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..._errors import InputError
from ..document import Document, Value
from ..encoding import clean, decode
from ..failures import Note, Upcoming
from ..metadata import left_out
from ..recoding import utf8_stream
from ..seen_ids import without_duplicates
from ..source import Fields, Source, megabytes
from ..written_places import PLACES, placed
from .base import Format, Items
from .chat import CHAT_NAMES, chat_text, is_chat
from .json_size import parsed_size, room_of, too_large
from .lines import bounded_lines
from .record import Plan, flatten, plan_for, text_of

__all__ = ["JSONL", "Records", "clean_values"]

_MAX_PLANS = 1024
_MAX_KEYS = 1000
"""Fields of a record whose plan is remembered."""
LARGE = 1 << 20
"""Bytes of a record from which on it is told before it is parsed."""


class Records:
    """Makes documents of objects; remembers, for each shape of object, which field is what."""

    def __init__(self, source: Source, fields: Fields) -> None:
        self._source, self._fields = source, fields
        self._plans: dict[tuple[str, ...], Plan] = {}
        self._left: list[Note] = []

    def document(self, record: object, line: int, number: int = 0) -> Document | InputError:
        """The document of one parsed record that began at ``line``; ``number`` names it if
        it has no id (0: the line does).
        """
        if type(record) is not dict:
            return InputError(
                f"{self._source.label}:{line}: the record must be a JSON object, not {_kind(record)}; it was skipped"
            )
        keys = tuple(record)
        plan = self._plans.get(keys)
        if plan is None:
            try:
                plan = self._plan(keys, line)
            except InputError as error:
                return error
        identifier = record[plan.id] if plan.id is not None else None
        if type(identifier) is not str:
            if isinstance(identifier, int | float) and not isinstance(identifier, bool):
                identifier = str(identifier)
            elif identifier is not None:
                return InputError(f"{self._source.label}:{line}: the ID must be a string or a number, not {_kind(identifier)}")
        if not identifier:
            identifier = f"{self._source.path}#{number or line}"
        title = record[plan.title] if plan.title is not None else ""
        if type(title) is not str:
            title = text_of(title)
        if len(plan.text) == 1:
            text = record[plan.text[0]]
            if type(text) is not str:
                text = text_of(text)
        else:
            text = "\n\n".join(part for part in (text_of(record[name]) for name in plan.text) if part)
        if not plan.text and (turns := next((name for name in CHAT_NAMES if name in record and is_chat(record[name])), "")):
            text = chat_text(record[turns])
            plan = replace(plan, metadata=tuple(name for name in plan.metadata if name != turns))
        if not text or text.isspace():
            if not title or title.isspace():
                return InputError(f"{self._source.label}:{line}: the record {identifier[:80]!r} has no text; it was skipped")
            text, title = title, ""  # BEIR has documents that are a title only
        if PLACES in record:
            document = Document(identifier, text, title, self._metadata(record, plan, identifier, line), "prose", (), line)
            return placed(document, record[PLACES])
        if plan.metadata:
            return Document(identifier, text, title, self._metadata(record, plan, identifier, line), "prose", (), line)
        return Document(identifier, text, title, {}, "prose", (), line)

    def _metadata(self, record: dict[str, Any], plan: Plan, identifier: str, line: int) -> dict[str, Value]:
        left: dict[str, None] = {}
        found = flatten(record, plan.metadata, left)
        if left:
            self._left.append(Note(f"{self._source.label}:{line}: document {identifier!r:.80}: {left_out(left)}"))
        return found

    def told(self) -> Iterator[Note]:
        """What of the records made since the last call was left out."""
        while self._left:
            yield self._left.pop()

    def _plan(self, keys: tuple[str, ...], line: int) -> Plan:
        where = f"{self._source.label}:{line}: the record"
        plan = plan_for(keys, self._fields, where)
        if not plan.text and plan.title is None and not any(name in CHAT_NAMES for name in keys):
            raise InputError(
                f"{where} has no text field (its fields are {', '.join(keys[:20]) or 'none'}); choose one with --text"
            )
        if len(self._plans) < _MAX_PLANS and len(keys) <= _MAX_KEYS:
            self._plans[keys] = plan
        return plan


def clean_values(value: object) -> object:
    """A parsed JSON value with :func:`bookwheel.documents.encoding.clean` strings."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(key): clean_values(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clean_values(item) for item in value]
    return value


def _kind(value: object) -> str:
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return "a string"
    return {None: "null", True: "true", False: "false"}.get(value, "a number") if isinstance(value, bool | None) else "a number"


def _documents(source: Source, fields: Fields) -> Iterator[Document | InputError]:
    records = Records(source, fields)
    document = records.document
    parse = json.JSONDecoder().raw_decode
    with source.open() as raw, utf8_stream(raw) as stream:
        number = 0
        for line in bounded_lines(stream, source.max_bytes):  # not enumerated: that would hold on to each line
            number += 1
            if isinstance(line, int):
                yield InputError(
                    f"{source.label}:{number}: the line has {megabytes(line)}, more than the limit of "
                    f"{megabytes(source.max_bytes)} per record; it was skipped"
                )
                continue
            if (size := parsed_size(line)) > room_of(source):
                yield InputError(f"{source.label}:{number}: {too_large(size, source)}; the record was skipped")
                continue
            if len(line) >= LARGE:
                yield Upcoming.of(len(line))
            escaped = b"\\u" in line  # the only way for a NUL or half a surrogate pair to get in
            try:
                text = line.decode()
            except UnicodeDecodeError:
                text = decode(line)
            # Of a large record few copies may exist at a time.
            del line
            text = text.strip()
            if not text:
                continue
            try:
                record, end = parse(text)
                if end != len(text):
                    raise json.JSONDecodeError("text after the object", text, end)
            except (ValueError, RecursionError) as error:
                reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
                if isinstance(error, json.JSONDecodeError):
                    reason = f"{error.msg} at column {error.colno}"
                yield InputError(f"{source.label}:{number}: not JSON ({reason}); the line was skipped")
                continue
            del text
            if escaped:
                record = clean_values(record)
            made = document(record, number)
            del record
            yield made
            del made
            yield from records.told()


def _read(source: Source, fields: Fields) -> Items:
    return without_duplicates(_documents(source, fields), source.label)


JSONL = Format("jsonl", (".jsonl", ".ndjson", ".jsonlines"), _read, streamed=True)
