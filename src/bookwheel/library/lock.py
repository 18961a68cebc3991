"""One writer at a time: a lock that the system releases when its process dies."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import IO, Any

from .._errors import LibraryLocked
from ..index.storage import storage

__all__ = ["WriterLock"]


class WriterLock:
    """Holds the library's writer lock while in use as a context manager; raises `LibraryLocked` where another has it.

    The lock belongs to the open file, not to the file's existence: after ``kill -9`` it is free at once.
    """

    def __init__(self, library: Path) -> None:
        self.path = library / "writer.lock"
        self._file: IO[Any] | None = None

    def __enter__(self) -> WriterLock:
        with storage(self.path):
            file = self.path.open("a+b")
        try:
            _lock(file)
        except OSError as error:
            holder = self._holder(file)
            file.close()
            raise LibraryLocked(f"{self.path.parent} is being written by {holder}; try again when it has finished") from error
        file.seek(0)
        file.truncate()
        file.write(json.dumps({"pid": os.getpid(), "command": " ".join(sys.argv)[:200]}).encode())
        file.flush()
        self._file = file
        return self

    def _holder(self, file: IO[Any]) -> str:
        try:
            file.seek(0)
            data = json.loads(file.read())
            return f"process {data['pid']} ({data['command']})"
        except (ValueError, KeyError, OSError):
            return "another process"

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[Any]) -> None:
        file.seek(1 << 30)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: IO[Any]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
