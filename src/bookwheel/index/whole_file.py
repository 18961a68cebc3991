"""Writes files that a person named: whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .._errors import StorageError
from .storage import NEW, RIGHTS, SPACE, fsync_folder

__all__ = ["named_file", "whole_file"]


@contextmanager
def named_file(path: Path, kept: str = "") -> Iterator[None]:
    """Turn the system's errors about space, rights and folders, while ``path`` is written, into a `StorageError`.

    ``kept`` says what is kept where the disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno in SPACE:
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


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write in the place of ``path``, which is replaced at the end: what fails or is stopped leaves it as it was.

    Pipes and devices are written to as they are, and so is a file in a folder that takes no other. A link stays a link.
    Raises `StorageError` where there is no space, no permission or no folder; other errors are the system's.
    """
    target = Path(os.path.realpath(path))  # Path.resolve raises for links in a circle
    with named_file(path):
        new = None if _in_place(path) else _opened_beside(target)
        if new is None:
            with path.open("wb") as file:
                yield file
            return
    with named_file(path, "; what it held is kept" if target.exists() else ""):
        try:
            with new:
                if target.exists():
                    with suppress(OSError):
                        Path(new.name).chmod(stat.S_IMODE(target.stat().st_mode))
                yield new
                new.flush()
                os.fsync(new.fileno())
            _put(Path(new.name), target)
        except BaseException:
            with suppress(OSError):
                Path(new.name).unlink()
            raise
        fsync_folder(target.parent)


def _opened_beside(target: Path) -> BinaryIO | None:
    """A new file beside ``target``; None where the folder takes none, and ``target`` is there."""
    if target.exists() and not os.access(target, os.W_OK):  # replacing it would pass over its protection
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
    try:
        return target.with_name(f".bookwheel-{secrets.token_hex(8)}{NEW}").open("xb")
    except OSError as error:
        if error.errno in RIGHTS and target.exists():
            return None
        raise


def _put(new: Path, target: Path) -> None:
    """``new`` in the place of ``target``; its bytes alone where ``target`` is mounted, and nothing can take its place."""
    try:
        new.replace(target)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        with new.open("rb") as made, target.open("wb") as file:
            shutil.copyfileobj(made, file)
        new.unlink()


def _in_place(path: Path) -> bool:
    """Whether ``path`` is no file that another one could take the place of."""
    return path.absolute().parts[1:2] in (("dev",), ("proc",)) or (path.exists() and not path.is_file())
