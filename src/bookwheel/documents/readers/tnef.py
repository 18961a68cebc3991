"""TNEF (``winmail.dat``): what Outlook packs a message's text and attachments into, for other programs to puzzle over.

Source: [MS-OXTNEF], [MS-OXCDATA].
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from ..document import Document, Scalar
from ..encoding import clean
from ..source import Fields, Source
from .base import Attachment, Format, Items, Letter
from .html import visible_text
from .mail_headers import recoded
from .mail_parts import page_of
from .outlook import unpacked_rtf
from .rtf import rtf_text
from .values import one_line

__all__ = ["SIGNATURE", "TNEF"]

SIGNATURE = b"\x78\x9f\x3e\x22"
_SUBJECT, _BODY, _SENT, _PROPERTIES, _CODE_PAGE = 0x18004, 0x2800C, 0x38005, 0x69003, 0x69007
_NEXT_FILE, _FILE_DATA, _FILE_TITLE, _FILE_PROPERTIES = 0x69002, 0x6800F, 0x18010, 0x69005
_P_SUBJECT, _P_BODY, _P_RTF, _P_HTML, _P_SENDER, _P_ADDRESS = 0x0037, 0x1000, 0x1009, 0x1013, 0x0C1A, 0x0C1F
_P_DATA, _P_NAME, _P_LONG_NAME, _P_DISPLAYED = 0x3701, 0x3704, 0x3707, 0x3001
_FIXED = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
"""Bytes of the values of a type, padding included."""
_OBJECT, _TEXT8, _TEXT16, _BYTES = 0x0D, 0x1E, 0x1F, 0x102
_MANY = 0x1000
_MOST = 10_000
"""Properties, and values of one."""

Properties = dict[int, tuple[int, bytes]]
"""By number: the type, and the bytes of the first value."""


class _Cut(Exception):
    """The data end too early, or are none."""


def _read(source: Source, fields: Fields) -> Items:
    data = source.read_bytes(source.max_bytes * 8)
    charset, said, message, files = "cp1252", {}, Properties(), list[Properties]()
    damage = ""
    try:
        for number, value in _attributes(data):
            if number == _CODE_PAGE and len(value) >= 4:
                charset = f"cp{int.from_bytes(value[:4], 'little')}"
            elif number == _PROPERTIES:
                message |= _properties(value)
            elif number == _NEXT_FILE:
                files.append({})
            elif number == _FILE_DATA and files:
                files[-1].setdefault(_P_DATA, (_BYTES, value))
            elif number == _FILE_TITLE and files:
                files[-1].setdefault(_P_NAME, (_TEXT8, value))
            elif number == _FILE_PROPERTIES and files:
                files[-1] |= _properties(value)
            else:
                said[number] = value
    except _Cut as error:
        damage = str(error)
    title = _text(message, _P_SUBJECT, charset) or _decoded(said.get(_SUBJECT, b""), charset)
    text = _text(message, _P_BODY, charset) or _decoded(said.get(_BODY, b""), charset) or _marked_up(message, source.max_bytes)
    attachments = tuple(_attached(files, charset))
    metadata = _metadata(message, said, charset)
    title, text = one_line(title, 1000), text.replace("\r\n", "\n").strip()
    if attachments:
        metadata["attachments"] = one_line(", ".join(file.name for file in attachments), 1000)
        yield Letter(source.path, text, title or source.stem, metadata, line=0, attachments=attachments)
    elif text or title:
        yield Document(source.path, text or title, title or source.stem, metadata, line=0)
    if damage:
        from ..._errors import InputError

        raise InputError(f"{source.label} is damaged: {damage}")


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 6
    while at + 9 <= len(data):
        number, length = int.from_bytes(data[at + 1 : at + 5], "little"), int.from_bytes(data[at + 5 : at + 9], "little")
        if data[at] not in (1, 2) or at + 9 + length + 2 > len(data):
            raise _Cut("it ends before its last part does")
        yield number, data[at + 9 : at + 9 + length]
        at += 11 + length


def _properties(data: bytes) -> Properties:
    """The properties of one list, as far as they can be read."""
    found: Properties = {}
    at = 4

    def take(size: int) -> bytes:
        nonlocal at
        if at + size > len(data):
            raise _Cut("a list of properties is cut off")
        at += size
        return data[at - size : at]

    def whole() -> int:
        return int.from_bytes(take(4), "little")

    try:
        for _ in range(min(int.from_bytes(data[:4], "little"), _MOST)):
            kind, number = int.from_bytes(take(2), "little"), int.from_bytes(take(2), "little")
            if number >= 0x8000:  # one with a name
                take(16)
                if whole() == 0:
                    take(4)
                else:
                    take(_padded(whole()))
            many, kind = bool(kind & _MANY), kind & ~_MANY
            variable = kind in (_OBJECT, _TEXT8, _TEXT16, _BYTES)
            if not variable and kind not in _FIXED:
                return found
            first: bytes | None = None
            for _ in range(min(whole(), _MOST) if many or variable else 1):
                size = whole() if variable else _FIXED[kind]
                value = take(_padded(size))[:size]
                first = value if first is None else first
            if first is not None:
                found[number] = kind, first
    except _Cut:
        pass
    return found


def _padded(size: int) -> int:
    return size + -size % 4


def _text(properties: Properties, number: int, charset: str) -> str:
    kind, value = properties.get(number, (0, b""))
    if kind == _TEXT16:
        return clean(value.decode("utf-16-le", "replace")).strip("\0 ")
    return _decoded(value, charset) if kind == _TEXT8 else ""


def _decoded(data: bytes, charset: str) -> str:
    data = data.rstrip(b"\0")
    return clean(recoded(data, charset)) if data else ""


def _marked_up(message: Properties, limit: int) -> str:
    _, html = message.get(_P_HTML, (0, b""))
    if html:
        return clean(visible_text(page_of(recoded(html, None)).body))
    _, packed = message.get(_P_RTF, (0, b""))
    return rtf_text(unpacked_rtf(packed, limit))[0] if packed else ""


def _metadata(message: Properties, said: dict[int, bytes], charset: str) -> dict[str, Scalar]:
    metadata: dict[str, Scalar] = {}
    sender = " ".join(part for part in (_text(message, _P_SENDER, charset), _text(message, _P_ADDRESS, charset)) if part)
    if sender:
        metadata["from"] = one_line(sender, 1000)
    sent = said.get(_SENT, b"")
    if len(sent) >= 12:
        try:
            when = datetime.datetime(*(int.from_bytes(sent[at : at + 2], "little") for at in range(0, 12, 2)))  # type: ignore[arg-type]
        except ValueError:
            return metadata
        if 1970 <= when.year < 2200:
            metadata["date"], metadata["year"] = when.isoformat(), when.year
    return metadata


def _attached(files: list[Properties], charset: str) -> Iterator[Attachment]:
    for number, file in enumerate(files, 1):
        kind, data = file.get(_P_DATA, (0, b""))
        if kind == _OBJECT:
            data = data[16:]  # after the identity of its interface: a message in TNEF, or an object of a program
        name = next((text for one in (_P_LONG_NAME, _P_NAME, _P_DISPLAYED) if (text := _text(file, one, charset))), "")
        if data:
            yield Attachment(one_line(name.replace("\\", "/").rpartition("/")[2], 200) or f"part {number}", data)


TNEF = Format("tnef", (".tnef",), _read, container=True)
