"""What a writer has taken in and the database does not hold yet.

Rows gather here and are written in one transaction: the rows of new documents first, then the removal of the versions they
replace, then the marks of the sources that are complete. A commit of the library comes after such a transaction, never inside
one. So no commit can hold a removal without its replacement, or a source's mark without its documents.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from ..documents.document import Document, Scalar
from ..documents.metadata import comparable, kept
from ..documents.weight import weight
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
    metadata: list[tuple[int, Mapping[str, Scalar]]] = field(default_factory=list)
    """Number and values of each document that has any; a row each when they are written."""
    removed: list[tuple[int, int]] = field(default_factory=list)
    """Generation and number of each document that a waiting one replaces."""
    complete: list[tuple[Any, ...]] = field(default_factory=list)
    """Sources of which every document is in the database or waits here."""
    nbytes: int = 0
    """Bytes that the rows take, about."""

    def __bool__(self) -> bool:
        return any((self.documents, self.passages, self.removed, self.complete))

    def document(self, number: int, new: NewDocument, text: str, first: int, spans: int, generation: int) -> None:
        """Add the rows of a document whose passages are numbered from ``first``."""
        document = new.document
        encoded = None
        if document.metadata:
            given = _storable_values(document.metadata)
            if (shown := _shown(given)) is not given:
                given = {key: given[key] for key in shown}
            if shown:
                encoded = json.dumps(shown)
                self.metadata.append((number, given))
                self.nbytes += len(encoded)
        self.nbytes += weight(document)
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
        store.many(
            "INSERT OR IGNORE INTO metadata VALUES (?, ?, ?)",
            ((comparable(key), comparable(value), number) for number, given in self.metadata for key, value in given.items()),
        )
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
        self.nbytes = 0


def _storable_values(metadata: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
    """``metadata`` with names and strings that SQLite can hold; itself where they are, as a copy may be large."""
    if all(storable(key) is key and (not isinstance(v, str) or storable(v) is v) for key, v in metadata.items()):
        return metadata
    return {storable(key): storable(v) if isinstance(v, str) else v for key, v in metadata.items()}


def _shown(given: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
    """``given`` as JSON can hold it, without what is missing; itself where that is all of it."""
    if all(value is not None and (not isinstance(value, float) or isfinite(value)) for value in given.values()):
        return given
    return {key: shown for key, value in given.items() if (shown := kept(value)) is not None}


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
