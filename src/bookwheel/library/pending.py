"""What a writer has taken in and the database does not hold yet.

Rows gather here and are written in one transaction: the rows of new documents first, then the removal of the versions they
replace, then the marks of the sources that are complete. A commit of the library comes after such a transaction, never inside
one. So no commit can hold a removal without its replacement, or a source's mark without its documents.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..documents.document import Document, Scalar, Value
from ..documents.metadata import comparable, kept, kept_value
from ..documents.places import Cell
from ..documents.weight import weight
from .row_sums import document_numbers, document_sum, passage_sum, places_sum
from .storable import storable
from .store import Store

__all__ = ["NewDocument", "Rows", "SourceState"]


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
    keeps: bool = False
    """Whether the passages of the earlier version, where they are the same, keep their vectors: only its file's name changed."""
    number: int = 0
    """Its own number in the library."""

    def written_in(self, language: str | None) -> NewDocument:
        """The same, of a text in ``language``."""
        return replace(self, language=language)


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
    metadata: list[tuple[int, Mapping[str, Value]]] = field(default_factory=list)
    """Number and values of each document that has any; a row each when they are written."""
    removed: list[tuple[int, int]] = field(default_factory=list)
    """Generation and number of each document that a waiting one replaces."""
    complete: list[tuple[Any, ...]] = field(default_factory=list)
    """Sources of which every document is in the database or waits here."""
    nbytes: int = 0
    """Bytes that the rows take, about."""

    def __bool__(self) -> bool:
        return any((self.documents, self.passages, self.removed, self.complete))

    def document(self, new: NewDocument, text: str, crc: int, places: Cell, first: int, spans: int, generation: int) -> None:
        """Add the rows of a document whose passages are numbered from ``first``; ``crc`` is `text_sum` of its ``text``."""
        document, number = new.document, new.number
        encoded = None
        if document.metadata:
            given = _storable_values(document.metadata)
            if (shown := _shown(given)) is not given:
                # NaN and None have gone from lists, too.
                given = {key: tuple(filter(_is_there, v)) if isinstance(v := given[key], tuple) else v for key in shown}
            if shown:
                encoded = json.dumps(shown)
                self.metadata.append((number, given))
                self.nbytes += len(encoded)
        self.nbytes += weight(document)
        name, title = storable(document.id), storable(document.title)
        numbers = document_numbers(number, new.source, first, spans, generation)
        whole = document_sum(number, name, title, encoded, new.language, new.digest)
        self.documents.append(
            (number, name, new.source, title, encoded, new.digest, new.language, first, spans, generation, numbers, whole)
        )
        self.texts.append((number, places_sum(places, crc), places, text))
        if new.replaces is not None:
            self.removed.append((generation, new.replaces))

    def passage(self, row: tuple[int, int, int, int], crc: int) -> None:
        """Add a passage: number, document, start and end, and `text_sum` of its text."""
        self.passages.append((*row, passage_sum(*row, crc)))

    def mark_complete(self, source: int, state: SourceState, generation: int) -> None:
        """Add the mark that every document of ``source`` is stored from ``generation`` on."""
        self.complete.append((state.size, state.mtime_ns, state.digest, state.fields, state.damaged, generation, source))

    def write(self, store: Store) -> None:
        """Write all rows in one transaction."""
        store.begin()
        store.many(
            "INSERT INTO documents (id, name, source, title, metadata, hash, language, first, passages, added, numbers, sum) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self.documents,
        )
        store.many("INSERT INTO texts VALUES (?, ?, ?, ?)", self.texts)
        store.many("INSERT INTO passages VALUES (?, ?, ?, ?, ?)", self.passages)
        store.many("INSERT INTO metadata VALUES (?, ?, ?)", self._values())
        store.count_values(self._values())
        store.remove(self.removed)
        store.many(
            "UPDATE sources SET size = ?1, mtime_ns = ?2, digest = ?3, fields = ?4, damaged = ?5, complete = ?6, "
            "sum = source_sum(id, path, ?1, ?2, ?3, ?4, ?5, ?6) WHERE id = ?7",
            self.complete,
        )
        store.commit()

    def _values(self) -> Iterator[tuple[str, Scalar, int]]:
        """Key, value and document of each row of metadata, each row once: two spellings of a key count as one."""
        for number, given in self.metadata:
            # Only these can have a row in common; a set of all rows would be larger than the record.
            doubled = {name for key in given if (name := comparable(key)) != key}
            seen: set[tuple[Scalar, Scalar]] = set()
            for key, values in given.items():
                name = comparable(key)
                for value in dict.fromkeys(map(comparable, values)) if isinstance(values, tuple) else (comparable(values),):
                    if name in doubled:
                        if (name, value) in seen:
                            continue
                        seen.add((name, value))
                    yield str(name), value, number

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


def _storable_values(metadata: Mapping[str, Value]) -> Mapping[str, Value]:
    """``metadata`` with names and strings that SQLite can hold; itself where they are, as a copy may be large."""
    if all(storable(key) is key and _storable(value) is value for key, value in metadata.items()):
        return metadata
    return {storable(key): _storable(value) for key, value in metadata.items()}


def _storable(value: Value) -> Value:
    if isinstance(value, tuple):
        held = tuple(storable(item) if isinstance(item, str) else item for item in value)
        return value if held == value else held
    return storable(value) if isinstance(value, str) else value


def _shown(given: Mapping[str, Value]) -> Mapping[str, Value]:
    """``given`` as JSON can hold it, without what is missing; itself where that is all of it."""
    if all(kept_value(value) is value for value in given.values() if not isinstance(value, tuple)) and not any(
        isinstance(value, tuple) or value is None for value in given.values()
    ):
        return given
    return {key: shown for key, value in given.items() if (shown := kept_value(value)) is not None}


def _is_there(value: Scalar) -> bool:
    return kept(value) is not None
