"""Encoded passages that are not in the library yet, and the passages to encode next: ``cache.sqlite``.

A search does not write the library. But the candidates of first stages are the passages worth
encoding first, and what was encoded for one query is of use to the next. Both are kept here, within
bounds, until `Library.embed` commits them. It is a cache: where it cannot be written nothing fails,
where it is damaged or another library's a new one is begun, and a damaged row counts as not there.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from ..._errors import LibraryDamaged, LibraryError
from ..databases import check_schema, refuse_foreign_files, restrict
from ..manifest import Manifest
from ..row_sums import ANY_TEXT, row_sum

if TYPE_CHECKING:
    from ..settings import Representation

__all__ = ["CACHE", "VectorCache", "cache_key"]

CACHE = "cache.sqlite"
MOST_BYTES = 64 << 20
"""Encoded passages that searches leave here; `Library.embed` commits what it adds."""
MOST_REQUESTS = 200_000
PENDING = 512
"""Rows held back before they are written: a transaction costs about a millisecond."""
SOME = 500

SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (key TEXT, passage INTEGER, data BLOB NOT NULL, sum INTEGER, PRIMARY KEY (key, passage)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (passage INTEGER PRIMARY KEY, times REAL NOT NULL);
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT, sum INTEGER);
"""


LIBRARY = "library"
"""The note of whose cache it is."""


def _sum(key: str, passage: int, data: bytes) -> int:
    return crc32(data, crc32(f"{key} {passage}".encode()))


def cache_key(representation: Representation) -> str:
    """The key of its encoded passages, which differs for every model."""
    return f"{representation.key}:{representation.info.sha256[:16]}"


class VectorCache:
    """The cache of one library. Safe from several threads and several processes."""

    def __init__(self, library: Path) -> None:
        self.path = library / CACHE
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._inherited: sqlite3.Connection | None = None
        self._opened = False
        self._vectors: dict[tuple[str, int], bytes] = {}
        self._requests: dict[int, float] = {}

    def __del__(self) -> None:
        db = getattr(self, "_db", None)
        if db is not None:  # else its files stay open until the garbage collector comes by, as of `Database`
            with suppress(sqlite3.Error):
                db.close()

    def after_fork(self) -> None:
        """In a forked child: leave the parent's connection alone."""
        self._lock = threading.RLock()
        self._inherited, self._db, self._opened = self._db, None, False

    def _connection(self) -> sqlite3.Connection | None:
        if not self._opened:
            self._opened = True
            try:
                refuse_foreign_files(self.path)
            except LibraryDamaged:
                self.discard(self.path.parent)
            if self.path.is_dir():
                shutil.rmtree(self.path, ignore_errors=True)
            for attempt in range(2):
                try:
                    self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=5.0)
                    restrict(self._db)
                    check_schema(self._db, SCHEMA, self.path)
                    self._db.execute("PRAGMA journal_mode=WAL")
                    # What is lost in a power cut is encoded again.
                    self._db.execute("PRAGMA synchronous=OFF")
                    self._db.executescript(SCHEMA)
                    self._require_own(self._db)
                    break
                except LibraryError:  # other tables than ours, a view or a trigger, or it is another library's
                    self._drop()
                    self.discard(self.path.parent)
                except sqlite3.OperationalError:  # no right to write here, or a disk that is full
                    self._drop()
                    break
                except sqlite3.DatabaseError:
                    self._drop()
                    if attempt == 0:
                        self.discard(self.path.parent)
        return self._db

    def _require_own(self, db: sqlite3.Connection) -> None:
        """Note whose cache this is; raises `LibraryDamaged` where it is another library's."""
        rows = db.execute("SELECT value, sum FROM notes WHERE name = ?", (LIBRARY,)).fetchall()
        mine = Manifest.read(self.path.parent).id
        if not rows and not db.execute("SELECT EXISTS (SELECT 1 FROM vectors)").fetchone()[0]:
            db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", (LIBRARY, mine, row_sum(LIBRARY, mine)))
        elif rows != [(mine, row_sum(LIBRARY, mine))]:
            raise LibraryDamaged(f"{self.path} is of another library")

    def problems(self) -> list[str]:
        """One sentence where the file is damaged or another library's; nothing is changed."""
        remedy = "delete the file: what it held is encoded again"
        if not self.path.is_file():
            return []
        try:
            refuse_foreign_files(self.path)
            db = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)
            try:
                restrict(db)
                db.text_factory = ANY_TEXT
                check_schema(db, SCHEMA, self.path)
                wrong = [row[0] for row in db.execute("PRAGMA integrity_check(1)") if row[0] != "ok"]
                notes = db.execute("SELECT name, value, sum FROM notes").fetchall()
                bad = sum(row_sum(name, value) != noted for name, value, noted in notes)
                for key, passage, data, noted in db.execute("SELECT key, passage, data, sum FROM vectors"):
                    bad += not isinstance(data, bytes) or _sum(key, passage, data) != noted
                mine = Manifest.read(self.path.parent).id
                if any(name == LIBRARY and value != mine for name, value, _ in notes):
                    return [f"{self.path} is of another library; {remedy}"]
            finally:
                db.close()
        except sqlite3.OperationalError:  # no right to read it, or another process is at it: then nobody reads it
            return []
        except sqlite3.Error as error:
            wrong, bad = [str(error)], 0
        except LibraryDamaged as error:
            return [f"{error}; {remedy}" if remedy not in str(error) else str(error)]
        if wrong or bad:
            return [f"{self.path} is damaged ({wrong[0] if wrong else f'{bad} rows do not match their checksum'}); {remedy}"]
        return []

    def _drop(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
        self._db = None

    @staticmethod
    def discard(library: Path) -> None:
        """Delete the cache of ``library``."""
        for ending in ("", "-wal", "-shm", "-journal"):
            with suppress(OSError):
                (library / (CACHE + ending)).unlink()

    def _read(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        with self._lock:
            if (db := self._connection()) is None:
                return []
            try:
                return db.execute(sql, parameters).fetchall()
            except sqlite3.Error:
                self._drop()
                return []

    # -- encoded passages ----------------------------------------------------------------------------------------------

    def get(self, key: str, passages: Sequence[int]) -> dict[int, bytes]:
        """Those of ``passages`` that are under ``key``: number to packed encoding."""
        found = {p: self._vectors[key, p] for p in passages if (key, p) in self._vectors}
        for at in range(0, len(passages), SOME):
            some = passages[at : at + SOME]
            sql = f"SELECT passage, data, sum FROM vectors WHERE key = ? AND passage IN ({','.join('?' * len(some))})"
            for p, d, noted in self._read(sql, [key, *some]):
                if isinstance(p, int) and isinstance(d, bytes) and _sum(key, p, d) == noted:
                    found[p] = d
        return found

    def cached(self, key: str) -> list[int]:
        """The passages under ``key``."""
        self.flush()
        rows = self._read("SELECT passage FROM vectors WHERE key = ?", [key])
        return [p for (p,) in rows if isinstance(p, int)]

    def put(self, key: str, vectors: Mapping[int, bytes]) -> None:
        """Add encoded passages."""
        with self._lock:
            self._vectors.update({(key, passage): data for passage, data in vectors.items()})
            if len(self._vectors) >= PENDING:
                self.flush()

    def drop(self, key: str, passages: Iterable[int]) -> None:
        """Delete ``passages``, which are in the library by now."""
        rows = [(key, p) for p in passages]
        with self._lock:
            for row in rows:
                self._vectors.pop(row, None)
            self._write(("DELETE FROM vectors WHERE key = ? AND passage = ?", rows))

    def keep_only(self, keys: Iterable[str]) -> None:
        """Delete everything under other keys."""
        alive = list(keys)
        with self._lock:
            self._write((f"DELETE FROM vectors WHERE key NOT IN ({','.join('?' * len(alive))})", [alive]))

    # -- requests ------------------------------------------------------------------------------------------------------

    def request(self, passages: Iterable[int], weight: float = 1.0) -> None:
        """Note that these were candidates of a query, and not embedded."""
        with self._lock:
            for passage in passages:
                self._requests[passage] = self._requests.get(passage, 0.0) + weight
            if len(self._requests) >= PENDING:
                self.flush()

    def requested(self) -> list[int]:
        """The passages requested, most often first."""
        self.flush()
        rows = self._read("SELECT passage FROM requests ORDER BY times DESC, passage LIMIT ?", [MOST_REQUESTS])
        return [int(p) for (p,) in rows]  # type: ignore[call-overload]

    def drop_requests(self, passages: Iterable[int]) -> None:
        """Delete the requests for ``passages``."""
        with self._lock:
            self._write(("DELETE FROM requests WHERE passage = ?", [(p,) for p in passages]))

    # -- notes ---------------------------------------------------------------------------------------------------------

    def note(self, name: str) -> str | None:
        """What was kept under ``name``; None for nothing."""
        rows = self._read("SELECT value, sum FROM notes WHERE name = ?", [name])
        return str(rows[0][0]) if rows and row_sum(name, rows[0][0]) == rows[0][1] else None

    def set_note(self, name: str, value: str) -> None:
        """Keep something that was fitted on the library."""
        with self._lock:
            self._write(("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", [(name, value, row_sum(name, value))]))

    # -- writing -------------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write what is pending."""
        with self._lock:
            if not self._vectors and not self._requests:
                return
            vectors = [(key, passage, data, _sum(key, passage, data)) for (key, passage), data in self._vectors.items()]
            requests = list(self._requests.items())
            self._vectors, self._requests = {}, {}
            self._write(
                ("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", vectors),
                (
                    "INSERT INTO requests VALUES (?, ?) ON CONFLICT (passage) DO UPDATE SET times = times + excluded.times",
                    requests,
                ),
            )

    def trim(self) -> None:
        """Keep within bounds: drop the passages least often requested, and encodings beyond `MOST_BYTES`."""
        with self._lock:
            self.flush()
            self._write(
                (
                    "DELETE FROM requests WHERE passage NOT IN (SELECT passage FROM requests ORDER BY times DESC, passage LIMIT ?)",
                    [(MOST_REQUESTS,)],
                )
            )
            sizes = self._read("SELECT coalesce(sum(length(data)), 0), count(*) FROM vectors")
            size, count = sizes[0] if sizes else (0, 0)
            if int(size) > MOST_BYTES:  # type: ignore[call-overload]
                surplus = int(int(count) * (1 - MOST_BYTES / int(size))) + 1  # type: ignore[call-overload]
                self._write(
                    (
                        "DELETE FROM vectors WHERE (key, passage) IN (SELECT key, passage FROM vectors ORDER BY passage LIMIT ?)",
                        [(surplus,)],
                    )
                )

    def _write(self, *statements: tuple[str, Sequence[Sequence[object]]]) -> None:
        if not any(rows for _, rows in statements) or (db := self._connection()) is None:
            return
        try:
            db.execute("BEGIN IMMEDIATE")
            for sql, rows in statements:
                db.executemany(sql, rows)
            db.execute("COMMIT")
        except sqlite3.OperationalError:  # another process is at it for long, or the disk is full: it is a cache
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
        except sqlite3.Error:
            self._drop()

    def close(self) -> None:
        """Write what is pending and close the file."""
        with self._lock:
            if self._vectors or self._requests:
                self.trim()
            self._drop()
            self._opened = False
