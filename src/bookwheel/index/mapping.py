"""Files mapped into memory without keeping a file descriptor.

Python's own ``mmap`` keeps a duplicate of the descriptor (before 3.13 always), so that a library of a few dozen segments would
exhaust the usual limit of 1,024 open files. A mapping needs none: it holds the file's contents even once its name is deleted.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .plain_files import open_plain

__all__ = ["MappedFile"]


@cache
def _system() -> Any:
    """The C library's ``mmap``, ``munmap`` and ``madvise``; None where they cannot be called like this."""
    if os.name != "posix" or ctypes.sizeof(ctypes.c_long) != 8:
        return None
    # The interpreter's lock is kept: memory goes back while objects are collected, at moments when no other thread may run.
    library = ctypes.PyDLL(None, use_errno=True)
    library.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    library.mmap.restype = ctypes.c_void_p
    library.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    library.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return library


_FAILED = ctypes.c_void_p(-1).value


class _Region:
    """Mapped memory, which numpy arrays keep alive; unmapped with the last of them."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._library = _system()
        self.address: int | None = None
        shared = 1 if sys.platform == "darwin" else mmap.MAP_SHARED
        found = self._library.mmap(None, size, mmap.PROT_READ, shared, descriptor, 0)
        if found == _FAILED or found is None:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        self.address, self.size = found, size
        self.__array_interface__ = {"data": (found, True), "shape": (size,), "typestr": "|u1", "version": 3}

    def advise(self, advice: int, start: int, length: int) -> None:
        """Advise the system; it may refuse."""
        self._library.madvise((self.address or 0) + start, length, advice)

    def __del__(self) -> None:
        if self.address is not None:
            self._library.munmap(self.address, self.size)
            self.address = None


class MappedFile:
    """A file mapped read-only. Reads no page of it.

    Raises `OSError`, and `LibraryDamaged` where it is no plain file.
    """

    def __init__(self, path: Path) -> None:
        with open_plain(path) as file:
            descriptor = file.fileno()
            status = os.fstat(descriptor)
            self.size = status.st_size
            self._file = (status.st_dev, status.st_ino)
            self._region: Any = None
            if not self.size:
                self.data: NDArray[np.uint8] = np.empty(0, np.uint8)
            elif _system() is not None:
                self._region = _Region(descriptor, self.size)
                self.data = np.asarray(self._region)
            else:
                self._region = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
                self.data = np.frombuffer(self._region, np.uint8)

    def is_file(self, descriptor: int) -> bool:
        """Whether the open file ``descriptor`` is the one that is mapped, not another of the same name."""
        status = os.fstat(descriptor)
        return (status.st_dev, status.st_ino) == self._file

    def advise(self, advice: str, start: int = 0, length: int | None = None) -> None:
        """Advise the system (``"RANDOM"``, ``"WILLNEED"``, ``"DONTNEED"``, ``"NORMAL"``) about bytes from a page's start on.

        Does nothing on systems without such advice.
        """
        number = getattr(mmap, f"MADV_{advice}", None)
        if number is None or self._region is None:
            return
        length = self.size - start if length is None else length
        if isinstance(self._region, _Region):
            self._region.advise(number, start, length)
        elif hasattr(self._region, "madvise"):
            self._region.madvise(number, start, length)
