"""A stream of which the first bytes have been read already."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["Chained"]


class Chained(io.RawIOBase):
    """``head``, then the rest of the stream that it was read from."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """As `io.RawIOBase` says."""
        view = memoryview(buffer)
        if self._head:
            data, self._head = self._head[: len(view)], self._head[len(view) :]
        else:
            data = cast(io.BufferedReader, self._rest).read1(len(view))
        view[: len(data)] = data
        return len(data)
