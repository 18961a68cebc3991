"""Zstandard: the standard library's module from Python 3.14 on, and before that the same module as
the package backports.zstd.
"""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["compress", "decompressor", "module"]


def module() -> Any:
    """The module, imported when it is needed."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd


def decompressor() -> Any:
    """A new decompressor of one frame; see the documentation of
    ``compression.zstd.ZstdDecompressor``.
    """
    return module().ZstdDecompressor()


def compress(data: bytes) -> bytes:
    """``data`` as one frame, at the default level."""
    packed: bytes = module().compress(data)
    return packed
