"""Zstandard: the standard library's module from Python 3.14 on, and before that the same module as
the package backports.zstd.
"""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["compress", "decompressor", "module"]


_USUAL, _LARGEST = 23, 27
"""Binary logarithms of the windows that every decoder takes (RFC 8878), and that zstd takes without an option."""


def module() -> Any:
    """The module, imported when it is needed."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd


def decompressor(window: int) -> Any:
    """A new decompressor of one frame, of a window of at most ``window`` bytes; see the documentation
    of ``compression.zstd.ZstdDecompressor``.
    """
    zstd = module()
    log = min(max(window.bit_length() - 1, _USUAL), _LARGEST)
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: log})


def compress(data: bytes) -> bytes:
    """``data`` as one frame, at the default level."""
    packed: bytes = module().compress(data)
    return packed
