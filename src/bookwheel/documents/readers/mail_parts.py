"""A message taken apart: what its reader would read as its text, and the files attached to it."""

from __future__ import annotations

import email.header
import email.policy
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.message import Message
from typing import TYPE_CHECKING, Any

from ..encoding import clean
from .base import Attachment
from .html import parse_html, visible_text
from .mail_headers import DAMAGE, header, parse_headers, recoded
from .values import one_line

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

__all__ = ["MAX_BOUNDARIES", "Parts", "file_name", "page_of", "take_apart"]

_MAX_DEPTH = 50
MAX_BOUNDARIES = 20_000
"""Lines of a message in parts that begin as a boundary does: each part takes a kilobyte of memory, and time."""
_MAX_PARTS = MAX_BOUNDARIES + 1
"""Each part follows such a line, but for the message itself."""
_STUB = 0.25
"""A plain text with so few of the words of the HTML beside it says only that there is HTML."""
_ENOUGH = 30
_SAYS_HTML = re.compile(r"\bhtml\b", re.IGNORECASE)
_FLOWED = re.compile(r"(?<=[^\n ])(?<!^--) \n(?=[^>\n])(?!-- \n)", re.MULTILINE)
"""The end of a line that goes on in the next one (RFC 3676); ``-- `` sets a signature apart."""
_UNCHANGED = email.policy.compat32.clone(max_line_length=None)
"""Writes headers as they were read: the newer policies parse them, and some break that."""
_UNNAMED = {"application/pdf": ".pdf", "text/calendar": ".ics", "text/vcard": ".vcf", "text/x-vcard": ".vcf"}


@dataclass(slots=True)
class Parts:
    """What was found in a message."""

    texts: list[str] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What was left out, a sentence each."""
    count: int = 0
    left_out: int = 0
    """Parts that are too many, or too deep."""


def take_apart(message: Message[Any, Any]) -> Parts:
    """The texts of a message that are shown, in their order, and its attachments."""
    found = Parts()
    _take(message, found, 0)
    if found.left_out:
        said = "1 part was" if found.left_out == 1 else f"{found.left_out:,} parts were"
        found.notes.append(f"{said} left out, too many or more than {_MAX_DEPTH} deep in each other")
    return found


def _take(part: Message[Any, Any], found: Parts, depth: int) -> None:
    found.count += 1
    if depth > _MAX_DEPTH or found.count > _MAX_PARTS:
        found.left_out += 1
        return
    kind = part.get_content_type()
    if kind == "message/rfc822" or (kind in ("message/global", "message/news") and part.is_multipart()):
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
            found.files.append(Attachment(name, data))


def _payload(part: Message[Any, Any]) -> Iterator[Any]:
    payload = part.get_payload()
    yield from payload if isinstance(payload, list) else ()


def _take_message(part: Message[Any, Any], found: Parts) -> None:
    for inner in _payload(part):
        if isinstance(inner, Message):
            name = file_name(part)
            try:
                data = _as_written(part, inner)
                if not name:
                    subject = header(parse_headers(data), "subject")[:100].strip()
                    name = f"{subject.replace('/', '_') or 'message'}.eml"
            except DAMAGE as error:
                said = f" {name!r}" if name else ""
                found.notes.append(f"the attached message{said} is damaged and was left out ({type(error).__name__}: {error})")
                continue
            if data.strip():
                found.files.append(Attachment(name, data, "message.eml"))


def _as_written(part: Message[Any, Any], inner: Message[Any, Any]) -> bytes:
    """The bytes of ``inner``, which ``part`` encloses; decoded where they were encoded as a whole, which is forbidden but done."""
    data = inner.as_bytes(policy=_UNCHANGED)
    coding = str(part.get("content-transfer-encoding", "")).strip().lower()
    encoded = coding == "base64" and not inner.keys()
    if coding == "quoted-printable":  # mostly it only says so; where it is true, signs of equality are encoded
        encoded = any("=3D" in str(raw) for key, raw in inner.raw_items() if key.lower() == "content-type")
    if not encoded:
        return data
    whole = Message()
    whole["Content-Transfer-Encoding"] = coding
    whole.set_payload(data.decode("ascii", "surrogateescape"))
    decoded = whole.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) and decoded.strip() else data


def _take_alternative(parts: list[Message[Any, Any]], found: Parts, depth: int) -> None:
    """The plain text, unless what stands beside it says far more; attachments of all."""
    kinds: dict[str, list[str]] = {}
    for item in parts:
        inner = replace(found, texts=[])  # it adds to the same files and notes
        _take(item, inner, depth + 1)
        found.count, found.left_out = inner.count, inner.left_out
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
