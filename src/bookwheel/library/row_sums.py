"""Checksums of the database's rows: CRC-32 of what a row says, and sums of its numbers that arrays can check at once.

They find damage, not malice: whoever alters a library on purpose can alter them too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ANY_TEXT",
    "CRC",
    "HALF",
    "NUMBERS",
    "PRIME",
    "REMOVAL",
    "document_numbers",
    "document_sum",
    "holds",
    "metadata_sums",
    "name_sum",
    "numbers_hold",
    "passage_sum",
    "places_sum",
    "register_sums",
    "row_sum",
    "source_sum",
    "span_sum",
    "text_bytes",
    "text_sum",
    "total",
    "value_sum",
]

ANY_TEXT = partial(str, encoding="utf-8", errors="surrogateescape")
"""A connection's text factory: damaged text is read, and then does not match its checksum."""
NUMBERS = "id, source, first, passages, added, ifnull(removed, -1), numbers"
"""The columns of a document's row that `numbers_hold` takes."""
REMOVAL = 900_007
"""What ``numbers`` gains when ``removed`` is set, for each generation and once more: no removal is another row than the first."""
_FACTORS = (10_007, 300_007, 500_009, 70_001, 110_017)
_PIECE = 1 << 20
CRC = (1 << 32) - 1
"""The lower half of a sum."""
HALF = 1 << 31
"""Less is stored of the upper half of a sum, so that it has a sign."""
PRIME = (1 << 61) - 1
"""The sums of metadata are taken modulo this."""
_WRAP = (1 << 64) - 1


def text_bytes(text: Any) -> bytes:
    """``text`` as the database holds it, whatever its type was damaged to."""
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else repr(text).encode()


def document_numbers(number: int, source: int, first: int, passages: int, added: int) -> int:
    """Of the numbers in a document's row that was not removed: a sum, each with a factor of its own."""
    return 10_007 * number + 300_007 * source + 500_009 * first + 70_001 * passages + 110_017 * added


def numbers_hold(rows: Sequence[Sequence[Any]]) -> NDArray[np.bool_]:
    """Whether each of ``rows``, of the columns `NUMBERS`, is as it was written: bool of shape (len(rows),)."""
    try:
        table = np.array(rows, np.int64).reshape(len(rows), 7)
    except (ValueError, TypeError, OverflowError):  # a damaged row holds other things than numbers
        return np.array([holds(*row) for row in rows], np.bool_)
    right = table[:, :5] @ np.array(_FACTORS, np.int64) + REMOVAL * (table[:, 5] + 1)
    return np.asarray(right == table[:, 6])


def holds(number: Any, source: Any, first: Any, passages: Any, added: Any, removed: Any, numbers: Any) -> bool:
    """`numbers_hold` for one row."""
    try:
        right = 10_007 * number + 300_007 * source + 500_009 * first + 70_001 * passages + 110_017 * added
        return bool(right + REMOVAL * (removed + 1) == numbers)
    except TypeError:
        return False


def name_sum(number: int, name: Any) -> int:
    """Of the number and the name of a document, or the number and the path of a source: the upper half of its ``sum``."""
    return crc32(b"%d " % number + text_bytes(name)) - HALF


def document_sum(number: int, name: Any, title: Any, metadata: Any, language: Any, digest: Any) -> int:
    """Of what a document's row says: `name_sum`, and CRC-32 of the rest in the lower 32 bits."""
    if digest.__class__ is not bytes:
        return 0
    said = f"{title}\0{metadata}\0{language}".encode("utf-8", "surrogateescape")
    return (name_sum(number, name) << 32) | crc32(said, crc32(digest))


def text_sum(text: str) -> int:
    """CRC-32 of ``text`` in UTF-8; of a long one in pieces, so that it is not there twice."""
    if len(text) <= _PIECE:
        return crc32(text.encode())
    found = 0
    for at in range(0, len(text), _PIECE):
        found = crc32(text[at : at + _PIECE].encode(), found)
    return found


def places_sum(cell: Any, crc: int) -> int:
    """Of a document's places (`bookwheel.documents.places.Cell`) and its text, whose `text_sum` is ``crc``."""
    data = cell if isinstance(cell, bytes) else repr(cell).encode("utf-8", "backslashreplace")
    return (crc32(data) - HALF) << 32 | crc


def span_sum(number: int, document: int, start: int, end: int) -> int:
    """Of a passage's row: the upper half of its ``sum``. Raises `TypeError` where a damaged row holds other things."""
    return crc32(b"%d %d %d %d" % (number, document, start, end)) - HALF


def passage_sum(number: int, document: int, start: int, end: int, crc: int) -> int:
    """Of a passage's row, and of its text, whose `text_sum` is ``crc``, in the lower 32 bits."""
    return (span_sum(number, document, start, end) << 32) | crc


def source_sum(number: int, path: Any, *state: Any) -> int:
    """Of a source's row: `name_sum`, and CRC-32 of its other columns in the lower 32 bits."""
    return (name_sum(number, path) << 32) | row_sum(*state)


def row_sum(*values: Any) -> int:
    """Of any few values."""
    return crc32("\0".join(map(str, values)).encode("utf-8", "surrogateescape"))


def value_sum(value: Any, rows: int, documents: Any) -> int:
    """Of ``rows`` rows of metadata with one value, given the sum of their documents' numbers.

    A row counts as CRC-32 of its value times its document's number and one, modulo a prime: so SQL can add up the rows of a
    value. Numbers that SQL takes for equal count as equal.
    """
    if isinstance(value, int | float):
        value = int(value) if value == value // 1 else value
    if type(documents) is not int:  # a damaged row
        return 0
    return crc32(repr(value).encode("utf-8", "backslashreplace")) * (documents + rows) % PRIME


def metadata_sums(rows: Iterable[tuple[Any, Any, Any]]) -> dict[Any, tuple[int, int]]:
    """For each key of ``rows`` (key, value, document): how many rows, and the sum of their `value_sum`."""
    found: dict[Any, tuple[int, int]] = {}
    for key, value, document in rows:
        count, so_far = found.get(key, (0, 0))
        found[key] = count + 1, (so_far + value_sum(value, 1, document)) % PRIME
    return found


def total(numbers: Iterable[int]) -> int:
    """Their sum as 64 bits with a sign."""
    value = sum(numbers) & _WRAP
    return value - (1 << 64) if value >> 63 else value


def register_sums(db: sqlite3.Connection) -> None:
    """Give ``db`` the functions ``source_sum``, ``row_sum``, ``crc32`` and ``document_sum``, these two of bytes: damaged text is none."""
    db.create_function("source_sum", -1, source_sum, deterministic=True)
    db.create_function("row_sum", -1, row_sum, deterministic=True)
    db.create_function("crc32", 1, lambda data: crc32(data or b""), deterministic=True)
    db.create_function("document_sum", 6, _document_sum, deterministic=True)


def _document_sum(number: int, name: bytes, title: bytes, metadata: bytes | None, language: bytes | None, digest: Any) -> int:
    """`document_sum`, of text as bytes."""
    if digest.__class__ is not bytes:
        return 0
    said = title or b"", b"None" if metadata is None else metadata, b"None" if language is None else language
    rest = crc32(b"%b\0%b\0%b" % said, crc32(digest))
    return ((crc32(b"%d %b" % (number, name or b"")) - HALF) << 32) | rest
