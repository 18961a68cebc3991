"""The connection to a library's SQLite database: opened with care, bound to a generation, shared by threads."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import Any, NoReturn

from .._errors import LibraryChanged, LibraryDamaged, LibraryError
from ..index.storage import fsync_folder, readable, storage
from .database_errors import meaning
from .databases import check_schema, refuse_foreign_files, restrict
from .filters.conditions import register
from .row_sums import ANY_TEXT, register_sums, row_sum
from .schema import SCHEMA

__all__ = ["DATABASE", "Database"]

DATABASE = "documents.sqlite"

_open: weakref.WeakSet[Database] = weakref.WeakSet()
_inherited: list[sqlite3.Connection] = []
"""Connections of a parent process, which a forked child must neither use nor close."""


class Database:
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
        self._seen: int | None = None
        """SQLite's count of others' changes when the generation was last found to be there."""
        self._forked = False
        self._met = threading.local()
        self._text: Any = ANY_TEXT if write else str
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
            register_sums(db)
            db.text_factory = self._text
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
        self.check_states()
        noted = self.generation()
        if noted < generation:
            raise LibraryChanged(f"{self.path} is of generation {noted} where the manifest says {generation}")
        self._bound = identity, generation

    def _check(self, db: sqlite3.Connection, identity: str, generation: int) -> None:
        state = dict(db.execute("SELECT key, value FROM state WHERE key IN ('id', 'purged')"))
        purged = state.get("purged") or 0
        if state.get("id") == identity and type(purged) is int and purged <= generation:
            return
        self.check_states(db)
        if state.get("id") is None:
            raise LibraryDamaged(f"{self.path} has lost the library's identity; index the files again into a new library")
        if state["id"] != identity:
            raise LibraryChanged(
                f"the library {self.path.parent} was made anew since it was opened; refresh it, or open it again"
            )
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
            self._seen = None
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
                    version = db.execute("PRAGMA data_version").fetchone()[0]
                    if version != self._seen:  # another connection has written
                        self._check(db, *self._bound)
                        self._seen = version
                return rows
            except sqlite3.Error as error:
                if self._text is str and "decode to UTF-8" in str(error):
                    self.tolerate()
                    return self.execute(sql, parameters, until=until)
                self._fail(error)

    def tolerate(self) -> None:
        """Read damaged text from now on, to compare it with its checksum; that takes longer than Python's own reading."""
        with self._lock:
            self._text = self._db.text_factory = ANY_TEXT

    def stream(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> Generator[Any, None, None]:
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

    def pieces(self, table: str, column: str, row: int, size: int = 1 << 22) -> Iterator[bytes]:
        """The bytes of one value, at most ``size`` at a time, however large it is; nothing where the row is not there."""
        at = 0
        while True:
            with self._lock, self._errors():
                try:
                    blob = self._connection().blobopen(table, column, row, readonly=True)
                except sqlite3.OperationalError as error:
                    if "no such rowid" in str(error):
                        return
                    raise
                with blob:
                    length = len(blob)
                    blob.seek(at)
                    piece = blob.read(min(size, length - at))
            at += len(piece)
            if piece:
                yield piece
            if at >= length or not piece:
                return

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

    def undo(self) -> None:
        """Take back the transaction that is under way, where one is."""
        with self._lock, self._errors():
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

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
                self.set_state("generation", generation)
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

    def __del__(self) -> None:
        # A connection and its cache of statements refer to each other: left alone, its files stay open until the garbage
        # collector comes by, which with few objects is never.
        db = getattr(self, "_db", None)
        if db is not None and not self._forked:
            with suppress(sqlite3.Error):
                db.close()

    def state(self, key: str) -> Any:
        """A value of the table of states; None where it has none."""
        rows = self.execute("SELECT value FROM state WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    def set_state(self, key: str, value: Any) -> None:
        """Set a value of the table of states."""
        self.execute("INSERT OR REPLACE INTO state VALUES (?, ?, ?)", (key, value, row_sum(key, value)))

    def check_states(self, db: sqlite3.Connection | None = None) -> None:
        """Raise `LibraryDamaged` where a state does not match its checksum."""
        sql = "SELECT key, value, sum FROM state"
        for key, value, written in self.execute(sql) if db is None else db.execute(sql).fetchall():
            if row_sum(key, value) != written:
                raise LibraryDamaged(
                    f"{self.path} is damaged: the state {key!r:.40} does not match its checksum; index the files again into a new "
                    "library"
                )

    # -- damaged rows --------------------------------------------------------------------------------------------------

    @contextmanager
    def noting(self) -> Iterator[list[str]]:
        """Note damaged rows that this thread meets inside the block, one sentence each, and go on without them.

        Elsewhere they raise `LibraryDamaged`.
        """
        outer = getattr(self._met, "found", None)
        found: list[str] = []
        self._met.found = found
        try:
            yield found
        finally:
            self._met.found = outer

    def met(self, sentence: str) -> None:
        """Note a damaged row; raises `LibraryDamaged` outside `noting`."""
        found = getattr(self._met, "found", None)
        if found is None:
            raise LibraryDamaged(sentence)
        if sentence not in found:
            found.append(sentence)

    def identify(self, identity: str) -> str:
        """Note the library's identity where there is none yet; returns the one noted."""
        self.execute("INSERT OR IGNORE INTO state VALUES ('id', ?, ?)", (identity, row_sum("id", identity)))
        return str(self.state("id"))


def _after_fork() -> None:
    for store in list(_open):
        store._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
