"""Mail: ``.eml`` is one message, an mbox many, ``.mhtml`` a page with what belongs to it."""

from __future__ import annotations

import email
import email.policy
import email.utils
import re
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage

from ..._errors import InputError
from ..document import Document, Scalar
from ..encoding import clean
from ..failures import Note
from ..parts import with_hidden
from ..seen_ids import without_duplicates
from ..source import Fields, Source, megabytes
from .base import Format, Items, Letter
from .html import html_title, page_text, parse_html
from .lines import bounded_lines
from .mail_headers import DAMAGE, header, parse_message, recoded
from .mail_parts import MAX_BOUNDARIES, page_of, take_apart
from .values import one_line

__all__ = ["EML", "MBOX", "MHTML"]


_SEPARATOR = re.compile(rb"From (?:\S+\s*$|.*\d:\d\d.*\d{4})")
"""As programs write it before a message; a sentence that begins with "From" has no time, and more words."""
_HEADER = re.compile(rb"[!-9;-~]{1,100}:|>?From ")

_HEADERS = 1 << 16
_MULTIPART = re.compile(rb"^content-type:\s*multipart/", re.IGNORECASE | re.MULTILINE)


def _found(source: Source, data: bytes, line: int, identifier: str) -> Items:
    """The message in ``data`` as a document, where it says anything, after notes of what is left out; or an error."""
    if len(data) > 3 * MAX_BOUNDARIES and data.count(b"\n--") > MAX_BOUNDARIES and _MULTIPART.search(data[:_HEADERS]):
        yield InputError(f"{source.label}:{line}: the message has more than {MAX_BOUNDARIES:,} parts; it was skipped")
        return
    try:
        message = parse_message(data)
        parts = take_apart(message)
        text = clean("\n\n".join(parts.texts)).strip()
        subject = header(message, "subject")
        metadata: dict[str, Scalar] = {
            name: value for name in ("from", "to", "cc", "list-id") if (value := header(message, name))
        }
        metadata.update(_date(message))
        given = header(message, "message-id")
    except DAMAGE as error:
        yield InputError(f"{source.label}:{line}: the message is damaged and was skipped ({type(error).__name__}: {error})")
        return
    for note in parts.notes:
        yield Note(f"{source.label if source.format == 'eml' else f'{source.label}:{line}'}: {note}")
    if given:
        metadata["message-id"] = given
    if parts.files:
        metadata["attachments"] = one_line(", ".join(file.name for file in parts.files), 1000)
        yield Letter(identifier, text, subject, metadata, line=line, attachments=tuple(parts.files))
        return
    if not text:
        text, subject = subject, ""
    if text:
        yield Document(identifier, text, subject, metadata, line=line)


def _date(message: EmailMessage) -> dict[str, Scalar]:
    value = header(message, "date")
    try:
        when = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return {"date": value} if value else {}
    return {"date": when.isoformat(), "year": when.year}


def _read_eml(source: Source, fields: Fields) -> Items:
    data = source.read_bytes()
    if source.path.lower().endswith(".emlx"):  # Apple's: the message's length in the first line, a property list after it
        first, _, rest = data.partition(b"\n")
        if first.strip().isdigit() and len(first) < 20:
            data = rest[: int(first)]
    for found in _found(source, data, 1, source.path):
        if isinstance(found, Document):
            yield replace(found, title=found.title or source.stem, line=0)
        elif isinstance(found, Note):
            yield found
        else:
            raise found


def _messages(source: Source) -> Iterator[Document | InputError]:
    """Splits at lines ``From …`` with a time, or of two words, after a blank line and before a header.

    Both conventions for such lines inside a message, ``>From `` (mboxo, mboxrd) and none, are read right.
    """
    message = bytearray()  # not a list of its lines: a line of one letter takes forty bytes in one
    size = start = number = 0
    blank = True
    maybe: bytes | None = None
    """A line that begins a message if a header follows it."""
    with source.open() as stream:
        for line in bounded_lines(stream, source.max_bytes):
            number += 1
            if maybe is not None:
                if not isinstance(line, int) and _HEADER.match(line):
                    if start:
                        yield from _finish(source, message, size, start)
                    message, size, start = bytearray(), 0, number - 1
                elif start:
                    size += len(maybe)
                    message += maybe
                else:
                    start = number - 1
                maybe = None
            if isinstance(line, int):
                size, blank = size + line, False
                continue
            if blank and line.startswith(b"From ") and (not start or _SEPARATOR.match(line.rstrip())):
                maybe = line
            elif start:
                size += len(line)
                if size <= source.max_bytes:
                    message += line[1:] if line.startswith(b">") and line.lstrip(b">").startswith(b"From ") else line
                elif message:
                    message = bytearray()
            elif line.strip():
                raise InputError(f"{source.label} is not an mbox file: its first line does not begin with 'From '")
            blank = line in (b"\n", b"\r\n")
        if start:
            yield from _finish(source, message, size, start)


def _finish(source: Source, message: bytearray, size: int, start: int) -> Iterator[Document | InputError]:
    if size > source.max_bytes:
        yield InputError(
            f"{source.label}:{start}: the message has {megabytes(size)}, more than the limit of "
            f"{megabytes(source.max_bytes)} per message; it was skipped"
        )
        return
    told = False
    for found in _found(source, bytes(message), start, ""):
        if isinstance(found, Document):
            given = found.metadata.get("message-id")
            found = replace(found, id=str(given) if given else f"{source.path}#{start}")
        told = told or not isinstance(found, Note)
        yield found
    if not told:
        yield InputError(f"{source.label}:{start}: the message has no text; it was skipped")


def _read_mbox(source: Source, fields: Fields) -> Items:
    return without_duplicates(_messages(source), source.label)


def _read_mhtml(source: Source, fields: Fields) -> Items:
    try:
        message = parse_message(source.read_bytes())
    except DAMAGE as error:
        raise InputError(f"{source.label} is damaged ({type(error).__name__}: {error})") from error
    texts: list[str] = []
    unseen: list[tuple[str, str]] = []
    title = header(message, "subject")
    metadata: dict[str, Scalar] = {}
    if address := header(message, "snapshot-content-location") or header(message, "content-location"):
        metadata["url"] = address
    metadata.update(_date(message))
    for part in message.walk():
        if part.get_content_type() in ("text/html", "application/xhtml+xml", "text/plain") and not part.is_multipart():
            data = part.get_payload(decode=True)
            if not isinstance(data, bytes):
                continue
            charset = part.get_content_charset()
            if part.get_content_type() == "text/plain":
                texts.append(recoded(data, charset))
                continue
            xml = part.get_content_type() == "application/xhtml+xml"
            label = source.label
            tree = page_of(recoded(data, charset), label, xml=xml) if charset else parse_html(data, label, xml=xml)
            title = title or html_title(tree)
            shown = page_text(tree)
            texts.append(shown.text)
            unseen += shown.unseen
    text = clean("\n\n".join(text for text in texts if text.strip())).strip()
    text, parts, hidden = with_hidden(text, ((reason, clean(said), 0) for reason, said in unseen))
    if text:
        yield Document(source.path, text, title or source.stem, metadata, line=0, parts=parts, hidden=hidden)


EML = Format("eml", (".eml", ".emlx"), _read_eml)
MBOX = Format("mbox", (".mbox", ".mbx"), _read_mbox, streamed=True)
MHTML = Format("mhtml", (".mhtml", ".mht"), _read_mhtml)
