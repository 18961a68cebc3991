"""What searching learns and a worker should know, kept beside the library: ``cache.sqlite``.

A search does not write the library. But the passages that first stages bring up are those worth encoding first, and what was
encoded for one query is of use to the next. Both are kept here, bounded, until the refiner folds them in. It is a cache: where it
cannot be written nothing fails, and where it is damaged it is begun anew.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

__all__ = ["CACHE", "SideCache"]

CACHE = "cache.sqlite"
KEPT_BYTES = 64 << 20
"""Encoded passages kept at most for the refiner; it is bounded by what it folds in at a time, searches by this."""
KEPT_WISHES = 200_000
PENDING = 512
"""Rows held back before they are written: a transaction costs about a millisecond."""
SOME = 500

SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (key TEXT, passage INTEGER, data BLOB NOT NULL, PRIMARY KEY (key, passage)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS wanted (passage INTEGER PRIMARY KEY, times REAL NOT NULL);
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT);
"""


class SideCache:
    """Safe from several threads and several processes."""

    def __init__(self, library: Path) -> None:
        self.path = library / CACHE
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._opened = False
        self._vectors: dict[tuple[str, int], bytes] = {}
        self._wishes: dict[int, float] = {}

    def _connection(self) -> sqlite3.Connection | None:
        if not self._opened:
            self._opened = True
            if self.path.is_dir():
                shutil.rmtree(self.path, ignore_errors=True)
            for attempt in range(2):
                try:
                    self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=5.0)
                    self._db.execute("PRAGMA journal_mode=WAL")
                    # What is lost in a power cut is encoded again.
                    self._db.execute("PRAGMA synchronous=OFF")
                    self._db.executescript(SCHEMA)
                    break
                except sqlite3.OperationalError:  # no right to write here, or a disk that is full
                    self._drop()
                    break
                except sqlite3.DatabaseError:
                    self._drop()
                    if attempt == 0:
                        self.discard(self.path.parent)
        return self._db

    def _drop(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
        self._db = None

    @staticmethod
    def discard(library: Path) -> None:
        """Delete the cache of ``library``."""
        for ending in ("", "-wal", "-shm"):
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
        """What is kept of ``passages`` under ``key``."""
        found = {p: self._vectors[key, p] for p in passages if (key, p) in self._vectors}
        for at in range(0, len(passages), SOME):
            some = passages[at : at + SOME]
            sql = f"SELECT passage, data FROM vectors WHERE key = ? AND passage IN ({','.join('?' * len(some))})"
            found.update((int(p), bytes(d)) for p, d in self._read(sql, [key, *some]))  # type: ignore[call-overload]
        return found

    def kept(self, key: str) -> list[int]:
        """Passages kept under ``key``."""
        self.flush()
        return [int(p) for (p,) in self._read("SELECT passage FROM vectors WHERE key = ?", [key])]  # type: ignore[call-overload]

    def put(self, key: str, vectors: Mapping[int, bytes]) -> None:
        """Keep encoded passages."""
        with self._lock:
            self._vectors.update({(key, passage): data for passage, data in vectors.items()})
            if len(self._vectors) >= PENDING:
                self.flush()

    def forget(self, key: str, passages: Iterable[int]) -> None:
        """Let go of ``passages``, which are in the library by now."""
        rows = [(key, p) for p in passages]
        with self._lock:
            for row in rows:
                self._vectors.pop(row, None)
            self._write(("DELETE FROM vectors WHERE key = ? AND passage = ?", rows))

    def keep_only(self, keys: Iterable[str]) -> None:
        """Let go of everything under other keys."""
        alive = list(keys)
        with self._lock:
            self._write((f"DELETE FROM vectors WHERE key NOT IN ({','.join('?' * len(alive))})", [alive]))

    # -- wishes --------------------------------------------------------------------------------------------------------

    def want(self, passages: Iterable[int], weight: float = 1.0) -> None:
        """Note that a query brought these up."""
        with self._lock:
            for passage in passages:
                self._wishes[passage] = self._wishes.get(passage, 0.0) + weight
            if len(self._wishes) >= PENDING:
                self.flush()

    def wanted(self) -> list[int]:
        """Passages that were brought up, most often first."""
        self.flush()
        rows = self._read("SELECT passage FROM wanted ORDER BY times DESC, passage LIMIT ?", [KEPT_WISHES])
        return [int(p) for (p,) in rows]  # type: ignore[call-overload]

    def granted(self, passages: Iterable[int]) -> None:
        """Forget the wishes for ``passages``."""
        with self._lock:
            self._write(("DELETE FROM wanted WHERE passage = ?", [(p,) for p in passages]))

    # -- notes ---------------------------------------------------------------------------------------------------------

    def note(self, name: str) -> str | None:
        """What was noted under ``name``."""
        rows = self._read("SELECT value FROM notes WHERE name = ?", [name])
        return str(rows[0][0]) if rows else None

    def keep_note(self, name: str, value: str) -> None:
        """Note something that was fitted on the library."""
        with self._lock:
            self._write(("INSERT OR REPLACE INTO notes VALUES (?, ?)", [(name, value)]))

    # -- writing -------------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write what is pending."""
        with self._lock:
            if not self._vectors and not self._wishes:
                return
            vectors = [(key, passage, data) for (key, passage), data in self._vectors.items()]
            wishes = list(self._wishes.items())
            self._vectors, self._wishes = {}, {}
            self._write(
                ("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", vectors),
                ("INSERT INTO wanted VALUES (?, ?) ON CONFLICT (passage) DO UPDATE SET times = times + excluded.times", wishes),
            )

    def trim(self) -> None:
        """Keep within bounds: drop the wishes least often made, and vectors beyond what is kept."""
        with self._lock:
            self.flush()
            self._write(
                (
                    "DELETE FROM wanted WHERE passage NOT IN (SELECT passage FROM wanted ORDER BY times DESC, passage LIMIT ?)",
                    [(KEPT_WISHES,)],
                )
            )
            sizes = self._read("SELECT coalesce(sum(length(data)), 0), count(*) FROM vectors")
            size, count = sizes[0] if sizes else (0, 0)
            if int(size) > KEPT_BYTES:  # type: ignore[call-overload]
                surplus = int(int(count) * (1 - KEPT_BYTES / int(size))) + 1  # type: ignore[call-overload]
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
            if self._vectors or self._wishes:
                self.trim()
            self._drop()
            self._opened = False
