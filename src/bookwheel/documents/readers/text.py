"""Plain text: the whole file is one document, exactly as written; a large one is several, of whole lines."""

from __future__ import annotations

import codecs
import io
from contextlib import suppress
from typing import BinaryIO, cast

from ..._errors import InputError
from ..chained import Chained
from ..document import Document
from ..encoding import control_share, decode, is_binary
from ..recoding import utf8_stream
from ..source import CutOffError, Fields, Source, megabytes, read_up_to
from .base import Format, Items

__all__ = ["TEXT", "read_text"]

WHOLE = 4 << 20
"""The most bytes (decompressed) of a file that is one document."""
PART = 1 << 20
"""About so many bytes has each of the documents of a larger one, whatever the memory budget: their IDs do not change with it."""
_PIECE = 1 << 18
_ENDS = (b" ", b"\t", "。".encode())
MAX_RATIO = 1000
"""Logs pack up to some 200 times."""

_MAX_CONTROLS = 0.08
"""Compressed or random bytes have a tenth of them."""


def read_text(source: Source) -> str:
    """The decoded text of a whole file.

    Raises :class:`InputError` if it is too large, or contains NUL bytes and was found in a folder.
    In a file given by its own path, NULs become spaces, unless it is clearly not text.
    """
    return _decoded(source.read_bytes(), source)


def _decoded(data: bytes, source: Source, before: int = 0) -> str:
    """The text of ``data``, of which ``before`` bytes of the file come first."""
    if is_binary(data):
        if not source.explicit:
            # A member or an attachment has no path of its own.
            outside = source.inside is None and source.data is None
            advice = "; to read it anyway, give the file's own path" if outside else ""
            raise InputError(f"{source.label} is not text: it has a NUL byte at offset {before + data.index(0):,}{advice}")
        share = control_share(data)
        if share > _MAX_CONTROLS:
            raise InputError(f"{source.label} is not text: {share:.0%} of its bytes are control characters")
    return decode(data)


def _read(source: Source, fields: Fields) -> Items:
    with source.open() as opened:
        head, damage = read_up_to(opened, WHOLE + 1)
        if damage is not None:
            raise CutOffError(head) from damage
        if len(head) > WHOLE:
            yield from _parts(source, cast(BinaryIO, io.BufferedReader(Chained(head, opened), _PIECE)))
            return
    text = _decoded(head, source)
    if text and not text.isspace():
        yield Document(source.path, text, source.stem, lines=True)


def _parts(source: Source, raw: BinaryIO) -> Items:
    """A document for about every mebibyte, of whole lines as far as they are no longer; named by its first line.

    A longer line is cut between two words, and its second document is named ``#1.2``.
    """
    line, before, of_line = 1, 0, 1
    rest = b""
    with utf8_stream(raw) as stream:
        while True:
            piece, damage = read_up_to(stream, PART - len(rest))
            with suppress(Exception):  # damage at the end of a line is met again below
                piece += stream.readline(_PIECE) if damage is None else b""
            more = damage is None and len(rest) + len(piece) >= PART and not piece.endswith(b"\n")
            piece, rest = rest + piece, b""
            if more:
                at = _between_words(piece)
                piece, rest = piece[:at], piece[at:]
            if not piece:
                if damage is not None:
                    raise damage
                return
            text = _decoded(piece, source, before)
            if not text.isspace():
                name = f"{source.path}#{line}" if of_line == 1 else f"{source.path}#{line}.{of_line}"
                yield Document(name, text, source.stem, lines=True, line=line)
            ends = text.count("\n")
            line, of_line = line + ends, 1 if text.endswith("\n") else 2 if ends else of_line + 1
            before += len(piece)
            if source.compression and before > source.max_bytes and before > MAX_RATIO * max(source.size, 1):
                raise InputError(
                    f"{source.label} looks like a decompression bomb: {megabytes(source.size)} unpack to more than "
                    f"{megabytes(before)} (the limit is a ratio of {MAX_RATIO:,}); the rest of the file was left out"
                )
            if damage is not None:
                raise damage


def _between_words(piece: bytes) -> int:
    """Where to cut a piece of a long line: behind a space or a full stop of East Asia near its end, else a whole character."""
    found = [at + len(end) for end in _ENDS if (at := piece.rfind(end, len(piece) - _PIECE)) >= 0]
    if found:
        return max(found)
    decoder = codecs.getincrementaldecoder("utf-8")("ignore")
    decoder.decode(piece[-8:])
    return len(piece) - len(decoder.getstate()[0])


TEXT = Format(
    "text",
    (".txt", ".text", ".log", ".adoc", ".asciidoc", ".org", ".me", ".wiki"),
    _read,
    streamed=True,
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
