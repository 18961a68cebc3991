"""Documents, passages and metadata in SQLite, each row stamped with the generations it lives in, and with its checksum.

A row is seen at generation g where ``added <= g`` and it was not removed by then. SQLite may commit ahead of the manifest; rows
stamped with a later generation than the manifest's do not exist for readers, and the next writer takes them back (`rollback`).
Rows are compared with their checksums when they are read; what is damaged is named, and left out (`Database.noting`) or raised.
"""

from __future__ import annotations

import json
import sqlite3
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from .._errors import LibraryChanged, LibraryDamaged
from ..documents.document import Scalar
from ..documents.passages import TITLE
from .database import DATABASE, Database
from .results import StoredDocument
from .row_sums import (
    NUMBERS,
    PRIME,
    REMOVAL,
    document_sum,
    holds,
    metadata_sums,
    name_sum,
    numbers_hold,
    passage_sum,
    place_sum,
    total,
    value_sum,
)

__all__ = ["DATABASE", "NUMBERS_OF_D", "PassageRow", "Store", "passage_holds"]

_ALIVE = "+added <= :g AND (removed IS NULL OR removed > :g)"
NAMES = 1 << 14
"""Names of documents that are remembered as sound: about 3 MB."""
COUNTED = 1 << 13
"""Rows of metadata whose checksums are added up at a time."""
FIELD_ROWS = 300_000
"""A filter's field of more rows than these is compared with its checksums by `bookwheel check` only: it takes too long."""
_SOURCE = "id, path, size, mtime_ns, digest, fields, damaged, complete"
NUMBERS_OF_D = "d.id, d.source, d.first, d.passages, d.added, ifnull(d.removed, -1), d.numbers"
_ENDLESS = 1 << 62
"""More characters than any text has."""
_PLACE = "p.id, p.document, p.start, p.end, p.part, p.line"
_PASSAGE = f"{_PLACE}, p.sum, CAST(substr(t.text, p.start + 1, p.end - p.start) AS BLOB)"
_TABLES = "passages p JOIN documents d ON d.id = p.document JOIN sources s ON s.id = d.source"
_WHOLE = "d.id, d.name, d.title, d.metadata, d.language, d.hash, d.sum"
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
    part: int | str | None
    """The number of its page, or the name of its slide, sheet, chapter or attachment."""
    line: int | None
    name: str
    source: str
    title: str
    metadata: dict[str, Scalar]
    text: str
    late: bool = False
    """Whether title, metadata and text were left out, because they are large."""


_json = json.JSONDecoder().raw_decode
"""Of metadata that matched its checksum; `json.loads` looks at more."""


def passage_holds(row: Sequence[Any]) -> bool:
    """Whether a passage is as it was written: its number, document, start, end, part, line, checksum and text."""
    number, document, start, end, part, line, written, text = row[:8]
    try:
        return bool(passage_sum(number, document, start, end, part, line, crc32(text)) == written)
    except TypeError:  # a damaged row holds other things than numbers
        return False


def _place_holds(row: Sequence[Any]) -> bool:
    """The same without the text, of which the upper half of the checksum is given."""
    number, document, start, end, part, line, written = row[:7]
    try:
        return bool(place_sum(number, document, start, end, part, line) == written)
    except TypeError:
        return False


class Store(Database):
    """What a library keeps in its database."""

    def __init__(self, library: Path, *, write: bool = False) -> None:
        super().__init__(library, write=write)
        self._compared: set[str] = set()
        """Fields whose values were found sound."""
        self._names: dict[int, str] = {}
        """Of documents, by number, that were found sound."""
        self.damaged: set[int] = set()
        """Passages found damaged when they were read."""

    # -- what a writer needs -------------------------------------------------------------------------------------------

    def rollback(self, generation: int) -> None:
        """Take back all that is stamped later than ``generation``: an interrupted command's rows."""
        with self._lock, self._errors():
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if (noted := self.generation()) < generation:
                raise LibraryDamaged(
                    f"{self.path} is of generation {noted} where the manifest says {generation}: writes that the disk had "
                    "confirmed are lost; index the sources again into a new library"
                )
            if not self._db.execute(
                "SELECT EXISTS (SELECT 1 FROM documents WHERE added > :g)"
                " OR EXISTS (SELECT 1 FROM documents WHERE removed > :g)"
                " OR EXISTS (SELECT 1 FROM sources WHERE complete > :g)",
                {"g": generation},
            ).fetchone()[0]:
                return
            self._db.execute("BEGIN IMMEDIATE")
            self._forget("added > ?", generation)
            self._db.execute(
                f"UPDATE documents SET numbers = numbers - {REMOVAL} * (removed + 1), removed = NULL WHERE removed > ?",
                (generation,),
            )
            self._db.execute("DELETE FROM removals WHERE generation > ?", (generation,))
            self.mark_incomplete("complete > ?", (generation,))
            self._db.execute("COMMIT")

    def _forget(self, condition: str, value: int) -> None:
        chosen = f"(SELECT id FROM documents WHERE {condition})"
        self._db.execute(f"DELETE FROM texts WHERE document IN {chosen}", (value,))
        gone = self._db.execute(f"DELETE FROM metadata WHERE document IN {chosen} RETURNING key, value, document", (value,))
        self.count_values(gone, -1)
        self._db.execute("DELETE FROM fields WHERE rows = 0 AND total = 0")
        last = 0
        while rows := self._db.execute(
            f"SELECT {NUMBERS} FROM documents WHERE {condition} AND id > ? ORDER BY id LIMIT 10000", (value, last)
        ).fetchall():
            sound = numbers_hold(rows)
            ranges = [(row[2], row[2] + row[3]) for row, right in zip(rows, sound, strict=True) if right]
            self._db.executemany("DELETE FROM passages WHERE id >= ? AND id < ?", ranges)
            # A damaged range could be that of other documents.
            damaged = [(row[0],) for row, right in zip(rows, sound, strict=True) if not right]
            self._db.executemany("DELETE FROM passages WHERE document = ?", damaged)
            last = rows[-1][0]
        self._db.execute(f"DELETE FROM documents WHERE {condition}", (value,))

    def vacuum(self) -> None:
        """Give pages that hold nothing back to the file system, some at a time: readers get their turn between."""
        before = 0
        while (free := self.execute("PRAGMA freelist_count")[0][0]) and free != before:
            self.execute("PRAGMA incremental_vacuum(4096)")
            before = free

    def purge(self, generation: int, newest: int) -> None:
        """Delete for good the documents removed by ``generation``; no segment holds their passages any more.

        Readers of older generations then get `LibraryChanged`. ``newest`` is the library's generation.
        """
        self.begin()
        with self._lock, self._errors():
            self._forget("removed <= ?", generation)
            self._db.execute("DELETE FROM removals WHERE generation <= ?", (generation,))
            self.set_state("purged", generation)
            self._db.execute("DELETE FROM state WHERE key IN ('unpurged', 'unpurged since')")
        self.commit_durably(newest)

    def put_off_purge(self, generation: int) -> float:
        """Note that the documents removed by ``generation`` are to be deleted; returns since when that waits for readers."""
        self.begin()
        with self._lock, self._errors():
            self.set_state("unpurged", generation)
            if self.state("unpurged since") is None:
                self.set_state("unpurged since", time.time())
        self.commit()
        return float(self.state("unpurged since"))

    def remove(self, rows: Sequence[tuple[int, int]]) -> None:
        """Mark documents as removed: generation and number of each."""
        self.many(
            f"UPDATE documents SET removed = ?1, numbers = numbers + {REMOVAL} * (?1 + 1) WHERE id = ?2 AND removed IS NULL",
            rows,
        )

    def removed_now(self, generation: int) -> None:
        """Note the sum of what ``generation`` removed, before it is committed."""
        with self._lock, self._errors():
            rows = self._db.execute("SELECT numbers FROM documents WHERE removed = ?", (generation,)).fetchall()
            if rows:
                row = generation, len(rows), total(number for (number,) in rows)
                self._db.execute("INSERT OR REPLACE INTO removals VALUES (?, ?, ?)", row)

    def change(self, generation: int) -> int:
        """How many documents more ``generation`` has than the one before."""
        added = self.execute("SELECT count(*) FROM documents WHERE added = ?", (generation,))[0][0]
        removed = self.execute("SELECT coalesce(sum(documents), 0) FROM removals WHERE generation = ?", (generation,))[0][0]
        return int(added) - int(removed)

    def mark_incomplete(self, condition: str, parameters: Sequence[Any]) -> None:
        """Note of the sources that meet ``condition`` that not all of them is stored."""
        self.execute(
            "UPDATE sources SET complete = NULL, sum = source_sum(id, path, size, mtime_ns, digest, fields, damaged, NULL) "
            f"WHERE {condition} AND complete IS NOT NULL",
            parameters,
        )

    def sum_source(self, number: int) -> None:
        """Make the checksum of the source ``number`` anew, after it was changed."""
        self.execute(f"UPDATE sources SET sum = source_sum({_SOURCE}) WHERE id = ?", (number,))

    def count_values(self, rows: Iterable[tuple[Any, Any, Any]], sign: int = 1) -> None:
        """Add ``rows`` of the metadata (key, value, document) to the rows and totals of their keys; take them away with -1."""
        every = iter(rows)
        while some := list(islice(every, COUNTED)):  # one record may have a million keys
            sums = metadata_sums(some)
            self.many("INSERT OR IGNORE INTO fields (rows, total, key) VALUES (0, 0, ?)", ((key,) for key in sums))
            self.many(
                f"UPDATE fields SET rows = rows + ?, total = (total + ?) % {PRIME} WHERE key = ?",
                ((sign * count, sign * total % PRIME, key) for key, (count, total) in sums.items()),
            )

    # -- what a reader needs -------------------------------------------------------------------------------------------

    def removed_ranges(self, generation: int) -> NDArray[np.int64]:
        """First passage and number of passages of each document removed by ``generation``: int64 of shape (n, 2).

        Raises `LibraryDamaged` where they are not those that the writers noted.
        """
        # By the one connection, which stays with its file also where the library was made anew; ended before anyone else has it.
        with self._lock, self._errors():
            db = self._connection()
            db.execute("BEGIN")
            try:
                noted = db.execute("SELECT documents, total FROM removals WHERE generation <= ?", (generation,)).fetchall()
                wanted = sum(row[0] for row in noted), total(row[1] for row in noted)
                # Where the index is damaged, the table may be sound.
                for table in ("documents", "documents NOT INDEXED"):
                    ranges, found, sums, sound = self._removed(db, table, generation)
                    if sound and (found, total([sums])) == wanted:
                        break
                else:
                    raise LibraryDamaged(
                        f"{self.path} is damaged: it lists {found} removed documents where the writers noted {wanted[0]}, or lists "
                        "others; index the files again into a new library"
                    )
            finally:
                db.execute("COMMIT")
            if self._bound is not None:
                self._check(db, *self._bound)
        return ranges

    @staticmethod
    def _removed(db: sqlite3.Connection, table: str, generation: int) -> tuple[NDArray[np.int64], int, int, bool]:
        """Ranges of passages, number and sum of the documents removed by ``generation``; whether each row is sound."""
        found = [np.empty((0, 2), np.int64)]
        count, sums, sound = 0, 0, True
        cursor = db.execute(f"SELECT {NUMBERS} FROM {table} WHERE removed <= ?", (generation,))
        while some := cursor.fetchmany(1 << 14):
            sound = sound and bool(numbers_hold(some).all())
            if not sound:
                break
            rows = np.array(some, dtype=np.int64)
            count += len(rows)
            sums += sum(rows[:, 6].tolist())
            found.append(rows[rows[:, 3] > 0, 2:4])
        return np.concatenate(found), count, sums, sound

    def matching_ranges(self, generation: int, where: str, parameters: Sequence[Any]) -> NDArray[np.int64]:
        """The same of each document alive at ``generation`` for which the condition ``where`` over ``documents d`` holds."""
        # Not one list of all rows: that takes ten times as much as the array.
        found = [np.empty((0, 2), np.int64)]
        rows = self.stream(
            # The + keeps SQLite off the index of generations: one look more at what may be damaged, and slower.
            f"SELECT {NUMBERS} FROM documents d WHERE ({where}) AND d.passages > 0 "
            "AND +d.added <= ? AND (d.removed IS NULL OR d.removed > ?)",
            [*parameters, generation, generation],
        )
        while some := list(islice(rows, 1 << 14)):
            sound = numbers_hold(some)
            for at in np.flatnonzero(~sound).tolist():
                self.met(self.damage(some[at][0], "the place among the passages"))
            found.append(np.array([row[2:4] for row, right in zip(some, sound, strict=True) if right], np.int64).reshape(-1, 2))
        return np.concatenate(found)

    def passages(self, ids: Sequence[int], each: int | None = None, together: int = 0) -> dict[int, PassageRow]:
        """The passages of ``ids``, which segments hold, that are sound, by id.

        With ``each``, those of more than so many characters are ``late``, and from ``together`` characters on all others.
        """
        found: dict[int, PassageRow] = {}
        most = _ENDLESS if each is None else each
        room = _ENDLESS if each is None else together

        def full(row: tuple[Any, ...]) -> bool:
            nonlocal room
            room -= len(row[7]) + len(row[10]) + len(row[11] or "")
            return room < 0

        for row in self._rows(
            f"SELECT {_PASSAGE}, {_WHOLE}, s.id, s.path, s.sum >> 32 FROM {_TABLES} JOIN texts t ON t.document = d.id "
            "WHERE p.end - p.start + length(d.title) + length(coalesce(d.metadata, '')) <= ? AND p.id IN",
            ids,
            [most],
            full,
        ):
            (
                passage,
                document,
                start,
                end,
                part,
                line,
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
            ) = row
            if (
                passage_holds(row)
                and document_sum(number, name, title, metadata, language, digest) == whole
                and name_sum(source, path) == noted
            ):
                shown = _json(metadata)[0] if metadata else {}
                found[passage] = PassageRow(passage, document, start, end, part, line, name, path, title, shown, text.decode())
        if len(found) < len(ids):
            if each is not None:
                self._late(ids, found, most, full=room < 0)
            self._name_missing(ids, found, known=True)
        return found

    def _late(self, ids: Sequence[int], found: dict[int, PassageRow], most: int, *, full: bool) -> None:
        """Add to ``found`` those of ``ids`` that are large, or all where it is ``full``, without their texts."""
        for row in self._rows(
            f"SELECT {_PLACE}, p.sum >> 32, d.id, d.name, d.sum >> 32, s.id, s.path, s.sum >> 32 FROM {_TABLES} "
            "WHERE (? OR p.end - p.start + length(d.title) + length(coalesce(d.metadata, '')) > ?) AND p.id IN",
            [number for number in ids if number not in found],
            [full, most],
        ):
            number, name, noted, source, path, of_path = row[7:]
            if _place_holds(row) and name_sum(number, name) == noted and name_sum(source, path) == of_path:
                passage, document, start, end, part, line = row[:6]
                found[passage] = PassageRow(passage, document, start, end, part, line, name, path, "", {}, "", True)

    def passage(self, number: int) -> PassageRow:
        """One passage whole, of whatever size; raises `LibraryChanged` where it is not stored any more."""
        found = self.passages([number])
        if number not in found:
            raise LibraryChanged(f"passage {number} of the library {self.path.parent} is gone; search again")
        return found[number]

    def texts(self, ids: Sequence[int], most: int | None = None) -> dict[int, tuple[str, str]]:
        """What is indexed of the title of its document, and the text, of each passage of ``ids`` that is stored and sound.

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
                passage_holds(row) if crc is None else _place_holds((*place, written >> 32)) and crc == written & 0xFFFFFFFF
            ):
                found[row[0]] = title, text.decode("utf-8", "replace")
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

    # -- damage --------------------------------------------------------------------------------------------------------

    def _rows(
        self,
        sql: str,
        ids: Sequence[int],
        parameters: Sequence[Any] = (),
        until: Callable[[tuple[Any, ...]], bool] | None = None,
    ) -> list[Any]:
        """The rows of ``sql``, which ends with ``IN``, for ``ids``, up to the first for which ``until`` is true.

        Those that SQLite finds damaged are left out.
        """
        rows: list[Any] = []
        for at in range(0, len(ids), 500):
            some = ids[at : at + 500]
            try:
                rows += self.execute(f"{sql} ({','.join('?' * len(some))})", [*parameters, *some], until=until)
            except LibraryDamaged:
                for one in some:  # a damaged page holds the rows of some, not of all
                    with suppress(LibraryDamaged):
                        rows += self.execute(f"{sql} (?)", [*parameters, one], until=until)
        return rows

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

    def damage(self, number: int, what: str) -> str:
        """The sentence that ``what`` of the document ``number`` is damaged, with what to do about it."""
        called = f"number {number}"
        with suppress(LibraryDamaged):
            for name, whole, path, noted, source in self.execute(
                "SELECT d.name, d.sum >> 32, s.path, s.sum >> 32, s.id FROM documents d "
                "LEFT JOIN sources s ON s.id = d.source WHERE d.id = ?",
                (number,),
            ):
                if name_sum(number, name) == whole:
                    called = repr(name)
                if type(source) is int and name_sum(source, path) == noted and path != "-":
                    called += f" (of {path})"
        return (
            f"{what} of the document {called} is damaged in {self.path}; remove the document with `bookwheel remove`, then index "
            "its source again"
        )

    # -- documents -----------------------------------------------------------------------------------------------------

    def find(self, generation: int, name: str) -> list[int]:
        """Numbers of the documents named ``name``, or from the source of that path, alive at ``generation``."""
        names = {"name": name, "NFC": unicodedata.normalize("NFC", name), "NFD": unicodedata.normalize("NFD", name)}
        marks = ":name, :NFC, :NFD"  # macOS writes names of files in decomposed form, and people type them composed
        rows = self.execute(
            f"SELECT id FROM documents WHERE name IN ({marks}) AND {_ALIVE} UNION "
            f"SELECT id FROM documents WHERE source IN (SELECT id FROM sources WHERE path IN ({marks})) AND {_ALIVE} ORDER BY id",
            {**names, "g": generation},
        )
        return [row[0] for row in rows]

    def document(self, number: int) -> StoredDocument:
        """One document whole. Raises `LibraryDamaged` where it is damaged."""
        rows = self._rows(
            f"SELECT {_WHOLE}, s.id, s.path, s.sum >> 32, CAST(t.text AS BLOB), t.sum, {NUMBERS_OF_D} FROM documents d "
            "JOIN sources s ON s.id = d.source JOIN texts t ON t.document = d.id WHERE d.id IN",
            (number,),
        )
        for _, name, title, metadata, language, digest, whole, source, path, noted, text, written, *numbers in rows:
            if (
                not holds(*numbers)
                or document_sum(number, name, title, metadata, language, digest) != whole
                or name_sum(source, path) != noted
                or crc32(text) != written
            ):
                break
            first, count = numbers[2:4]
            decoded = text.decode()
            # Its passages are numbered in a row; passages have no index by document.
            places = self.execute(
                "SELECT id, document, start, end, part, line, sum FROM passages WHERE id >= ? AND id < ? ORDER BY id",
                (first, first + count),
            )
            if len(places) != count:
                break
            if not all(passage_holds((*place, decoded[place[2] : place[3]].encode())) for place in places):
                break
            spans = tuple((place[2], place[3]) for place in places)
            return StoredDocument(name, path, title, decoded, _json(metadata)[0] if metadata else {}, spans, first)
        raise LibraryDamaged(self.damage(number, "the text or a field"))

    def spans(self, generation: int) -> Iterator[tuple[str, int, int]]:
        """Id, number of the first passage and number of passages of all documents alive at ``generation``, rising."""
        rows = self.stream(f"SELECT name, sum >> 32, {NUMBERS} FROM documents WHERE {_ALIVE} ORDER BY id", {"g": generation})
        while some := list(islice(rows, 1 << 12)):
            for (name, whole, number, _, first, count, *_), sound in zip(
                some, numbers_hold([row[2:] for row in some]).tolist(), strict=True
            ):
                if not sound or name_sum(number, name) != whole:
                    raise LibraryDamaged(self.damage(number, "the row"))
                yield name, first, count

    def numbers(self, generation: int) -> Iterator[int]:
        """Numbers of all documents alive at ``generation``, rising."""
        for row in self.stream(f"SELECT id FROM documents WHERE {_ALIVE} ORDER BY id", {"g": generation}):
            yield row[0]

    def range_of(self, number: int) -> tuple[int, int]:
        """First passage and number of passages of the document ``number``. Raises `LibraryDamaged`."""
        for row in self.execute(f"SELECT {NUMBERS} FROM documents WHERE id = ?", (number,)):
            if holds(*row):
                return row[2], row[3]
        raise LibraryDamaged(self.damage(number, "the place among the passages"))

    def fields(self) -> list[str]:
        """The metadata keys in use."""
        return [row[0] for row in self.execute("SELECT key FROM fields WHERE rows > 0 ORDER BY key")]

    def sums_of_fields(self) -> tuple[dict[Any, tuple[int, int]], dict[Any, tuple[int, int]]]:
        """Rows and total of each field of the metadata: as noted, and as they are, at one moment."""
        found: dict[Any, tuple[int, int]] = {}
        with self._lock, self._errors():
            db = self._connection()
            db.execute("BEGIN")  # a writer changes both in one transaction
            try:
                noted = {key: (rows, total) for key, rows, total in db.execute("SELECT key, rows, total FROM fields")}
                for key, value, count, documents in db.execute(
                    "SELECT key, value, count(*), sum(document) FROM metadata GROUP BY key, value"
                ):
                    rows, total = found.get(key, (0, 0))
                    found[key] = rows + count, (total + value_sum(value, count, documents)) % PRIME
            finally:
                db.execute("COMMIT")
        return noted, found

    @staticmethod
    def _sum_of_field(db: sqlite3.Connection, key: Any) -> tuple[int, int]:
        rows, sums = 0, 0
        cursor = db.execute("SELECT value, count(*), sum(document) FROM metadata WHERE key IS ? GROUP BY value", (key,))
        while some := cursor.fetchmany(1 << 12):
            for value, count, documents in some:
                rows, sums = rows + count, sums + value_sum(value, count, documents)
        return rows, sums % PRIME

    def require_field(self, key: str, most: int | None = FIELD_ROWS) -> None:
        """Compare the values of a metadata field with their checksums, once, where it has at most ``most``.

        Raises `LibraryDamaged`.
        """
        if key in self._compared:
            return
        with self._lock, self._errors():
            db = self._connection()
            db.execute("BEGIN")
            try:
                noted = db.execute("SELECT rows, total FROM fields WHERE key = ?", (key,)).fetchone()
                if noted is None or (most is not None and noted[0] > most):
                    return
                rows, sums = self._sum_of_field(db, key)
            finally:
                db.execute("COMMIT")
        if (rows, sums) != noted:
            raise LibraryDamaged(
                f"the values of the field {key!r:.80} are damaged in {self.path}: filters by it cannot be trusted; run "
                "`bookwheel check` to see all that is damaged, then index the files again into a new library"
            )
        self._compared.add(key)

    def problems(self) -> list[str]:
        """What SQLite's own integrity check says; empty where all is well."""
        with self._lock:
            try:
                rows = self._connection().execute("PRAGMA integrity_check(5)").fetchall()
            except sqlite3.Error as error:
                return [f"{self.path}: {error}"]
        return [f"{self.path}: {row[0]}" for row in rows if row[0] != "ok"]

    def sizes(self) -> dict[str, int]:
        """Bytes on disk: the database and its log."""
        files = {DATABASE: self.path, "log": self.path.with_name(DATABASE + "-wal")}
        return {name: path.stat().st_size for name, path in files.items() if path.is_file()}
