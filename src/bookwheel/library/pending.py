"""What a writer has taken in and the database does not hold yet.

Rows gather here and are written in one transaction: the rows of new documents first, then the removal of the versions they
replace, then the marks of the sources that are complete. A commit of the library comes after such a transaction, never inside
one. So no commit can hold a removal without its replacement, or a source's mark without its documents.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..documents.document import Document
from ..documents.metadata import comparable, kept
from .store import Store

__all__ = ["NewDocument", "Rows", "SourceState", "storable"]


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document to be added."""

    document: Document
    source: int
    digest: bytes
    language: str | None = None
    """What its text is written in: ``""`` where that is not clear, None where nobody asked."""
    replaces: int | None = None
    """Number of the earlier version, which goes when this one comes."""


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source as it was when all of it was read."""

    size: int
    mtime_ns: int
    digest: str
    fields: str
    damaged: int


@dataclass(slots=True)
class Rows:
    """Rows that wait for the database, by table."""

    documents: list[tuple[Any, ...]] = field(default_factory=list)
    texts: list[tuple[Any, ...]] = field(default_factory=list)
    passages: list[tuple[Any, ...]] = field(default_factory=list)
    metadata: list[tuple[Any, ...]] = field(default_factory=list)
    removed: list[tuple[int, int]] = field(default_factory=list)
    """Generation and number of each document that a waiting one replaces."""
    complete: list[tuple[Any, ...]] = field(default_factory=list)
    """Sources of which every document is in the database or waits here."""

    def __bool__(self) -> bool:
        return any((self.documents, self.passages, self.removed, self.complete))

    def document(self, number: int, new: NewDocument, text: str, first: int, spans: int, generation: int) -> None:
        """Add the rows of a document whose passages are numbered from ``first``."""
        document = new.document
        given = {storable(key): storable(v) if isinstance(v, str) else v for key, v in document.metadata.items()}
        metadata = {key: shown for key, value in given.items() if (shown := kept(value)) is not None}
        encoded = json.dumps(metadata) if metadata else None
        self.documents.append(
            (
                number,
                storable(document.id),
                new.source,
                storable(document.title),
                encoded,
                new.digest,
                new.language,
                first,
                spans,
                generation,
            )
        )
        self.texts.append((number, text))
        self.metadata += [(key, comparable(given[key]), number) for key in metadata]
        if new.replaces is not None:
            self.removed.append((generation, new.replaces))

    def mark_complete(self, source: int, state: SourceState, generation: int) -> None:
        """Add the mark that every document of ``source`` is stored from ``generation`` on."""
        self.complete.append((state.size, state.mtime_ns, state.digest, state.fields, state.damaged, generation, source))

    def write(self, store: Store) -> None:
        """Write all rows in one transaction."""
        store.begin()
        store.many(
            "INSERT INTO documents (id, name, source, title, metadata, hash, language, first, passages, "
            "added) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self.documents,
        )
        store.many("INSERT INTO texts VALUES (?, ?)", self.texts)
        store.many("INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?)", self.passages)
        store.many("INSERT OR IGNORE INTO metadata VALUES (?, ?, ?)", self.metadata)
        store.many("UPDATE documents SET removed = ? WHERE id = ?", self.removed)
        store.many(
            "UPDATE sources SET size = ?, mtime_ns = ?, digest = ?, fields = ?, damaged = ?, complete = ? WHERE id = ?",
            self.complete,
        )
        store.commit()

    def clear(self) -> None:
        """Let go of what was written."""
        rows: Sequence[list[Any]] = (
            self.documents,
            self.texts,
            self.passages,
            self.metadata,
            self.removed,
            self.complete,
        )
        for some in rows:
            some.clear()


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
