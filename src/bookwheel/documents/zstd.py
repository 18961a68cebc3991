"""Zstandard: the standard library's module from Python 3.14 on, and before that the same module as
the package backports.zstd.
"""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["LARGEST_WINDOW", "compress", "decompressor", "module"]


def module() -> Any:
    """The module, imported when it is needed."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd


LARGEST_WINDOW = 27
"""The logarithm of the largest window that the tool ``zstd`` unpacks unasked: 128 MiB, as ``--long`` makes it."""


def decompressor(window: int = LARGEST_WINDOW) -> Any:
    """A new decompressor of one frame, which refuses one that needs more than ``2 ** window`` bytes of what was unpacked; see the
    documentation of ``compression.zstd.ZstdDecompressor``.
    """
    zstd = module()
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: window})


def compress(data: bytes) -> bytes:
    """``data`` as one frame, at the default level."""
    packed: bytes = module().compress(data)
    return packed
