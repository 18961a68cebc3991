"""What an error of SQLite means: damage only where the file is damaged."""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from pathlib import Path

from .._errors import BookwheelError, InputError, LibraryDamaged, LibraryError, LibraryLocked, LibraryNotFound, StorageError

__all__ = ["meaning"]

_PERMISSION, _BUSY, _LOCKED, _MEMORY, _READONLY, _IO, _FULL, _CANNOT_OPEN, _TOO_BIG, _AUTH = 3, 5, 6, 7, 8, 10, 13, 14, 18, 23
"""Primary result codes: https://sqlite.org/rescode.html."""
_READING = {"SQLITE_IOERR_READ", "SQLITE_IOERR_SHORT_READ", "SQLITE_IOERR_CORRUPTFS", "SQLITE_IOERR_DATA", "SQLITE_IOERR_FSTAT"}
_PROBE = 1 << 17
"""Bytes that are written to see whether there is room."""


def meaning(error: sqlite3.Error, path: Path) -> BookwheelError:
    """The error to raise for ``error``, which the database ``path`` gave."""
    if "closed database" in str(error):
        return LibraryError(f"the library {path.parent} was closed while it was being read; open it again")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (_CANNOT_OPEN, _IO) and (handles := _no_handle_left()):
        return StorageError(f"{path} cannot be opened: {handles}")
    if code == _IO and (told := _told_of_the_disk(error, path)) is not None:
        return told
    if code in (_FULL, _IO):
        return StorageError(
            f"the disk is full: writing {path} failed; free some space and run the same command again, committed work is kept"
        )
    if code in (_READONLY, _CANNOT_OPEN) and not path.parent.exists():
        return LibraryNotFound(f"the library {path.parent} is gone: it was deleted or moved, or its disk is not mounted")
    if code in (_READONLY, _CANNOT_OPEN, _PERMISSION, _AUTH):
        return StorageError(
            f"there is no permission to write {path}; change its permissions or choose another folder with --library"
        )
    if code in (_BUSY, _LOCKED):
        return LibraryLocked(f"another process holds {path}; try again when it has finished")
    if code == _MEMORY:
        return StorageError(f"the system is out of memory for {path}; close other programs, then try again")
    if code == _TOO_BIG:
        return InputError(f"a text or a metadata value is larger than {path} can hold (1 GB); split the document")
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError):  # of the call, not of the file
        return InputError(f"a value has a type that {path} cannot hold ({error}); give strings and numbers")
    return LibraryDamaged(f"{path} is damaged ({error}); index the files again into a new library")


def _told_of_the_disk(error: sqlite3.Error, path: Path) -> StorageError | None:
    """The error for an input or output that failed; None where that was for want of room, which SQLite does not always tell."""
    name = getattr(error, "sqlite_errorname", "SQLITE_IOERR")
    if name not in _READING:
        if _no_room(path):
            return None
        doing = "writing"
    else:
        doing = "reading"
    return StorageError(
        f"{doing} {path} failed ({name}: {error}): the disk, or the connection to it, does not work; see the system's log, copy the "
        "library to another disk, and run `bookwheel check` there"
    )


def _no_room(path: Path) -> bool:
    """Whether the disk is full, or the process may not write a file as large: tried with a small one."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
        sizes = [p.stat().st_size for ending in ("", "-wal", "-shm") if (p := path.with_name(path.name + ending)).is_file()]
        if limit != resource.RLIM_INFINITY and max(sizes, default=0) + _PROBE >= limit:
            return True
    except (ImportError, OSError):
        pass
    try:
        with tempfile.TemporaryFile(dir=path.parent) as file:
            file.write(bytes(_PROBE))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return False


def _no_handle_left() -> str:
    """Why the system opens no file for this process, if so: SQLite itself does not tell."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return f"{(error.strerror or str(error)).lower()}; close some libraries or files, or raise the limit (ulimit -n)"
    return ""
