"""Mail: ``.eml`` is one message, an mbox many; subject, sender, date and text."""

from __future__ import annotations

import email
import email.policy
import email.utils
from collections.abc import Iterator
from email.errors import MessageError
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from ..._errors import InputError
from ..document import Document, Scalar
from ..encoding import clean, decode, decode_declared
from ..seen_ids import without_duplicates
from ..source import Fields, Source, megabytes
from .base import Format, Items
from .html import parse_html, visible_text
from .lines import bounded_lines
from .values import one_line

__all__ = ["EML", "MBOX"]

MAX_HEADER = 8000
"""Characters of a header that are read: the standard library's parser takes the square of their number."""


if TYPE_CHECKING:
    _Base = email.policy.EmailPolicy[EmailMessage]
else:
    _Base = email.policy.EmailPolicy


class _Policy(_Base):
    """The standard library's own, with headers cut to a length that nobody needs."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        """The parsed value of a header."""
        return super().header_fetch_parse(name, value[:MAX_HEADER])


_POLICY = _Policy(raise_on_defect=False)
# What the standard library's mail parser raises on malformed mail, besides its own errors.
_DAMAGE = (MessageError, ValueError, LookupError, AttributeError, TypeError, RecursionError)


def _document(source: Source, data: bytes, line: int, identifier: str) -> Document | InputError | None:
    try:
        message = email.message_from_bytes(data, policy=_POLICY)
        text = clean(_body(message)).strip()
        subject = _header(message, "subject")
        metadata: dict[str, Scalar] = {
            name: value for name in ("from", "to", "cc", "list-id") if (value := _header(message, name))
        }
        metadata.update(_date(message))
        given = _header(message, "message-id")
    except _DAMAGE as error:
        return InputError(f"{source.label}:{line}: the message is damaged and was skipped ({type(error).__name__}: {error})")
    if given:
        metadata["message-id"] = given
    if not text:
        text, subject = subject, ""
    return Document(identifier, text, subject, metadata, line=line) if text else None


def _header(message: EmailMessage, name: str) -> str:
    try:
        value = message[name]
    except _DAMAGE:  # a malformed address breaks the parser of that header only
        value = next((raw for key, raw in message.raw_items() if key.lower() == name), None)
    return one_line(clean(str(value)), 1000) if value is not None else ""


def _date(message: EmailMessage) -> dict[str, Scalar]:
    value = _header(message, "date")
    try:
        when = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return {"date": value} if value else {}
    return {"date": when.isoformat(), "year": when.year}


def _body(message: EmailMessage) -> str:
    """The plain text parts that are not attachments; if there are none, the HTML
    parts as a browser shows them.
    """
    plain: list[str] = []
    pages: list[str] = []
    for part in message.walk():
        kind = part.get_content_type()
        if part.is_multipart() or part.get_content_disposition() == "attachment" or not kind.startswith("text/"):
            continue
        data = part.get_payload(decode=True)
        if not isinstance(data, bytes):
            continue
        if kind == "text/html":
            pages.append(visible_text(parse_html(_recoded(part, data).encode()).body))
        elif kind == "text/plain":
            plain.append(_recoded(part, data).replace("\r\n", "\n"))
    return "\n\n".join(part for part in (plain or pages) if part.strip())


def _recoded(part: EmailMessage, data: bytes) -> str:
    charset = part.get_content_charset()
    return decode_declared(data, charset) if charset and charset != "us-ascii" else decode(data)


def _read_eml(source: Source, fields: Fields) -> Items:
    found = _document(source, source.read_bytes(), 1, source.path)
    if isinstance(found, InputError):
        raise found
    if found is not None:
        yield Document(source.path, found.text, found.title or source.stem, found.metadata, line=0)


def _messages(source: Source) -> Iterator[Document | InputError]:
    """Splits at lines that begin with ``From `` after a blank line (the
    mboxrd and mboxo conventions).
    """
    parts: list[bytes] = []
    size = start = number = 0
    blank = True
    with source.open() as stream:
        for line in bounded_lines(stream, source.max_bytes):
            number += 1
            if isinstance(line, int):
                size, blank = size + line, False
                continue
            if blank and line.startswith(b"From "):
                if start:
                    yield from _finish(source, parts, size, start)
                parts, size, start = [], 0, number
            elif start:
                size += len(line)
                if size <= source.max_bytes:
                    parts.append(line[1:] if line.startswith(b">") and line.lstrip(b">").startswith(b"From ") else line)
                elif parts:
                    parts = []
            elif line.strip():
                raise InputError(f"{source.label} is not an mbox file: its first line does not begin with 'From '")
            blank = line in (b"\n", b"\r\n")
        if start:
            yield from _finish(source, parts, size, start)


def _finish(source: Source, parts: list[bytes], size: int, start: int) -> Iterator[Document | InputError]:
    if size > source.max_bytes:
        yield InputError(
            f"{source.label}:{start}: the message has {megabytes(size)}, more than the limit of "
            f"{megabytes(source.max_bytes)} per message; it was skipped"
        )
        return
    found = _document(source, b"".join(parts), start, "")
    if isinstance(found, Document):
        given = found.metadata.get("message-id")
        name = str(given) if given else f"{source.path}#{start}"
        yield Document(name, found.text, found.title, found.metadata, line=start)
    elif found is not None:
        yield found
    else:
        yield InputError(f"{source.label}:{start}: the message has no text; it was skipped")


def _read_mbox(source: Source, fields: Fields) -> Items:
    return without_duplicates(_messages(source), source.label)


EML = Format("eml", (".eml",), _read_eml)
MBOX = Format("mbox", (".mbox", ".mbx"), _read_mbox, streamed=True)
