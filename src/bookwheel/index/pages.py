"""Which pages of a memory-mapped file are in memory."""

from __future__ import annotations

import ctypes
import mmap
import sys
import threading
from functools import cache
from typing import Any

import numpy as np

__all__ = ["in_memory", "share_in_memory"]


@cache
def _mincore() -> Any:
    """The system's ``mincore``; None on systems without it."""
    if sys.platform == "win32":
        return None
    function = getattr(ctypes.CDLL(None), "mincore", None)
    if function is not None:
        function.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
        function.restype = ctypes.c_int
    return function


class _Answer(threading.local):
    """What the system writes its answer into, one for each thread: making one costs more than asking."""

    def __init__(self) -> None:
        self.byte = ctypes.create_string_buffer(1)


_answer = _Answer()
_PAGE = mmap.PAGESIZE


def in_memory(address: int) -> bool:
    """Whether the page at ``address`` is in memory; True where the system does not say."""
    mincore = _mincore()
    if mincore is None:
        return True
    found = _answer.byte
    return mincore(address - address % _PAGE, 1, found) != 0 or bool(found.raw[0] & 1)


def share_in_memory(address: int, length: int) -> float:
    """The share of the pages of ``length`` bytes at ``address`` that are in memory; 1 where the system does not say."""
    mincore = _mincore()
    first = address // mmap.PAGESIZE * mmap.PAGESIZE
    pages = -(-(address + length - first) // mmap.PAGESIZE)
    if mincore is None or pages < 1:
        return 1.0
    found = ctypes.create_string_buffer(pages)
    if mincore(first, address + length - first, found) != 0:
        return 1.0
    return float((np.frombuffer(found.raw, np.uint8) & 1).mean())
