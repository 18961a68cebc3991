"""Documents, passages and metadata in SQLite, each row stamped with the generations it lives in.

A row is seen at generation g where ``added <= g`` and it was not removed by then. SQLite may commit ahead of the manifest; rows
stamped with a later generation than the manifest's do not exist for readers, and the next writer takes them back (`rollback`).
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
import unicodedata
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from .._errors import LibraryChanged, LibraryDamaged, LibraryError
from ..documents.document import Scalar
from ..documents.passages import TITLE
from ..index.storage import fsync_folder, readable, storage
from .database_errors import meaning
from .databases import check_schema, refuse_foreign_files, restrict
from .filters.conditions import register
from .results import StoredDocument

__all__ = ["DATABASE", "PassageRow", "Store"]

DATABASE = "documents.sqlite"

SCHEMA = """
CREATE TABLE sources (
  id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, size INTEGER, mtime_ns INTEGER, digest TEXT, fields TEXT,
  damaged INTEGER NOT NULL DEFAULT 0,  -- records of it that could not be read
  complete INTEGER  -- the generation at which all of it was stored; NULL while it is not
);
CREATE TABLE documents (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, source INTEGER NOT NULL, title TEXT NOT NULL, metadata TEXT, hash BLOB NOT NULL,
  language TEXT,  -- in English; '' where the text does not tell, NULL where it was not asked
  first INTEGER NOT NULL, passages INTEGER NOT NULL, added INTEGER NOT NULL, removed INTEGER
);
CREATE INDEX documents_name ON documents(name);
CREATE INDEX documents_source ON documents(source);
CREATE INDEX documents_removed ON documents(removed) WHERE removed IS NOT NULL;
CREATE INDEX documents_added ON documents(added);
CREATE TABLE texts (document INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE passages (
  id INTEGER PRIMARY KEY, document INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
  part,  -- the number of a page, or the name of a slide, sheet, chapter or attachment
  line INTEGER
);
-- 'generation': the newest that this database holds whole; 'id': the library's; 'purged': rows removed by this generation are
-- deleted; 'unpurged' and 'unpurged since': rows removed by this generation are to be, since when readers are waited for
CREATE TABLE state (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE metadata (key TEXT, value, document INTEGER, PRIMARY KEY (key, value, document)) WITHOUT ROWID;
"""

_ENDLESS = 1 << 62
"""More characters than any text has."""
_ALIVE = "added <= :g AND (removed IS NULL OR removed > :g)"


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


_open: weakref.WeakSet[Store] = weakref.WeakSet()
_inherited: list[sqlite3.Connection] = []
"""Connections of a parent process, which a forked child must neither use nor close."""


class Store:
    """The library's SQLite database, safe from several threads.

    One connection, used under a lock, and in a reader's store another one for each run through many rows. So a reader's
    connection never has a transaction under way between two calls, and always sees the newest commit; which rows of it make up
    the reader's generation, their stamps say. `bind` names that generation: from then on, rows that a writer has deleted, or a
    library made anew at the same path, raise `LibraryChanged`.
    """

    def __init__(self, library: Path, *, write: bool = False) -> None:
        self.path = library / DATABASE
        self._lock = threading.RLock()
        self._write = write
        self._bound: tuple[str, int] | None = None
        self._forked = False
        with self._errors():
            if not self.path.is_file() and (not write or (library / "manifest.json").is_file()):
                with suppress(FileNotFoundError, NotADirectoryError), readable(self.path):
                    self.path.stat()
                raise LibraryDamaged(f"{self.path} is missing; index the files again into a new library")
            refuse_foreign_files(self.path, finished=(library / "manifest.json").is_file())
            self._db = self._connect(write)
            _open.add(self)
            if write and not self._db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                self._db.executescript("BEGIN;" + SCHEMA + "COMMIT;")

    def _connect(self, write: bool) -> sqlite3.Connection:
        def connect(options: str) -> sqlite3.Connection:
            uri = f"{self.path.absolute().as_uri()}?{options}"
            db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=30.0)
            restrict(db)
            return db

        if write:
            db = connect("mode=rwc")
            db.execute("PRAGMA auto_vacuum=INCREMENTAL")  # has an effect on a new file only
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            return self._checked(db)
        db = connect("mode=ro")
        try:
            db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        except sqlite3.OperationalError:
            db.close()
            # Without the right to write beside it, a WAL database opens only as unchanging, which is what it then is.
            log = self.path.with_name(DATABASE + "-wal")
            if os.name == "posix" and log.is_file() and log.stat().st_size:
                # Its log holds commits; alone and without locks, SQLite indexes a log in its own memory.
                db = connect("mode=ro&vfs=unix-none")
                db.execute("PRAGMA locking_mode=EXCLUSIVE")
            else:
                db = connect("mode=ro&immutable=1")
        return self._checked(db)

    def _checked(self, db: sqlite3.Connection) -> sqlite3.Connection:
        try:
            check_schema(db, SCHEMA, self.path)
        except BaseException:
            db.close()
            raise
        register(db)
        return db

    def bind(self, identity: str, generation: int) -> None:
        """Read ``generation`` of the library ``identity`` from now on.

        Raises `LibraryChanged` where the database is of another library, older than that, or holds its rows no more.
        """
        with self._errors():
            self._check(self._db, identity, generation)
        noted = self.generation()
        if noted < generation:
            raise LibraryChanged(f"{self.path} is of generation {noted} where the manifest says {generation}")
        self._bound = identity, generation

    def _check(self, db: sqlite3.Connection, identity: str, generation: int) -> None:
        state = dict(db.execute("SELECT key, value FROM state WHERE key IN ('id', 'purged')"))
        if (state.get("id") or identity) != identity:
            raise LibraryChanged(
                f"the library {self.path.parent} was made anew since it was opened; refresh it, or open it again"
            )
        if (state.get("purged") or 0) > generation:
            raise LibraryChanged(
                f"generation {generation} of the library {self.path.parent} is gone, since a compaction deleted documents that it "
                "shows; refresh the library, or open it again"
            )

    def _connection(self) -> sqlite3.Connection:
        """The connection; in a forked child one of its own."""
        if self._forked:
            if self._write:
                raise LibraryError(f"{self.path.parent} is being written by the parent process; open the library again here")
            self._forked = False
            self._db = self._connect(write=False)
        return self._db

    def _after_fork(self) -> None:
        _inherited.append(self._db)
        self._forked = True
        self._lock = threading.RLock()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            self._fail(error)

    def _fail(self, error: sqlite3.Error) -> NoReturn:
        raise meaning(error, self.path) from error

    def cache(self, size: int) -> None:
        """Let SQLite keep ``size`` bytes of pages (2 MB where it is not told)."""
        self.execute(f"PRAGMA cache_size=-{max(size, 1 << 20) >> 10}")

    def execute(
        self,
        sql: str,
        parameters: Sequence[Any] | dict[str, Any] = (),
        *,
        until: Callable[[tuple[Any, ...]], bool] | None = None,
    ) -> list[Any]:
        """All rows of one statement, or those before the first for which ``until`` is true."""
        with self._lock:
            try:
                db = self._connection()
                cursor = db.execute(sql, parameters)
                rows = cursor.fetchall() if until is None else list(takewhile(lambda row: not until(row), cursor))
                cursor.close()
                if self._bound is not None:  # afterwards, so that rows deleted meanwhile are never missed
                    self._check(db, *self._bound)
                return rows
            except sqlite3.Error as error:
                self._fail(error)

    def stream(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> Iterator[Any]:
        """The rows of one statement, a few at a time."""
        if self._write:
            with self._lock, self._errors():
                cursor = self._db.execute(sql, parameters)
            while True:
                with self._lock, self._errors():
                    rows = cursor.fetchmany(256)
                if not rows:
                    return
                yield from rows
        # A connection of its own: its transaction lasts as long as the cursor, and would hold back all that use it.
        with self._errors():
            db = self._connect(write=False)
        try:
            with self._errors():
                db.execute("BEGIN")
                cursor = db.execute(sql, parameters)
                rows = cursor.fetchmany(256)
                if self._bound is not None:
                    self._check(db, *self._bound)
            while rows:
                yield from rows
                with self._errors():
                    rows = cursor.fetchmany(256)
        finally:
            db.close()

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """One statement for many rows."""
        with self._lock, self._errors():
            self._db.executemany(sql, rows)

    def begin(self) -> None:
        """Start a transaction where none is under way."""
        with self._lock, self._errors():
            if not self._db.in_transaction:
                self._db.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """End the transaction; what it wrote may be lost in a power cut until `commit_durably`."""
        with self._lock, self._errors():
            if self._db.in_transaction:
                self._db.execute("COMMIT")

    def commit_durably(self, generation: int) -> None:
        """Return once all that was written is on the disk, noted as ``generation``.

        The log is synced by a transaction of its own (SQLite syncs it at a commit with ``synchronous=FULL`` only). A
        checkpoint would not do: while a reader holds a cursor it may have nothing to copy, and then syncs nothing.
        """
        self.commit()
        with self._lock, self._errors():
            self._db.execute("PRAGMA synchronous=FULL")
            try:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.execute("INSERT OR REPLACE INTO state VALUES ('generation', ?)", (generation,))
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                self._db.execute("PRAGMA synchronous=NORMAL")
            with storage(self.path):
                fsync_folder(self.path.parent)  # the log may be a new file
            # Keeps the log short; readers may hold it back, and the next commit tries again.
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def generation(self) -> int:
        """The newest generation that the database holds whole."""
        return int(self.state("generation") or 0)

    def close(self) -> None:
        """Close the database, undoing an unfinished transaction."""
        with self._lock:
            if not self._forked:
                self._db.close()

    def state(self, key: str) -> Any:
        """A value of the table of states; None where it has none."""
        rows = self.execute("SELECT value FROM state WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    def held_by_language(self, numbers: Sequence[int]) -> list[tuple[str, int, int]]:
        """Language, documents and passages of those of the documents ``numbers`` that are not removed, by language."""
        marks = ", ".join("?" * len(numbers))
        return self.execute(
            "SELECT language, count(*), sum(passages) FROM documents "
            f"WHERE id IN ({marks}) AND removed IS NULL AND language IS NOT NULL GROUP BY language",
            list(numbers),
        )

    def languages_of(self, passages: Sequence[int]) -> list[str | None]:
        """The language of the document of each of ``passages``; None where it is not stored any more or was not asked."""
        found: dict[int, str | None] = {}
        for first in range(0, len(passages), 500):
            some = list(passages[first : first + 500])
            found.update(
                self.execute(
                    "SELECT p.id, d.language FROM passages p JOIN documents d ON d.id = p.document "
                    f"WHERE p.id IN ({', '.join('?' * len(some))})",
                    some,
                )
            )
        return [found.get(number) for number in passages]

    def identify(self, identity: str) -> str:
        """Note the library's identity where there is none yet; returns the one noted."""
        self.execute("INSERT OR IGNORE INTO state VALUES ('id', ?)", (identity,))
        return str(self.state("id"))

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
            self._db.execute("UPDATE documents SET removed = NULL WHERE removed > ?", (generation,))
            self._db.execute("UPDATE sources SET complete = NULL WHERE complete > ?", (generation,))
            self._db.execute("COMMIT")

    def _forget(self, condition: str, value: int) -> None:
        chosen = f"(SELECT id FROM documents WHERE {condition})"
        self._db.execute(f"DELETE FROM texts WHERE document IN {chosen}", (value,))
        self._db.execute(f"DELETE FROM metadata WHERE document IN {chosen}", (value,))
        last = 0
        while ranges := self._db.execute(
            f"SELECT first, first + passages, id FROM documents WHERE {condition} AND passages > 0 AND id > ? ORDER BY id "
            "LIMIT 10000",
            (value, last),
        ).fetchall():
            self._db.executemany("DELETE FROM passages WHERE id >= ? AND id < ?", [row[:2] for row in ranges])
            last = ranges[-1][2]
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
            self._db.execute("INSERT OR REPLACE INTO state VALUES ('purged', ?)", (generation,))
            self._db.execute("DELETE FROM state WHERE key IN ('unpurged', 'unpurged since')")
        self.commit_durably(newest)

    def put_off_purge(self, generation: int) -> float:
        """Note that the documents removed by ``generation`` are to be deleted; returns since when that waits for readers."""
        self.begin()
        with self._lock, self._errors():
            self._db.execute("INSERT OR REPLACE INTO state VALUES ('unpurged', ?)", (generation,))
            self._db.execute("INSERT OR IGNORE INTO state VALUES ('unpurged since', ?)", (time.time(),))
        self.commit()
        return float(self.state("unpurged since"))

    # -- what a reader needs -------------------------------------------------------------------------------------------

    def count(self, generation: int) -> int:
        """Documents alive at ``generation``."""
        return int(self.execute(f"SELECT count(*) FROM documents WHERE {_ALIVE}", {"g": generation})[0][0])

    def removed_ranges(self, generation: int) -> NDArray[np.int64]:
        """First passage and number of passages of each document removed by ``generation``: int64 of shape (n, 2)."""
        found = [np.empty((0, 2), np.int64)]
        # By the one connection, which stays with its file also where the library was made anew; ended before anyone else has it.
        with self._lock, self._errors():
            db = self._connection()
            cursor = db.execute("SELECT first, passages FROM documents WHERE removed <= ? AND passages > 0", (generation,))
            while some := cursor.fetchmany(1 << 16):
                found.append(np.array(some, dtype=np.int64))
            if self._bound is not None:
                self._check(db, *self._bound)
        return np.concatenate(found)

    def _ranges(self, sql: str, parameters: Sequence[Any]) -> NDArray[np.int64]:
        # Not one list of all rows: that takes ten times as much as the array.
        found = [np.empty((0, 2), np.int64)]
        rows = self.stream(sql, parameters)
        while some := list(islice(rows, 1 << 16)):
            found.append(np.array(some, dtype=np.int64))
        return np.concatenate(found)

    def matching_ranges(self, generation: int, where: str, parameters: Sequence[Any]) -> NDArray[np.int64]:
        """The same of each document alive at ``generation`` for which the condition ``where`` over ``documents d`` holds."""
        return self._ranges(
            f"SELECT d.first, d.passages FROM documents d WHERE ({where}) AND d.passages > 0 "
            "AND d.added <= ? AND (d.removed IS NULL OR d.removed > ?)",
            [*parameters, generation, generation],
        )

    def passages(self, ids: Sequence[int], each: int | None = None, together: int = 0) -> dict[int, PassageRow]:
        """The passages of ``ids`` that are stored, by id.

        With ``each``, those of more than so many characters are ``late``, and from ``together`` characters on all others.
        """
        found: dict[int, PassageRow] = {}
        most = _ENDLESS if each is None else each
        room = _ENDLESS if each is None else together

        def full(row: tuple[Any, ...]) -> bool:
            nonlocal room
            room -= int(row[3] - row[2] + len(row[8]) + len(row[9] or ""))
            return room < 0

        columns = "p.id, p.document, p.start, p.end, p.part, p.line, d.name, s.path"
        tables = "passages p JOIN documents d ON d.id = p.document JOIN sources s ON s.id = d.source"
        for at in range(0, len(ids), 500):
            some = ids[at : at + 500]
            rows = self.execute(
                f"SELECT {columns}, d.title, d.metadata, substr(t.text, p.start + 1, p.end - p.start) "
                f"FROM {tables} JOIN texts t ON t.document = d.id WHERE p.id IN ({','.join('?' * len(some))}) "
                "AND p.end - p.start + length(d.title) + length(coalesce(d.metadata, '')) <= ?",
                [*some, most],
                until=full,
            )
            for row in rows:
                found[row[0]] = PassageRow._make((*row[:9], json.loads(row[9]) if row[9] else {}, row[10], False))
            if room < 0:
                break
        if each is not None and len(found) < len(ids):
            rest = [number for number in ids if number not in found]
            for at in range(0, len(rest), 500):
                some = rest[at : at + 500]
                for row in self.execute(f"SELECT {columns} FROM {tables} WHERE p.id IN ({','.join('?' * len(some))})", some):
                    found[row[0]] = PassageRow._make((*row, "", {}, "", True))
        return found

    def passage(self, number: int) -> PassageRow:
        """One passage whole, of whatever size; raises `LibraryChanged` where it is not stored any more."""
        found = self.passages([number])
        if number not in found:
            raise LibraryChanged(f"passage {number} of the library {self.path.parent} is gone; search again")
        return found[number]

    def texts(self, ids: Sequence[int], most: int | None = None) -> dict[int, tuple[str, str]]:
        """What is indexed of the title of its document, and the text, of each passage of ``ids`` that is stored.

        Of a longer text only the first ``most`` characters.
        """
        found: dict[int, tuple[str, str]] = {}
        limit = _ENDLESS if most is None else most
        for at in range(0, len(ids), 500):
            some = ids[at : at + 500]
            found.update(
                (row[0], (row[1], row[2]))
                for row in self.execute(
                    "SELECT p.id, substr(d.title, 1, iif(p.id = d.first, ?, ?)), "
                    "substr(t.text, p.start + 1, min(p.end - p.start, ?)) FROM passages p "
                    "JOIN documents d ON d.id = p.document JOIN texts t ON t.document = p.document "
                    f"WHERE p.id IN ({','.join('?' * len(some))})",
                    [limit, min(TITLE, limit), limit, *some],
                )
            )
        return found

    def lengths(self, ids: Sequence[int]) -> dict[int, int]:
        """Characters of each passage of ``ids`` that is stored, without its title."""
        found: dict[int, int] = {}
        for at in range(0, len(ids), 500):
            some = ids[at : at + 500]
            sql = f"SELECT id, end - start FROM passages WHERE id IN ({','.join('?' * len(some))})"
            found.update(self.execute(sql, some))
        return found

    def documents_of(self, ids: Sequence[int]) -> dict[int, tuple[int, str]]:
        """Number and name of the document of each passage of ``ids`` that is stored."""
        found: dict[int, tuple[int, str]] = {}
        for at in range(0, len(ids), 500):
            some = ids[at : at + 500]
            found.update(
                (row[0], (row[1], row[2]))
                for row in self.execute(
                    "SELECT p.id, d.id, d.name FROM passages p JOIN documents d ON d.id = p.document "
                    f"WHERE p.id IN ({','.join('?' * len(some))})",
                    some,
                )
            )
        return found

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
        """One document whole."""
        name, source, title, metadata, text, first, count = self.execute(
            "SELECT d.name, s.path, d.title, d.metadata, t.text, d.first, d.passages FROM documents d "
            "JOIN sources s ON s.id = d.source JOIN texts t ON t.document = d.id WHERE d.id = ?",
            (number,),
        )[0]
        # Its passages are numbered in a row; passages have no index by document.
        spans = tuple(
            self.execute("SELECT start, end FROM passages WHERE id >= ? AND id < ? ORDER BY id", (first, first + count))
        )
        return StoredDocument(name, source, title, text, json.loads(metadata) if metadata else {}, spans, first)

    def spans(self, generation: int) -> Iterator[tuple[str, int, int]]:
        """Id, number of the first passage and number of passages of all documents alive at ``generation``, rising."""
        sql = f"SELECT name, first, passages FROM documents WHERE {_ALIVE} ORDER BY id"
        yield from self.stream(sql, {"g": generation})

    def numbers(self, generation: int) -> Iterator[int]:
        """Numbers of all documents alive at ``generation``, rising."""
        for row in self.stream(f"SELECT id FROM documents WHERE {_ALIVE} ORDER BY id", {"g": generation}):
            yield row[0]

    def fields(self) -> list[str]:
        """The metadata keys in use."""
        # A loose index scan: the key's next value, not all rows.
        rows = self.execute(
            "WITH RECURSIVE k(key) AS (SELECT min(key) FROM metadata UNION ALL "
            "SELECT (SELECT min(key) FROM metadata WHERE key > k.key) FROM k WHERE k.key IS NOT NULL) "
            "SELECT key FROM k WHERE key IS NOT NULL"
        )
        return [row[0] for row in rows]

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


def _after_fork() -> None:
    for store in list(_open):
        store._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
