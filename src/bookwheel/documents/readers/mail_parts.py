"""A message taken apart: what its reader would read as its text, and the files attached to it."""

from __future__ import annotations

import email.header
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import Message
from typing import TYPE_CHECKING, Any

from ..encoding import clean, decode, decode_declared
from .html import parse_html, visible_text
from .values import one_line

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

__all__ = ["DAMAGE", "Parts", "file_name", "page_of", "recoded", "take_apart", "utf8_headers"]

# What the standard library's mail parser raises on malformed mail, besides its own errors.
DAMAGE = (MessageError, ValueError, LookupError, AttributeError, TypeError, RecursionError)

_MAX_DEPTH = 50
_MAX_PARTS = 2000
_STUB = 0.25
"""A plain text with so few of the words of the HTML beside it says only that there is HTML."""
_ENOUGH = 30
_SAYS_HTML = re.compile(r"\bhtml\b", re.IGNORECASE)
_FLOWED = re.compile(r"(?<=[^\n ])(?<!^--) \n(?=[^>\n])(?!-- \n)", re.MULTILINE)
"""The end of a line that goes on in the next one (RFC 3676); ``-- `` sets a signature apart."""
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_UNNAMED = {"application/pdf": ".pdf", "text/calendar": ".ics", "text/vcard": ".vcf", "text/x-vcard": ".vcf"}


@dataclass(slots=True)
class Parts:
    """What was found in a message."""

    texts: list[str] = field(default_factory=list)
    files: list[tuple[str, bytes]] = field(default_factory=list)
    count: int = 0


def take_apart(message: Message[Any, Any]) -> Parts:
    """The texts of a message that are shown, in their order, and its attachments."""
    found = Parts()
    _take(message, found, 0)
    return found


def _take(part: Message[Any, Any], found: Parts, depth: int) -> None:
    found.count += 1
    if depth > _MAX_DEPTH or found.count > _MAX_PARTS:
        return
    kind = part.get_content_type()
    if kind == "message/rfc822" or (kind == "message/global" and part.is_multipart()):
        _take_message(part, found)
    elif part.is_multipart():
        payload = [item for item in _payload(part) if isinstance(item, Message)]
        if kind == "multipart/alternative":
            _take_alternative(payload, found, depth)
        else:
            for item in payload:
                _take(item, found, depth + 1)
    else:
        name = file_name(part)
        shown = not name and part.get_content_disposition() != "attachment"
        data = part.get_payload(decode=True)
        if not isinstance(data, bytes) or not data:
            return
        if shown and kind in ("text/plain", "text/html"):
            text = _shown(part, kind, data)
            if text.strip():
                found.texts.append(text)
        elif kind not in ("application/pgp-signature", "application/pkcs7-signature", "application/pgp-encrypted"):
            if not name:
                suffix = _UNNAMED.get(kind) or mimetypes.guess_extension(kind) or ""
                name = f"part {len(found.files) + 1}{suffix}"
            found.files.append((name, data))


def _payload(part: Message[Any, Any]) -> Iterator[Any]:
    payload = part.get_payload()
    yield from payload if isinstance(payload, list) else ()


def _take_message(part: Message[Any, Any], found: Parts) -> None:
    for inner in _payload(part):
        if isinstance(inner, Message):
            try:
                data = inner.as_bytes()
                subject = one_line(clean(str(inner["subject"] or "")), 100)
            except DAMAGE:
                continue
            found.files.append((file_name(part) or f"{subject.replace('/', '_') or 'message'}.eml", data))


def _take_alternative(parts: list[Message[Any, Any]], found: Parts, depth: int) -> None:
    """The plain text, unless what stands beside it says far more; attachments of all."""
    kinds: dict[str, list[str]] = {}
    for item in parts:
        inner = Parts(count=found.count)
        _take(item, inner, depth + 1)
        found.count = inner.count
        found.files += inner.files
        kinds.setdefault("plain" if item.get_content_type() == "text/plain" else "rich", []).extend(inner.texts)
    plain, rich = kinds.get("plain", []), kinds.get("rich", [])
    plain_words, rich_words = (sum(len(text.split()) for text in texts) for texts in (plain, rich))
    stub = rich_words >= _ENOUGH and plain_words < _STUB * rich_words
    # One that is as long as a short message says what it is.
    stub = stub or (plain_words <= _ENOUGH and plain_words < rich_words and _SAYS_HTML.search(" ".join(plain)) is not None)
    if not plain or stub:
        found.texts += rich or plain
    else:
        found.texts += plain


def _shown(part: Message[Any, Any], kind: str, data: bytes) -> str:
    text = recoded(data, part.get_content_charset())
    if kind == "text/html":
        return visible_text(page_of(text).body)
    text = text.replace("\r\n", "\n")
    if str(part.get_param("format")).lower() == "flowed":
        between = "" if str(part.get_param("delsp")).lower() == "yes" else " "
        text = _FLOWED.sub(between, text)
    return text


def page_of(text: str, label: str = "a page", *, xml: bool = False) -> LexborHTMLParser:
    """A page whose text is decoded already, whatever encoding it says that it has; ``xml``: it is XHTML."""
    return parse_html(f"\ufeff{text}".encode(), label, xml=xml)


def recoded(data: bytes, charset: str | None) -> str:
    """The text of a part in the charset that its header says, if it can be."""
    return decode_declared(data, charset) if charset and charset.lower() != "us-ascii" else decode(data)


def file_name(part: Message[Any, Any]) -> str:
    """The name of an attachment, without folders; ``""`` if it has none."""
    try:
        name = part.get_filename() or ""
        if "=?" in name:  # encoded words, which do not belong there, but are common
            name = str(email.header.make_header(email.header.decode_header(name)))
    except DAMAGE:
        name = ""
    if any("\udc80" <= sign <= "\udcff" for sign in name):
        name = recoded(name.encode("utf-8", "surrogateescape"), None)
    return one_line(clean(re.split(r"[/\\]", name)[-1]), 200)


def utf8_headers(data: bytes) -> bytes:
    """``data`` with raw 8-bit headers as UTF-8, from the charset that the message declares, if it fits, else as detected."""
    end = data.find(b"\n\n")
    crlf = data.find(b"\r\n\r\n")
    end = min((at for at in (end, crlf) if at >= 0), default=len(data))
    head = data[:end]
    if head.isascii():
        return data
    try:
        head.decode("utf-8")
    except UnicodeDecodeError:
        said = _CHARSET.search(head) or _CHARSET.search(data, end, end + 4096)
        return recoded(head, said.group(1).decode() if said else None).encode() + data[end:]
    return data
