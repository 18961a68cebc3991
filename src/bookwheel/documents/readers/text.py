"""Plain text: the whole file is one document, exactly as written."""

from __future__ import annotations

from ..._errors import InputError
from ..document import Document
from ..encoding import control_share, decode, is_binary
from ..source import Fields, Source
from .base import Format, Items

__all__ = ["TEXT", "read_text"]

_MAX_CONTROLS = 0.08
"""Compressed or random bytes have a tenth of them."""


def read_text(source: Source) -> str:
    """The decoded text of a whole file.

    Raises :class:`InputError` if it is too large, or contains NUL bytes and was found in a folder.
    In a file given by its own path, NULs become spaces, unless it is clearly not text.
    """
    data = source.read_bytes()
    if is_binary(data):
        if not source.explicit:
            raise InputError(
                f"{source.label} is not text: it has a NUL byte at offset {data.index(0):,}; to read it anyway, give the file's "
                "own path"
            )
        share = control_share(data)
        if share > _MAX_CONTROLS:
            raise InputError(f"{source.label} is not text: {share:.0%} of its bytes are control characters")
    return decode(data)


def _read(source: Source, fields: Fields) -> Items:
    text = read_text(source)
    if text and not text.isspace():
        yield Document(source.path, text, source.stem, lines=True)


TEXT = Format(
    "text",
    (".txt", ".text", ".log", ".adoc", ".asciidoc", ".org", ".srt", ".vtt", ".bib", ".me", ".wiki"),
    _read,
    names=(
        "readme",
        "license",
        "licence",
        "copying",
        "authors",
        "changelog",
        "changes",
        "news",
        "notice",
        "todo",
        "install",
        "-",
    ),
)
