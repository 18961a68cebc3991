"""What tells whether a document changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from ..documents.document import Document

__all__ = ["document_hash"]

HASHED = 1 << 20
"""Characters that are hashed at a time."""
FIELDS = 1000
"""Fields of metadata that are hashed at a time."""


def document_hash(document: Document) -> bytes:
    """What tells whether a document changed: BLAKE2b of its title, text, metadata and places, 16 bytes."""
    digest = hashlib.blake2b(f"{document.title}\0{document.kind}\0".encode("utf-8", "replace"), digest_size=16)
    for piece in _metadata(document):
        digest.update(piece.encode("utf-8", "replace"))
    digest.update(f"\0{document.parts or ''!s}".encode("utf-8", "replace"))
    for told in (document.pages, document.labels, document.headings, document.hidden):
        if told:
            digest.update(f"\0{told!s}".encode("utf-8", "replace"))
    text = document.text
    for at in range(0, len(text), HASHED):  # a copy of a large text is never whole
        digest.update(text[at : at + HASHED].encode("utf-8", "surrogatepass"))
    return digest.digest()


def _metadata(document: Document) -> Iterator[str]:
    """The sorted metadata as `repr` writes it, in pieces: whole, that of half a million fields would take several times as much."""
    given = document.metadata
    if len(given) <= FIELDS:
        yield repr(sorted(given.items()) if given else "")
        return
    names = sorted(given)
    for at in range(0, len(names), FIELDS):
        some = repr([(name, given[name]) for name in names[at : at + FIELDS]])
        yield ("[" if at == 0 else ", ") + some[1:-1]
    yield "]"
