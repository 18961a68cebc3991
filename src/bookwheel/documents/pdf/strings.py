"""Strings that PDFium writes into a buffer."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

__all__ = ["MAX_LENGTH", "utf16"]

MAX_LENGTH = 100_000
"""Characters of one string (of a note, of an outline's entry) that are read."""
_FIRST = 256
"""Room that is enough for most."""


def utf16(call: Callable[[Any, int], int]) -> str:
    """A string in UTF-16 that ``call(buffer, size in bytes)`` writes, with the size it needs as its result.

    One that is too long is left out: PDFium writes all or nothing.
    """
    buffer = (ctypes.c_ushort * _FIRST)()
    size = int(call(buffer, 2 * _FIRST))
    if not 2 < size <= 4 * MAX_LENGTH:
        return ""
    if size > 2 * _FIRST:
        buffer = (ctypes.c_ushort * (size // 2 + 1))()
        call(buffer, size)
    return bytes(memoryview(buffer).cast("B")[: size - size % 2]).decode("utf-16-le", "replace").rstrip("\0")[:MAX_LENGTH]
