"""A stream that outlives its readers."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["Unclosed"]


class Unclosed(io.RawIOBase):
    """``inner``, which stays open when its reader closes it: standard input, or an archive that holds more."""

    def __init__(self, inner: BinaryIO) -> None:
        self._inner = inner

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read what is there into ``buffer``; the number of bytes, 0 at the end."""
        view = memoryview(buffer)
        read = getattr(self._inner, "read1", self._inner.read)
        data: bytes = read(len(view))
        view[: len(data)] = data
        return len(data)
