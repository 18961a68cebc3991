"""A stored text of any size, some megabytes at a time."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from zlib import crc32

from .row_sums import CRC
from .store import Store

__all__ = ["OVERLAP", "WINDOW", "DamagedText", "called", "windows"]

WINDOW = 1 << 22
"""Bytes of a text that are read at once."""
OVERLAP = 1 << 13
"""Characters that two windows share: more than a phrase has with the spaces between its words."""


class DamagedText(Exception):
    """A text that does not match its checksum, and was named (`Database.met`)."""


def windows(store: Store, number: int, window: int | None = None, overlap: int | None = None) -> Iterator[tuple[int, str, int]]:
    """The text of the document ``number`` in pieces that overlap.

    Of each its offset, the text, and up to where of it begins what no other piece has. Raises `DamagedText`, after the document
    was named, at the end of a text that does not match its checksum.
    """
    window, overlap = WINDOW if window is None else window, OVERLAP if overlap is None else overlap
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    total, offset, held, fresh = 0, 0, "", False
    for piece in store.pieces("texts", "text", number, window):
        if fresh:
            cut = _between(held, overlap)
            yield offset, held, cut
            offset, held = offset + cut, held[cut:]
        total = crc32(piece, total)
        held += decoder.decode(piece)
        fresh = True
    written = store.execute("SELECT sum FROM texts WHERE document = ?", (number,))
    if not written or not isinstance(written[0][0], int) or written[0][0] & CRC != total:
        store.met(store.damage(number, "the text"))
        raise DamagedText
    held += decoder.decode(b"", final=True)
    if held:
        yield offset, held, len(held)


def _between(text: str, overlap: int) -> int:
    """Where ``text`` may be cut some way before its end: between two words, if it has any."""
    end = max(len(text) - overlap, 1)
    while end > 1 and end > len(text) - 2 * overlap and not text[end - 1].isspace():
        end -= 1
    return end


def called(source: str, name: str) -> str:
    """What a document is called in a place: the path of its file, or its id where it came from a program."""
    return name if source in ("", "-") else source
