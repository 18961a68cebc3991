"""Documents, passages and metadata in SQLite, each row stamped with the generations it lives in, and with its checksum.

A row is seen at generation g where ``added <= g`` and it was not removed by then. SQLite may commit ahead of the manifest; rows
stamped with a later generation than the manifest's do not exist for readers, and the next writer takes them back (`rollback`).
Rows are compared with their checksums when they are read; what is damaged is named, and left out (`Database.noting`) or raised.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from .._errors import LibraryDamaged
from .database import DATABASE
from .filters.file_fields import FILE_FIELDS, FILES
from .passage_rows import OF_FILE, WHOLE, PassageRow, PassageRows, passage_stands, read_json
from .results import StoredDocument
from .row_sums import CRC, NUMBERS, PRIME, document_sum, holds, name_sum, numbers_hold, total, value_sum
from .store_changes import StoreChanges

__all__ = ["DATABASE", "NUMBERS_OF_D", "PassageRow", "Store", "other_spellings", "passage_stands"]

_ALIVE = "+added <= :g AND (removed IS NULL OR removed > :g)"
FIELD_ROWS = 300_000
"""A filter's field of more rows than these is compared with its checksums by `bookwheel check` only: it takes too long."""
UNSOUND = 1000
"""The most fields that are named as damaged."""
NUMBERS_OF_D = "d.id, d.source, d.first, d.passages, d.added, ifnull(d.removed, -1), d.numbers"


def other_spellings(name: str) -> list[str]:
    """``name`` composed and decomposed, where that is not how it is written: macOS writes names of files in decomposed form, and
    people type them composed."""
    return [one for one in (unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)) if one != name]


def _marks(values: Sequence[str], called: str = "n") -> str:
    return ", ".join(f":{called}{at}" for at in range(len(values)))


def _bound(values: Sequence[str], called: str = "n") -> dict[str, Any]:
    return {f"{called}{at}": value for at, value in enumerate(values)}


class Store(StoreChanges, PassageRows):
    """What a library keeps in its database."""

    def __init__(self, library: Path, *, write: bool = False) -> None:
        super().__init__(library, write=write)
        self._compared: set[str] = set()
        """Fields whose values were found sound."""

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
                        "others; run `bookwheel check --repair`, or index the files again into a new library"
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

    def find(self, generation: int, name: str) -> list[int]:
        """Numbers of the documents named ``name``, or from the source of that path, alive at ``generation``.

        Those of another spelling only where there are none of this one: what differs in spelling alone may be two documents.
        """
        return self.named(generation, [name]) or self.named(generation, other_spellings(name))

    def named(self, generation: int, names: Sequence[str]) -> list[int]:
        """Numbers of the documents with one of ``names``, or from a source of such a path, alive at ``generation``."""
        if not names:
            return []
        marks = _marks(names)
        rows = self.execute(
            f"SELECT id FROM documents WHERE name IN ({marks}) AND {_ALIVE} UNION "
            f"SELECT id FROM documents WHERE source IN (SELECT id FROM sources WHERE path IN ({marks})) AND {_ALIVE} ORDER BY id",
            {**_bound(names), "g": generation},
        )
        return [row[0] for row in rows]

    def named_in(self, generation: int, paths: Sequence[str], names: Sequence[str]) -> list[int]:
        """Numbers of the documents with one of ``names`` of a source of one of ``paths``, alive at ``generation``."""
        rows = self.execute(
            f"SELECT id FROM documents WHERE name IN ({_marks(names)}) "
            f"AND source IN (SELECT id FROM sources WHERE path IN ({_marks(paths, 'p')})) AND {_ALIVE} ORDER BY id",
            {**_bound(names), **_bound(paths, "p"), "g": generation},
        )
        return [row[0] for row in rows]

    def inside(self, generation: int, folder: str) -> list[int]:
        """Numbers of the documents of the sources inside ``folder``, as it is spelled, alive at ``generation``."""
        inside = folder.rstrip("/")
        rows = self.execute(
            "SELECT id FROM documents WHERE source IN (SELECT id FROM sources WHERE path >= :low AND path < :high) "
            f"AND {_ALIVE} ORDER BY id",
            {"low": inside + "/", "high": inside + "0", "g": generation},  # '0' follows '/'
        )
        return [row[0] for row in rows]

    def paths_with(self, generation: int, names: Sequence[str]) -> list[tuple[str, str]]:
        """Path and name of the documents that have one of ``names``, alive at ``generation``, each pair once."""
        rows = self.execute(
            "SELECT DISTINCT s.path, d.name FROM documents d JOIN sources s ON s.id = d.source "
            f"WHERE d.name IN ({_marks(names)}) AND {_ALIVE} ORDER BY s.path, d.name",
            {**_bound(names), "g": generation},
        )
        return [(row[0], row[1]) for row in rows]

    def shared_ids(self, since: int) -> list[tuple[str, str, int, str]]:
        """Paths of two sources, number of the ids that both have, and one of them: of documents added after ``since``.

        For a writer that has committed.
        """
        return self.execute(
            "SELECT s.path, t.path, count(*), min(name) FROM (SELECT DISTINCT d.source AS one, e.source AS other, d.name AS name "
            "FROM documents d CROSS JOIN documents e ON e.name = d.name AND e.source <> d.source "
            "WHERE d.added > :since AND d.removed IS NULL AND e.removed IS NULL AND (e.added <= :since OR e.id < d.id)) "
            "JOIN sources s ON s.id = one JOIN sources t ON t.id = other GROUP BY one, other ORDER BY count(*) DESC, one, other",
            {"since": since},
        )

    def document(self, number: int) -> StoredDocument:
        """One document whole. Raises `LibraryDamaged` where it is damaged."""
        rows = self._rows(
            f"SELECT {WHOLE}, s.id, s.path, s.sum >> 32, t.places, CAST(t.text AS BLOB), t.sum, {NUMBERS_OF_D}, {OF_FILE} "
            "FROM documents d JOIN sources s ON s.id = d.source JOIN texts t ON t.document = d.id WHERE d.id IN",
            (number,),
        )
        for _, name, title, metadata, language, digest, whole, source, path, noted, cell, text, written, *rest in rows:
            numbers, state = rest[:7], rest[7:]
            if (
                not isinstance(written, int)
                or not isinstance(text, bytes)
                or (layout := self.loaded(number, cell, written >> 32)) is None
                or not holds(*numbers)
                or document_sum(number, name, title, metadata, language, digest) != whole
                or name_sum(source, path) != noted
                or crc32(text) != written & CRC
            ):
                break
            first, count = numbers[2:4]
            decoded = text.decode()
            # Its passages are numbered in a row; passages have no index by document.
            places = self.execute(
                "SELECT id, document, start, end, sum FROM passages WHERE id >= ? AND id < ? ORDER BY id",
                (first, first + count),
            )
            if len(places) != count:
                break
            if not all(passage_stands(place, decoded) for place in places):
                break
            spans = tuple((place[2], place[3]) for place in places)
            shown, file = read_json(metadata)[0] if metadata else {}, self.file_of(path, state)
            return StoredDocument(name, path, title, decoded, shown, spans, first, number, layout, file)
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

    def alive(self, generation: int, numbers: Sequence[int]) -> list[int]:
        """Those of the documents ``numbers`` that are alive at ``generation``."""
        some = f"SELECT id FROM documents WHERE +added <= {int(generation)} AND (removed IS NULL OR removed > {int(generation)}) AND id IN"
        return [row[0] for row in self._rows(some, numbers)]

    def range_of(self, number: int) -> tuple[int, int]:
        """First passage and number of passages of the document ``number``. Raises `LibraryDamaged`."""
        for row in self.execute(f"SELECT {NUMBERS} FROM documents WHERE id = ?", (number,)):
            if holds(*row):
                return row[2], row[3]
        raise LibraryDamaged(self.damage(number, "the place among the passages"))

    def fields(self) -> list[str]:
        """The metadata keys in use."""
        return [row[0] for row in self.execute("SELECT key FROM fields WHERE rows > 0 ORDER BY key")]

    def file_fields(self) -> list[str]:
        """What files tell of their documents, where there are files."""
        there = self.execute(f"SELECT EXISTS (SELECT 1 FROM sources WHERE {FILES})")[0][0]
        return list(FILE_FIELDS) if there else []

    def unsound_fields(self) -> list[Any]:
        """Fields of the metadata whose values are not those that the writers noted, the first `UNSOUND`, at one moment."""
        with self._lock, self._errors():
            db = self._connection()
            db.execute("BEGIN")  # a writer changes both in one transaction
            try:
                return sorted(islice(self._unsound(db), UNSOUND), key=str)
            finally:
                db.execute("COMMIT")

    @staticmethod
    def _unsound(db: sqlite3.Connection) -> Iterator[Any]:
        """One field after another, so that none but the unsound ones are held: there may be a million."""
        values = db.execute("SELECT key, value, count(*), sum(document) FROM metadata GROUP BY key, value")
        for key, rows in groupby(values, itemgetter(0)):
            count, sums = 0, 0
            for _, value, some, documents in rows:
                count, sums = count + some, sums + value_sum(value, some, documents)
            noted = db.execute("SELECT rows, total FROM fields WHERE key IS ?", (key,)).fetchone()
            if noted != (count, sums % PRIME):
                yield key
        left = "SELECT key FROM fields WHERE (rows, total) != (0, 0) AND NOT EXISTS (SELECT 1 FROM metadata m WHERE m.key IS fields.key)"
        for (key,) in db.execute(left):
            yield key

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
                "`bookwheel check --repair`, or index the files again into a new library"
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
