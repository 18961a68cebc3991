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
    "NUMBERS",
    "REMOVAL",
    "document_numbers",
    "document_sum",
    "metadata_sums",
    "name_sum",
    "numbers_hold",
    "passage_sum",
    "register_sums",
    "row_sum",
    "source_name_sum",
    "source_sum",
    "text_bytes",
    "text_sum",
    "total",
    "upper",
]

ANY_TEXT = partial(str, encoding="utf-8", errors="surrogateescape")
"""A connection's text factory: damaged text is read, and then does not match its checksum."""
NUMBERS = "id, source, first, passages, added, ifnull(removed, -1), numbers"
"""The columns of a document's row that `numbers_hold` takes."""
REMOVAL = 900_007
"""What ``numbers`` gains when ``removed`` is set, for each generation and once more: no removal is another row than the first."""
_FACTORS = (10_007, 300_007, 500_009, 70_001, 110_017)
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
        return np.array([all(type(value) is int for value in row) and _holds(*row) for row in rows], np.bool_)
    right = table[:, :5] @ np.array(_FACTORS, np.int64) + REMOVAL * (table[:, 5] + 1)
    return np.asarray(right == table[:, 6])


def _holds(number: int, source: int, first: int, passages: int, added: int, removed: int, numbers: int) -> bool:
    return document_numbers(number, source, first, passages, added) + REMOVAL * (removed + 1) == numbers


def name_sum(number: int, name: Any) -> int:
    """Of a document's number and name: the upper half of `document_sum`, as far as it can be told alone."""
    return crc32(b"%d " % number + text_bytes(name))


def document_sum(number: int, name: Any, title: Any, metadata: Any, digest: Any) -> int:
    """Of what a document's row says: `name_sum` and CRC-32 of the rest, in 64 bits with a sign."""
    rest = crc32(text_bytes(metadata), crc32(text_bytes(title), crc32(digest if isinstance(digest, bytes) else b"damaged")))
    return ((name_sum(number, name) - (1 << 31)) << 32) | rest


def text_sum(number: int, text: bytes) -> int:
    """Of the whole text, in UTF-8, of the document ``number``."""
    return crc32(text, number & 0xFFFFFFFF)


def passage_sum(number: int, document: int, start: int, end: int, page: int | None, line: int | None, text: bytes) -> int:
    """Of a passage's row and its text in UTF-8. Raises `TypeError` where a damaged row holds other things than numbers."""
    page, line = -1 if page is None else page, -1 if line is None else line
    return crc32(text, crc32(b"%d %d %d %d %d %d" % (number, document, start, end, page, line)))


def source_name_sum(number: int, path: Any) -> int:
    """Of a source's number and path: the upper half of `source_sum`, as far as it can be told alone."""
    return crc32(b"%d " % number + text_bytes(path))


def source_sum(number: int, path: Any, *state: Any) -> int:
    """Of a source's row: `source_name_sum` and CRC-32 of its other columns, in 64 bits with a sign."""
    return ((source_name_sum(number, path) - (1 << 31)) << 32) | row_sum(*state)


def upper(found: Any) -> int:
    """The upper half of a sum of 64 bits, as `name_sum` and `source_name_sum` give it."""
    return (found >> 32) + (1 << 31) if type(found) is int else -1


def row_sum(*values: Any) -> int:
    """Of any few values."""
    return crc32("\0".join(map(str, values)).encode("utf-8", "surrogateescape"))


def metadata_sums(rows: Iterable[tuple[Any, Any, Any]]) -> dict[Any, tuple[int, int]]:
    """For each key of ``rows`` (key, value, document): how many rows, and the sum of the CRC-32 of each."""
    found: dict[Any, tuple[int, int]] = {}
    for key, value, document in rows:
        if value.__class__ is bool:
            value = int(value)
        count, so_far = found.get(key, (0, 0))
        found[key] = count + 1, so_far + crc32(f"{value!r} {document}".encode("utf-8", "backslashreplace"))
    return found


def total(numbers: Iterable[int]) -> int:
    """Their sum as 64 bits with a sign."""
    value = sum(numbers) & _WRAP
    return value - (1 << 64) if value >> 63 else value


def register_sums(db: sqlite3.Connection) -> None:
    """Give ``db`` the function `source_sum`, and a text factory that reads damaged text."""
    db.create_function("source_sum", -1, source_sum, deterministic=True)
    db.text_factory = ANY_TEXT
