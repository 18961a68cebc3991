"""Writes a file that a person named: whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .._errors import StorageError
from .storage import NEW, RIGHTS, SPACE, fsync_folder

__all__ = ["whole_file"]


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write in the place of ``path``, which is replaced at the end: what fails or is stopped leaves it as it was.

    Pipes and devices are written to as they are, and so is a file in a folder that takes no other. A link stays a link.
    Raises `StorageError` where there is no space, no permission or no folder; other errors are the system's.
    """
    try:
        if _in_place(path):
            with path.open("wb") as file:
                yield file
            return
        target = Path(os.path.realpath(path))  # Path.resolve raises for links in a circle
        if target.exists() and not os.access(target, os.W_OK):  # replacing it would pass over its protection
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        new = target.with_name(f".bookwheel-{secrets.token_hex(8)}{NEW}")
        try:
            file = new.open("xb")
        except PermissionError:
            if not target.exists():
                raise
            with target.open("wb") as file:
                yield file
            return
        try:
            with file:
                if target.exists():
                    with suppress(OSError):
                        new.chmod(stat.S_IMODE(target.stat().st_mode))
                yield file
                file.flush()
                os.fsync(file.fileno())
            new.replace(target)
        except BaseException:
            with suppress(OSError):
                new.unlink()
            raise
        fsync_folder(target.parent)
    except OSError as error:
        if error.errno in SPACE:
            kept = "; what it held is kept" if path.is_file() and not _in_place(path) else ""
            raise StorageError(
                f"the disk is full: writing {path} failed{kept}; free some space, or give another file"
            ) from error
        if error.errno in RIGHTS:
            raise StorageError(f"there is no permission to write {path}; change it, or give another file") from error
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            raise StorageError(
                f"there is no folder {path.parent} to write {path.name} to; make it, or give another file"
            ) from error
        raise


def _in_place(path: Path) -> bool:
    """Whether ``path`` is no file that another one could take the place of."""
    return path.absolute().parts[1:2] in (("dev",), ("proc",)) or (path.exists() and not path.is_file())
