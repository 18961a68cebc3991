"""Outlook's messages (.msg): subject, people, date, text and attachments, from an OLE container, by olefile.

Source: [MS-OXMSG], [MS-OXRTFCP].
"""

from __future__ import annotations

import datetime
from typing import Any

from ..._errors import InputError
from ..document import Document, Scalar
from ..encoding import clean
from ..source import Fields, Source
from .base import Attachment, Format, Items, Letter
from .html import visible_text
from .mail_headers import recoded
from .mail_parts import page_of
from .rtf import rtf_text
from .values import one_line

__all__ = ["MSG", "unpacked_rtf"]

_SUBJECT, _BODY, _HTML, _RTF, _SENDER, _ADDRESS, _TO, _CC, _ID = (
    "0037",
    "1000",
    "1013",
    "1009",
    "0C1A",
    "0C1F",
    "0E04",
    "0E03",
    "1035",
)
_LONG_NAME, _NAME, _DATA, _DISPLAYED = "3707", "3704", "3701", "3001"
_MAX_DEPTH = 5
_EPOCH = datetime.datetime(1601, 1, 1, tzinfo=datetime.UTC)
_DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbolArial"
    b"Times New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)


def _read(source: Source, fields: Fields) -> Items:
    import olefile

    with source.open_seekable() as stream:
        try:
            file = olefile.OleFileIO(stream)
        except Exception as error:
            raise InputError(f"{source.label} is damaged or not a message ({' '.join(str(error).split())[:200]})") from error
        with file:
            message = _Message(file, [], source.max_bytes)
            text, title, metadata = message.text(), message.string(_SUBJECT), message.metadata()
            files = message.files()
    if files:
        metadata["attachments"] = one_line(", ".join(file.name for file in files), 1000)
        yield Letter(source.path, text, title or source.stem, metadata, line=0, attachments=tuple(files))
    elif text or title:
        yield Document(source.path, text or title, title or source.stem, metadata, line=0)


class _Message:
    """One message: the file's own, or one that is attached to it, in a storage of its own."""

    def __init__(self, file: Any, at: list[str], limit: int, depth: int = 0) -> None:
        self._file, self._at, self._limit, self._depth = file, at, limit, depth

    def _bytes(self, name: str) -> bytes | None:
        path = [*self._at, name]
        if not self._file.exists(path):
            return None
        if self._file.get_size(path) > self._limit:
            raise InputError(f"a part of the message ({name}) is larger than the limit of {self._limit:,} bytes")
        data: bytes = self._file.openstream(path).read()
        return data

    def string(self, tag: str) -> str:
        """A property that is text."""
        data = self._bytes(f"__substg1.0_{tag}001F")
        if data is not None:
            return clean(data.decode("utf-16-le", "replace")).strip("\0 ")
        data = self._bytes(f"__substg1.0_{tag}001E")
        return recoded(data, "cp1252" if data.isascii() else None).strip("\0 ") if data else ""

    def metadata(self) -> dict[str, Scalar]:
        sender = " ".join(part for part in (self.string(_SENDER), self.string(_ADDRESS)) if part)
        given = {"from": sender, "to": self.string(_TO), "cc": self.string(_CC), "message-id": self.string(_ID)}
        metadata: dict[str, Scalar] = {name: one_line(value, 1000) for name, value in given.items() if value}
        properties = self._bytes("__properties_version1.0") or b""
        start = 24 if self._at else 32
        for place in range(start, len(properties) - 15, 16):
            if properties[place : place + 4] in (b"\x40\x00\x39\x00", b"\x40\x00\x06\x0e"):  # when it was sent, or delivered
                ticks = int.from_bytes(properties[place + 8 : place + 16], "little")
                try:
                    when = _EPOCH + datetime.timedelta(microseconds=ticks // 10)
                except OverflowError:
                    continue
                if 1970 <= when.year < 2200:
                    metadata["date"], metadata["year"] = when.replace(microsecond=0).isoformat(), when.year
                    break
        return metadata

    def text(self) -> str:
        """The plain text; else that of the HTML or of the RTF."""
        plain = self.string(_BODY).replace("\r\n", "\n").strip()
        if plain:
            return plain
        html = self._bytes(f"__substg1.0_{_HTML}0102")
        if html:
            return clean(visible_text(page_of(recoded(html, None)).body))
        packed = self._bytes(f"__substg1.0_{_RTF}0102")
        return rtf_text(unpacked_rtf(packed, self._limit))[0] if packed else ""

    def files(self) -> list[Attachment]:
        """Attachments; messages among them as mails."""
        found: list[Attachment] = []
        depth = len(self._at)
        folders = sorted(
            {
                path[depth]
                for path in self._file.listdir(streams=True, storages=True)
                if path[:depth] == self._at and len(path) > depth and path[depth].startswith("__attach_version1.0_")
            }
        )
        for folder in folders:
            inner = _Message(self._file, [*self._at, folder], self._limit, self._depth + 1)
            name = inner.string(_LONG_NAME) or inner.string(_NAME) or inner.string(_DISPLAYED)
            data = inner._bytes(f"__substg1.0_{_DATA}0102")
            if data is None and self._depth < _MAX_DEPTH:
                message = _Message(self._file, [*inner._at, f"__substg1.0_{_DATA}000D"], self._limit, self._depth + 1)
                subject, text = message.string(_SUBJECT), message.text()
                found += message.files()
                if subject or text:
                    name = f"{(subject or name or 'message').replace('/', '_')}.txt"
                    data = f"{subject}\n\n{text}".encode()
            if data:
                name = one_line(clean(name.replace("\\", "/").rpartition("/")[2]), 200)
                found.append(Attachment(name or f"part {len(found) + 1}", data))
        return found


def unpacked_rtf(data: bytes, limit: int) -> bytes:
    """Compressed RTF."""
    if len(data) < 16 or data[8:12] != b"LZFu":
        return data[16:] if data[8:12] == b"MELA" else b""
    size = min(int.from_bytes(data[4:8], "little"), limit)
    window = bytearray(_DICTIONARY) + bytearray(4096 - len(_DICTIONARY))
    write = len(_DICTIONARY)
    out = bytearray()
    at = 16
    while at < len(data) and len(out) < size:
        control = data[at]
        at += 1
        for bit in range(8):
            if at >= len(data) or len(out) >= size:
                break
            if not control >> bit & 1:
                pieces = data[at : at + 1]
                at += 1
            else:
                token = int.from_bytes(data[at : at + 2], "big")
                at += 2
                offset, length = token >> 4, (token & 15) + 2
                if offset == write:
                    return bytes(out)
                pieces = b""
                for step in range(length):
                    byte = window[(offset + step) % 4096]
                    window[(write + step) % 4096] = byte
                    pieces += bytes((byte,))
            for byte in pieces:
                window[write] = byte
                write = (write + 1) % 4096
            out += pieces
    return bytes(out)


MSG = Format("msg", (".msg",), _read, container=True)
