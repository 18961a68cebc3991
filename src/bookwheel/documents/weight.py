"""What a document weighs while it waits, and how much may wait: the one owner of both."""

from __future__ import annotations

from sys import getsizeof

from .document import Document

__all__ = ["WAITING", "Load", "weight"]

WAITING = 4 << 20
"""Bytes of documents from which on what waits is passed on. At most three lists of documents wait at a time."""
_FIELD = 104
"""Bytes of a dictionary's entry, with the room that it leaves empty."""
_OTHER = 200
"""Bytes of the objects that hold a document together."""


def weight(document: Document) -> int:
    """Bytes that ``document`` takes in memory, whatever field they are in: id, title, text, metadata, pages, parts."""
    size = getsizeof(document.text) + getsizeof(document.title) + getsizeof(document.id) + _OTHER
    if document.metadata:
        for key, value in document.metadata.items():
            size += getsizeof(key) + getsizeof(value) + _FIELD
            if isinstance(value, tuple):
                size += sum(map(getsizeof, value))
    size += 40 * (len(document.pages) + len(document.sections)) + 300 * len(document.parts) + 60 * len(document.labels)
    return size + 300 * len(document.headings) + 200 * len(document.hidden)


class Load:
    """Counts documents that wait until they are too many, or too heavy."""

    def __init__(self, documents: int) -> None:
        """At most ``documents`` of them, and about `WAITING` bytes."""
        self._most = documents
        self._count = self._bytes = 0

    def add(self, document: Document) -> bool:
        """Count ``document``; whether what waits must be passed on now."""
        self._count += 1
        self._bytes += weight(document)
        return self._count >= self._most or self._bytes >= WAITING

    def clear(self) -> None:
        """Nothing waits any more."""
        self._count = self._bytes = 0
