"""One writer at a time: locks that the system releases when their process dies."""

from __future__ import annotations

import json
import os
import sys
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from .._errors import LibraryLocked
from ..index.plain_files import refuse_link, require_plain
from ..index.storage import storage

__all__ = ["LOCK", "WriterLock", "briefly_locked"]

LOCK = "writer.lock"
BETWEEN = 0.1
"""Seconds between two looks at a lock that is waited for."""
PATIENCE = 30.0
"""Seconds to wait for a lock that is only ever held for moments."""

_held: weakref.WeakSet[WriterLock] = weakref.WeakSet()


class WriterLock:
    """Holds the library's writer lock while in use as a context manager; raises `LibraryLocked` where another has it.

    It is waited for ``wait`` seconds. The lock belongs to the open file, not to the file's existence: after ``kill -9`` it is
    free at once. A forked child does not share it, or it would keep the lock of a parent that died.
    """

    def __init__(self, library: Path, wait: float = 0.0) -> None:
        self.path = library / LOCK
        self.wait = wait
        self._file: IO[Any] | None = None

    def __enter__(self) -> WriterLock:
        file = _opened(self.path)
        deadline = time.monotonic() + self.wait
        try:
            while True:
                try:
                    _lock(file)
                    break
                except OSError as error:
                    left = deadline - time.monotonic()
                    if left <= 0:
                        waited = f", also after {self.wait:g} seconds" if self.wait else ""
                        raise LibraryLocked(
                            f"{self.path.parent} is being written by {self._holder(file)}{waited}; try again when it has finished"
                        ) from error
                    time.sleep(min(left, BETWEEN))
        except BaseException:
            file.close()
            raise
        self._file = file
        _held.add(self)
        # Who holds the lock is for people only: on a full disk it stays unsaid, so that room can be made.
        with suppress(OSError):
            mine = {"pid": os.getpid(), "command": " ".join(sys.argv)[:200], "since": time.time()}
            file.truncate(0)
            file.write(json.dumps(mine).encode())
        return self

    def _holder(self, file: IO[Any]) -> str:
        try:
            file.seek(0)
            data = json.loads(file.read())
            since = time.strftime("%Y-%m-%d %H:%M", time.localtime(float(data["since"])))
            return f"process {int(data['pid'])} ({data['command']}) since {since}"
        except (ValueError, KeyError, TypeError, OSError, OverflowError):
            return "another process"

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
            _held.discard(self)

    def _abandon(self) -> None:
        """In a forked child: close the copy of the file, which leaves the parent's lock as it is."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _after_fork() -> None:
    for lock in list(_held):
        lock._abandon()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def briefly_locked(path: Path) -> Iterator[None]:
    """Hold the lock file ``path`` for a moment, waiting for others that do; raises `LibraryLocked` after half a minute."""
    with _opened(path) as file:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                _lock(file)
                break
            except OSError as error:
                if time.monotonic() > deadline:
                    raise LibraryLocked(
                        f"{path} has been locked by another process for {PATIENCE:.0f} seconds; end that process, then try again"
                    ) from error
                time.sleep(0.01)
        yield


def _opened(path: Path) -> IO[Any]:
    refuse_link(path)
    with storage(path):
        flags = (
            os.O_RDWR | os.O_CREAT | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        )
        descriptor = os.open(path, flags, 0o666)
        try:
            require_plain(descriptor, path)
            return os.fdopen(descriptor, "r+b", buffering=0)
        except BaseException:
            os.close(descriptor)
            raise


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[Any]) -> None:
        file.seek(1 << 30)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: IO[Any]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
