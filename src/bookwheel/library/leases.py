"""Leases: how a writer knows that readers of older generations are there.

A reader of generation g holds a shared lock on byte g of the file ``readers.lock`` for as long as it reads. Before a writer
deletes the rows of documents that older generations still show, it takes all bytes below its own generation for itself; where
a reader holds one, the rows are kept and a later writer deletes them. The system releases a dead reader's lock. Arrays need
no lease, since a reader has them mapped.

The locks are those of open files (Linux). Where the system or the disk has none, readers go without a lease, and a reader
whose rows were deleted says so (`LibraryChanged`). Lucene's deletion policies and SQLite's read marks are the models.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["READERS", "Lease", "no_older_readers", "prepare"]

READERS = "readers.lock"
_LINUX = sys.platform.startswith("linux")


class Lease:
    """Keeps the rows of ``generation`` in the database; ends with `release`, or when nobody refers to it any more."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, library: Path, generation: int) -> Lease | None:
        """A lease of ``generation``, without effect where there are no such locks; None while a writer deletes its rows."""
        if not _LINUX:
            return cls(None)
        try:
            descriptor = os.open(library / READERS, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:  # a library from before there were leases, or no right to read it
            return cls(None)
        try:
            _lock(descriptor, exclusive=False, start=generation, length=1)
        except (BlockingIOError, PermissionError):
            os.close(descriptor)
            return None
        except OSError:  # a file system without locks
            os.close(descriptor)
            return cls(None)
        return cls(descriptor)

    def release(self) -> None:
        """End it."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):
                os.close(descriptor)

    def __del__(self) -> None:
        self.release()


def prepare(library: Path) -> None:
    """Make the file of leases, by a writer; without the right to write there are none."""
    with suppress(OSError):
        os.close(os.open(library / READERS, os.O_RDONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666))


@contextmanager
def no_older_readers(library: Path, generation: int) -> Iterator[bool]:
    """Keep readers of generations before ``generation`` away inside the block; False, keeping none, where some are there."""
    if not _LINUX or generation < 1:
        yield True
        return
    try:
        descriptor = os.open(library / READERS, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        yield True
        return
    try:
        try:
            _lock(descriptor, exclusive=True, start=0, length=generation)
            alone = True
        except (BlockingIOError, PermissionError):
            alone = False
        except OSError:
            alone = True
        yield alone
    finally:
        os.close(descriptor)


def _lock(descriptor: int, *, exclusive: bool, start: int, length: int) -> None:
    if sys.platform.startswith("linux"):
        import fcntl

        kind = fcntl.F_WRLCK if exclusive else fcntl.F_RDLCK
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", kind, os.SEEK_SET, start, length, 0))
