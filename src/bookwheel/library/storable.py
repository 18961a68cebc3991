"""Text as the database can hold it."""

from __future__ import annotations

__all__ = ["storable"]


def storable(text: str) -> str:
    """``text`` without what SQLite and UTF-8 cannot hold (NUL, lone surrogates), offsets unchanged."""
    if "\0" in text:
        text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-8", "replace").decode()
    return text
