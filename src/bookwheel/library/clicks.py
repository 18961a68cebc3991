"""What people opened after a search, a line each in a file beside the library's manifest: kept only where somebody asked for that.

The lines are those that `tune.made.logged` reads: ``{"query": …, "clicked": ID, "rank": 3, "time": …}``. Nothing else of whoever
searched is kept.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from .._errors import UsageError
from ..index.storage import storage

__all__ = ["FILE", "LARGEST", "Clicks"]

FILE = "clicks.jsonl"
LARGEST = 64 << 20
"""Bytes: some 500,000 clicks. What comes after is not kept."""
LONGEST = 1000
"""Characters of a query; what is longer is no query that comes again."""


class Clicks:
    """The clicks that a library keeps."""

    def __init__(self, library: Path) -> None:
        self.path = library / FILE

    def note(self, query: str, document: str, rank: int) -> bool:
        """Keep that ``document`` was opened, which a search for ``query`` had shown at ``rank``, from 1; False where there is no room.

        Threads and processes may note at once: a click is one write at the end of the file. Raises `UsageError` for a rank below 1,
        `StorageError`.
        """
        if rank < 1:
            raise UsageError(f"a result's rank is from 1, not {rank}")
        text = " ".join(query.split())
        if not text or len(text) > LONGEST:
            return False
        line = (
            json.dumps({"query": text, "clicked": document, "rank": rank, "time": int(time.time())}, ensure_ascii=False) + "\n"
        )
        data = line.encode("utf-8", "replace")
        with storage(self.path):
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                if os.fstat(file).st_size + len(data) > LARGEST:
                    return False
                os.write(file, data)
            finally:
                os.close(file)
        return True

    @property
    def count(self) -> int:
        """How many are kept. Raises `StorageError`."""
        if not self.path.exists():
            return 0
        with storage(self.path), self.path.open("rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))

    def forget(self) -> None:
        """Delete all of them from the disk. Raises `StorageError`."""
        with storage(self.path):
            self.path.unlink(missing_ok=True)
