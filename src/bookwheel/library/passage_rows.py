"""Passages and their documents, read by the numbers that segments give, each row compared with its checksum.

What is damaged is named (`Database.noting`), and left out; everything else is given.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from .._errors import LibraryChanged
from ..documents.dates import date_of
from ..documents.document import Scalar
from ..documents.noise import without_noise
from ..documents.passages import TITLE
from ..documents.places import Place
from .filters.file_fields import file_values
from .row_sums import document_sum, name_sum, passage_sum, row_sum, span_sum
from .stored_places import StoredPlaces

__all__ = ["OF_FILE", "WHOLE", "DocumentFields", "PassageRow", "PassageRows", "passage_stands", "read_json"]

NAMES = 1 << 14
"""Names of documents that are remembered as sound: about 3 MB."""
_ENDLESS = (1 << 31) - 1
"""More characters than any text has; of a larger number older versions of SQLite take the lower 32 bits, which may be 0."""
_PLACE = "p.id, p.document, p.start, p.end"
_PASSAGE = f"{_PLACE}, p.sum, CAST(substr(t.text, p.start + 1, p.end - p.start) AS BLOB)"
_TABLES = "passages p JOIN documents d ON d.id = p.document JOIN sources s ON s.id = d.source"
WHOLE = "d.id, d.name, d.title, d.metadata, d.language, d.hash, d.sum"
"""What a document's checksum covers, and the checksum."""
OF_FILE = "s.sum & 4294967295, s.size, s.mtime_ns, s.digest, s.fields, s.damaged, s.complete"
"""The lower half of a source's checksum, and what it covers."""
# Only SQLite has all of a long title, or of much metadata.
_SOUND = (
    "d.sum = document_sum(d.id, CAST(d.name AS BLOB), CAST(d.title AS BLOB), CAST(d.metadata AS BLOB), "
    "CAST(d.language AS BLOB), d.hash)"
)


class PassageRow(NamedTuple):
    """A passage with what of its document a result shows."""

    id: int
    document: int
    start: int
    end: int
    place: Place
    name: str
    source: str
    title: str
    metadata: dict[str, Scalar]
    text: str
    file: dict[str, str | int] = {}  # noqa: RUF012 - never changed
    """What its file tells (`filters.file_fields`)."""
    late: bool = False
    """Whether title, metadata and text were left out, because they are large."""
    language: str | None = None
    """That its document was found to be in; None where it was not asked, or is left out too."""


class DocumentFields(NamedTuple):
    """What a document has for filters."""

    number: int
    name: str
    title: str
    source: str
    metadata: dict[str, Scalar]
    file: dict[str, str | int]


read_json = json.JSONDecoder().raw_decode
"""Of metadata that matched its checksum; `json.loads` looks at more."""


def passage_holds(row: Sequence[Any]) -> bool:
    """Whether a passage is as it was written: its number, document, start, end, checksum and text."""
    number, document, start, end, written, text = row[:6]
    try:
        return bool(passage_sum(number, document, start, end, crc32(text)) == written)
    except TypeError:  # a damaged row holds other things than numbers
        return False


def passage_stands(place: Sequence[Any], text: str) -> bool:
    """Whether a passage's row (number, document, start, end, checksum) is as it was written for its document's ``text``."""
    start, end = place[2:4]
    # A damaged row holds other things than numbers.
    return isinstance(start, int) and isinstance(end, int) and passage_holds((*place, text[start:end].encode()))


def _span_holds(row: Sequence[Any]) -> bool:
    """The same without the text, of which the upper half of the checksum is given."""
    number, document, start, end, written = row[:5]
    try:
        return bool(span_sum(number, document, start, end) == written)
    except TypeError:
        return False


class PassageRows(StoredPlaces):
    """The part of `Store` that reads passages."""

    def __init__(self, library: Path, *, write: bool = False) -> None:
        super().__init__(library, write=write)
        self._names: dict[int, str] = {}
        """Of documents, by number, that were found sound."""
        self.damaged: set[int] = set()
        """Passages found damaged when they were read."""

    def passages(self, ids: Sequence[int], each: int | None = None, together: int = 0) -> dict[int, PassageRow]:
        """The passages of ``ids``, which segments hold, that are sound, by id.

        With ``each``, those of more than so many characters are ``late``, and from ``together`` characters on all others.
        """
        found: dict[int, PassageRow] = {}
        most = _ENDLESS if each is None else each
        room = _ENDLESS if each is None else together

        def full(row: tuple[Any, ...]) -> bool:
            nonlocal room
            for value in (row[5], row[8], row[9]):
                if isinstance(value, str | bytes):
                    room -= len(value)
            return room < 0

        files: dict[tuple[Any, ...], dict[str, str | int] | None] = {}
        """What the files met so far tell, by all that is stored of them; None where the path is damaged."""

        for row in self._rows(
            f"SELECT {_PASSAGE}, {WHOLE}, s.id, s.path, s.sum >> 32, t.places, t.sum >> 32, {OF_FILE} FROM {_TABLES} "
            "JOIN texts t ON t.document = d.id WHERE p.end - p.start + length(d.title) + length(coalesce(d.metadata, '')) <= ? AND p.id IN",
            ids,
            [most],
            full,
        ):
            (
                passage,
                document,
                start,
                end,
                _,
                text,
                number,
                name,
                title,
                metadata,
                language,
                digest,
                whole,
                source,
                path,
                noted,
                cell,
                of_places,
                *_,
            ) = row
            stored = row[13:16] + row[18:]
            if stored not in files:
                files[stored] = self.file_of(path, stored[3:]) if name_sum(source, path) == noted else None
            file = files[stored]
            if (
                passage_holds(row)
                and document_sum(number, name, title, metadata, language, digest) == whole
                and file is not None
                and (map_ := self.loaded(document, cell, of_places)) is not None
            ):
                shown = read_json(metadata)[0] if metadata else {}
                place = map_.place(start, end)
                found[passage] = PassageRow(
                    passage, document, start, end, place, name, path, title, shown, text.decode(), {**file}, language=language
                )
        if len(found) < len(ids):
            if each is not None:
                self._late(ids, found, most, full=room < 0)
            self._name_missing(ids, found, known=True)
        return found

    def _late(self, ids: Sequence[int], found: dict[int, PassageRow], most: int, *, full: bool) -> None:
        """Add to ``found`` those of ``ids`` that are large, or all where it is ``full``, without their texts."""
        for row in self._rows(
            f"SELECT {_PLACE}, p.sum >> 32, d.id, d.name, d.sum >> 32, s.id, s.path, s.sum >> 32, t.places, t.sum >> 32, {OF_FILE} "
            f"FROM {_TABLES} JOIN texts t ON t.document = d.id "
            "WHERE (? OR p.end - p.start + length(d.title) + length(coalesce(d.metadata, '')) > ?) AND p.id IN",
            [number for number in ids if number not in found],
            [full, most],
        ):
            number, name, noted, source, path, of_path, cell, of_places, *state = row[5:]
            if (
                _span_holds(row)
                and name_sum(number, name) == noted
                and name_sum(source, path) == of_path
                and (map_ := self.loaded(number, cell, of_places)) is not None
            ):
                passage, document, start, end = row[:4]
                place, file = map_.place(start, end), self.file_of(path, state)
                found[passage] = PassageRow(passage, document, start, end, place, name, path, "", {}, "", file, True)

    def fields_of(self, numbers: Sequence[int]) -> Iterator[DocumentFields]:
        """What each of the documents ``numbers`` that is sound has for filters; the others are named."""
        for number, name, title, metadata, language, digest, whole, source, path, noted, *state in self._rows(
            f"SELECT {WHOLE}, s.id, s.path, s.sum >> 32, {OF_FILE} FROM documents d JOIN sources s ON s.id = d.source WHERE d.id IN",
            numbers,
        ):
            if document_sum(number, name, title, metadata, language, digest) == whole and name_sum(source, path) == noted:
                shown = read_json(metadata)[0] if metadata else {}
                yield DocumentFields(number, name, title, path, shown, self.file_of(path, state))
            else:
                self.met(self.damage(number, "a field"))

    def dates(self, numbers: Sequence[int]) -> dict[int, str]:
        """The date (`date_of`) of each of the documents ``numbers`` that is sound."""
        return {row.number: date_of(row.metadata, row.file) for row in self.fields_of(numbers)}

    def file_of(self, path: str, state: Sequence[Any]) -> dict[str, str | int]:
        """What the file ``path`` tells, given `OF_FILE`; without size and time where those are damaged."""
        written, size, mtime_ns, *rest = state
        if row_sum(size, mtime_ns, *rest) != written:
            self.met(f"what {self.path} keeps of the size and time of the file {path!r:.200} is damaged; index it again")
            size = mtime_ns = None
        return file_values(path, size, mtime_ns)

    def passage(self, number: int) -> PassageRow:
        """One passage whole, of whatever size; raises `LibraryChanged` where it is not stored any more."""
        found = self.passages([number])
        if number not in found:
            raise LibraryChanged(f"passage {number} of the library {self.path.parent} is gone; search again")
        return found[number]

    def texts(self, ids: Sequence[int], most: int | None = None) -> dict[int, tuple[str, str]]:
        """What is indexed of the title of its document, and of the text, of each passage of ``ids`` that is stored and sound.

        Of a longer text only the first ``most`` characters.
        """
        found: dict[int, tuple[str, str]] = {}
        limit = _ENDLESS if most is None else most
        for row in self._rows(
            f"SELECT {_PLACE}, p.sum, CAST(substr(t.text, p.start + 1, min(p.end - p.start, ?)) AS BLOB), "
            "iif(p.end - p.start > ?, crc32(CAST(substr(t.text, p.start + 1, p.end - p.start) AS BLOB)), NULL), "
            f"substr(d.title, 1, iif(p.id = d.first, ?, ?)), {_SOUND} "
            "FROM passages p JOIN documents d ON d.id = p.document JOIN texts t ON t.document = p.document WHERE p.id IN",
            ids,
            [limit, limit, limit, min(TITLE, limit)],
        ):
            *place, written, text, crc, title, sound = row
            if sound and (
                passage_holds(row)
                if crc is None
                else isinstance(written, int) and _span_holds((*place, written >> 32)) and crc == written & 0xFFFFFFFF
            ):
                found[row[0]] = title, without_noise(text.decode("utf-8", "replace"))
        if len(found) < len(ids):
            self._name_missing(ids, found)
        return found

    def lengths(self, ids: Sequence[int]) -> dict[int, int]:
        """Characters of each passage of ``ids`` that is stored, without its title."""
        return dict(self._rows("SELECT id, end - start FROM passages WHERE id IN", ids))

    def held_by_language(self, numbers: Sequence[int]) -> list[tuple[str, int, int]]:
        """Language, documents and passages of those of the documents ``numbers`` that are not removed, by language."""
        marks = ", ".join("?" * len(numbers))
        return self.execute(
            "SELECT language, count(*), sum(passages) FROM documents "
            f"WHERE id IN ({marks}) AND removed IS NULL AND language IS NOT NULL GROUP BY language",
            list(numbers),
        )

    def languages_of(self, passages: Sequence[int]) -> list[str | None]:
        """The language of the document of each of ``passages``; None where it is not stored any more or was not asked.

        Raises `LibraryDamaged` where a document's row is damaged.
        """
        found: dict[int, str | None] = {}
        for passage, number, language, sound in self._rows(
            f"SELECT p.id, d.id, d.language, {_SOUND} FROM passages p JOIN documents d ON d.id = p.document WHERE p.id IN",
            passages,
        ):
            if not sound:
                self.met(self.damage(number, "the name, the title, the metadata or the language"))
            found[passage] = language
        return [found.get(number) for number in passages]

    def documents_of(self, ids: Sequence[int], *, known: bool = False) -> dict[int, tuple[int, str]]:
        """Number and name of the document of each passage of ``ids`` that is stored; ``known``: all of them must be."""
        # That the passage is among those of the document, its own row says too.
        rows = self._rows(
            "SELECT p.id, d.id, d.name, d.sum >> 32 FROM passages p JOIN documents d ON d.id = p.document "
            "WHERE p.id >= d.first AND p.id < d.first + d.passages AND p.id IN",
            ids,
        )
        names = self._names
        found = {
            passage: (number, name)
            for passage, number, name, noted in rows
            if names.get(number) == name or self._is_name(number, name, noted)
        }
        if len(found) < len(ids):
            self._name_missing(ids, found, known=known)
        return found

    def _is_name(self, number: int, name: Any, noted: int) -> bool:
        """Whether a document's name matches its checksum; it is remembered where it does."""
        if name_sum(number, name) != noted:
            return False
        if len(self._names) >= NAMES:
            self._names = {}  # not cleared: another thread may be reading it
        self._names[number] = name
        return True

    def _name_missing(self, ids: Sequence[int], found: Mapping[int, Any], *, known: bool = False) -> None:
        """Name the documents of those ``ids`` that are not in ``found`` though the library has them.

        ``known``: it has all of them, since a segment of this generation does.
        """
        for passage in (number for number in ids if number not in found):
            # Not by the row of the passage, which may be what is damaged.
            claims = self.execute("SELECT id FROM documents WHERE first <= :p AND first + passages > :p", {"p": passage})
            if claims or known:
                self.damaged.add(passage)
                self.met(
                    self.damage(claims[0][0], f"passage {passage}")
                    if claims
                    else f"passage {passage} and the row of its document are damaged in {self.path}; run `bookwheel check` to see all "
                    "that is damaged, then index the files again into a new library"
                )
