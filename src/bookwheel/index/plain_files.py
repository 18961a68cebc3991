"""Opening the files of a library that may come from anybody: no links, no pipes, nothing larger than it can be."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

from .._errors import LibraryDamaged

__all__ = ["create_plain", "open_plain", "parse_json", "read_plain", "refuse_link", "require_plain"]

LARGEST = 64 << 20
"""Bytes of a file that is read whole: a manifest, saved recipes, the list of a folder's arrays."""
_FLAGS = os.O_RDONLY
for _flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):  # a pipe would be waited for
    _FLAGS |= getattr(os, _flag, 0)


def refuse_link(path: Path) -> None:
    """Raise `LibraryDamaged` where ``path`` is a symbolic link: a library has none, and what it leads to is not ours."""
    if path.is_symlink():
        raise LibraryDamaged(f"{path} is a symbolic link, which no library contains; remove the link, then try again")


def require_plain(descriptor: int, path: Path) -> None:
    """Raise `LibraryDamaged` where what was opened as ``path`` is a pipe, a device or a folder."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise LibraryDamaged(f"{path} is not a plain file, which all files of a library are; remove it, then try again")


def open_plain(path: Path) -> BinaryIO:
    """``path``, opened for reading without a buffer. Raises `LibraryDamaged` where it is no plain file, `OSError`."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        refuse_link(path)
        raise
    try:
        require_plain(descriptor, path)
        return os.fdopen(descriptor, "rb", buffering=0)
    except BaseException:
        os.close(descriptor)
        raise


def create_plain(path: Path) -> BinaryIO:
    """``path``, emptied or made, opened for writing. Raises `LibraryDamaged` for a link in its place, `OSError`."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | (_FLAGS & ~os.O_RDONLY & ~getattr(os, "O_NONBLOCK", 0))
    try:
        return os.fdopen(os.open(path, flags, 0o666), "wb", buffering=1 << 16)
    except OSError:
        refuse_link(path)
        raise


def read_plain(path: Path, largest: int = LARGEST) -> bytes:
    """The bytes of ``path``. Raises `LibraryDamaged` where it is no plain file or has more than ``largest``, `OSError`."""
    with open_plain(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > largest:
            raise LibraryDamaged(f"{path} has {size:,} bytes, more than the {largest:,} that it can have; it is not ours")
        parts = []
        while piece := file.read(size + 1):
            parts.append(piece)
        return b"".join(parts)


def parse_json(data: bytes) -> Any:
    """The JSON value in ``data``; raises `ValueError` for what is none, or nested deeper than anything we write."""
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None
