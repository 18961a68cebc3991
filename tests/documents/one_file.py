"""One file's documents, as an indexing run would read them."""

from __future__ import annotations

from pathlib import Path

from bookwheel import Document, InputError
from bookwheel.documents.paths import Source, walk
from bookwheel.documents.read import read

__all__ = ["items", "one"]


def items(path: Path, data: bytes) -> list[Document | InputError]:
    """What a file of ``data`` at ``path`` gives."""
    path.write_bytes(data)
    (source,) = walk([path])
    assert isinstance(source, Source), source
    return list(read(source))


def one(path: Path, data: bytes) -> Document:
    """The only document of such a file."""
    (document,) = items(path, data)
    assert isinstance(document, Document), document
    return document
