"""The C library's heap: having it give freed memory back to the system."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

__all__ = ["LARGE", "limit_heap", "trim_heap"]

LARGE = 1 << 20
"""Blocks of this many bytes and more are given back as soon as they are freed."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


@cache
def _glibc() -> Any:
    """The C library where it is glibc, whose heap has these controls; None elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") and hasattr(library, "gnu_get_libc_version") else None


@cache
def limit_heap(large: int = LARGE) -> None:
    """Make this process's heap hold on to little freed memory; an indexing process calls this once.

    By default glibc raises the size above which blocks are given back at once, up to 32 MB, and keeps a heap for each of up to
    8 threads per core: up to a third of the memory that indexing held had been freed long before. Does nothing without glibc.

    ``large``: bytes of the smallest block that is given back as soon as it is freed.
    """
    if (library := _glibc()) is not None:
        library.mallopt(_M_MMAP_THRESHOLD, large)
        library.mallopt(_M_TRIM_THRESHOLD, large)
        library.mallopt(_M_ARENA_MAX, 2)


def trim_heap() -> None:
    """Give freed memory inside the heap back to the system; takes milliseconds.

    Python caches which attribute a class has, by name. A name that C code made for one look-up stays there, and with it the
    megabyte that it lies in, most of which may be free by now: some thirty of them once large documents were indexed.
    """
    clear = getattr(sys, "_clear_internal_caches", None) or getattr(
        sys, "_clear_type_cache", None
    )  # from Python 3.13 on; before
    if clear is not None:
        clear()
    if (library := _glibc()) is not None:
        library.malloc_trim(0)
