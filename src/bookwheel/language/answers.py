"""What language models answered, kept in a SQLite file: the same prompt to the same model is asked
once.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from pathlib import Path

__all__ = ["Answers"]

LIMIT = 32 << 20
"""Bytes of answers kept."""
_TABLE = (
    "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, model TEXT NOT NULL, prompt TEXT NOT "
    "NULL, answer TEXT NOT NULL, "
    "bytes INTEGER NOT NULL, used REAL NOT NULL) WITHOUT ROWID"
)


class Answers:
    """At most ``limit`` bytes of answers in ``path`` (in memory for None); those unused for longest
    go first.

    It is a cache: a file that cannot be read, written or made loses nothing but time. What is kept
    is a digest of the prompt, the model's name, the prompt's name and the answer; the file can be
    read by its owner only.
    """

    def __init__(self, path: Path | None = None, limit: int = LIMIT) -> None:
        self.path = path
        self.limit = limit
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._broken = False

    def get(self, model: str, text: str) -> str | None:
        """The answer of ``model`` to exactly this ``text``."""
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
        """Keep the ``answer`` to ``text``, which the prompt called ``prompt`` gave."""
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
                        self._forget(database, total)
            except sqlite3.Error:
                return

    def clear(self) -> None:
        """Forget all answers."""
        with self._lock:
            try:
                if (database := self._open()) is not None:
                    database.execute("DELETE FROM answers")
            except sqlite3.Error:
                return

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._database is not None:
                self._database.close()
            self._database = None

    def _forget(self, database: sqlite3.Connection, total: int) -> None:
        """Down to nine tenths, so that not every answer pays for it."""
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
