"""A message and its headers as the standard library parses them, whatever bytes and lengths they have."""

from __future__ import annotations

import email
import email.parser
import email.policy
import re
from email.errors import MessageError
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from ..encoding import clean, decode, decode_declared
from .values import one_line

__all__ = ["DAMAGE", "header", "parse_headers", "parse_message", "recoded"]

# What the standard library's mail parser raises on malformed mail, besides its own errors.
DAMAGE = (MessageError, ValueError, LookupError, AttributeError, TypeError, RecursionError)

MAX_HEADER = 8000
"""Characters of a header that are read: the standard library's parser takes the square of their number."""
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)

if TYPE_CHECKING:
    _Base = email.policy.EmailPolicy[EmailMessage]
else:
    _Base = email.policy.EmailPolicy


class _Policy(_Base):
    """The standard library's own, with headers cut to a length that nobody needs, and raw bytes in them read as UTF-8."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        """The parsed value of a header."""
        value = value[:MAX_HEADER]
        if not value.isascii():
            value = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return super().header_fetch_parse(name, value)


_POLICY = _Policy(raise_on_defect=False)


def parse_message(data: bytes) -> EmailMessage:
    """The message in ``data``. Raises one of `DAMAGE`."""
    return email.message_from_bytes(_utf8_headers(data), policy=_POLICY)


def parse_headers(data: bytes) -> EmailMessage:
    """The headers of the message in ``data``. Raises one of `DAMAGE`."""
    return email.parser.BytesParser(policy=_POLICY).parsebytes(_utf8_headers(data), headersonly=True)


def header(message: EmailMessage, name: str) -> str:
    """A header of a message on one line; ``""`` if it has none."""
    try:
        value = message[name]
    except DAMAGE:  # a malformed address breaks the parser of that header only
        value = next((raw for key, raw in message.raw_items() if key.lower() == name), None)
    return one_line(clean(str(value)), 1000) if value is not None else ""


def recoded(data: bytes, charset: str | None) -> str:
    """The text of a part in the charset that its header says, if it can be."""
    return decode_declared(data, charset) if charset and charset.lower() != "us-ascii" else decode(data)


def _utf8_headers(data: bytes) -> bytes:
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
