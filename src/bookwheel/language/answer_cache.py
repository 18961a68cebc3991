"""A cache of language models' answers in a SQLite file, so that a prompt is asked only once."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["AnswerCache"]

LIMIT = 32 << 20
"""Bytes of answers that are cached."""
_TABLE = (
    "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, model TEXT NOT NULL, prompt TEXT NOT "
    "NULL, answer TEXT NOT NULL, "
    "bytes INTEGER NOT NULL, used REAL NOT NULL) WITHOUT ROWID"
)


class AnswerCache:
    """At most ``limit`` bytes of answers in the file ``path``, or in memory for None.

    Answers that were not used for longest are dropped first. A file that cannot be read, written or
    created costs nothing but time. It has a digest of each prompt, the model's and the prompt's
    name and the answer, and can be read by its owner only. Safe to use from several threads.
    """

    def __init__(self, path: Path | None = None, limit: int = LIMIT) -> None:
        self.path = path
        self.limit = limit
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._broken = False

    def get(self, model: str, text: str) -> str | None:
        """The cached answer of ``model`` to exactly this ``text``."""
        key = _key(model, text)
        with self._lock:
            try:
                database = self._open()
                if database is None:
                    return None
                row = database.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
                if row is not None:
                    database.execute("UPDATE answers SET used = ? WHERE key = ?", (time.time(), key))
                return None if row is None else str(row[0])
            except sqlite3.Error:
                return None

    def put(self, model: str, prompt: str, text: str, answer: str) -> None:
        """Cache the ``answer`` to ``text``, which was made from the prompt called ``prompt``."""
        size = len(answer.encode()) + len(model) + len(prompt) + 100
        if size > self.limit:
            return
        with self._lock:
            try:
                database = self._open()
                if database is None:
                    return
                with database:
                    row = (_key(model, text), model, prompt, answer, size, time.time())
                    database.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)", row)
                    (total,) = database.execute("SELECT sum(bytes) FROM answers").fetchone()
                    if total > self.limit:
                        self._drop_oldest(database, total)
            except sqlite3.Error:
                return

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._database is not None:
                self._database.close()
            self._database = None

    def __del__(self) -> None:
        database = getattr(self, "_database", None)
        if database is not None:  # else its files stay open until the garbage collector comes by
            with suppress(sqlite3.Error):
                database.close()

    def _drop_oldest(self, database: sqlite3.Connection, total: int) -> None:
        """Drop answers down to nine tenths of the limit, so that not every new answer has to."""
        for key, size in database.execute("SELECT key, bytes FROM answers ORDER BY used").fetchall():
            if total <= 0.9 * self.limit:
                return
            database.execute("DELETE FROM answers WHERE key = ?", (key,))
            total -= size

    def _open(self) -> sqlite3.Connection | None:
        if self._database is None and not self._broken:
            try:
                if self.path is not None:
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                    self.path.touch(mode=0o600, exist_ok=True)
                database = sqlite3.connect(
                    ":memory:" if self.path is None else str(self.path),
                    timeout=2,
                    isolation_level=None,
                    check_same_thread=False,
                )
                database.execute(_TABLE)
                self._database = database
            except (OSError, sqlite3.Error):
                self._broken = True
        return self._database


def _key(model: str, text: str) -> str:
    return hashlib.sha256(f"{model}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()
