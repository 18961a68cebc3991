"""How much archives may unpack to, and where they are unpacked: in memory, else in a temporary file without a name."""

from __future__ import annotations

import tempfile
from typing import BinaryIO, cast

from .._errors import InputError

__all__ = ["CHUNK", "MAX_HEADER", "MAX_RATIO", "MAX_TOTAL", "SMALL", "spooled"]

MAX_TOTAL = 64
"""All members of an archive may have this many times the limit of one file, unpacked."""
MAX_RATIO = 200
"""Text packs 3 to 30 times, logs up to 100; bombs a thousand times."""
SMALL = 1 << 20
"""A member below this size may have any ratio."""
MAX_HEADER = 1 << 20
"""Bytes of a tar header with a long name."""
CHUNK = 1 << 18
"""Bytes that are unpacked at a time."""

_IN_MEMORY = 8 << 20


class _Spooled(tempfile.SpooledTemporaryFile[bytes]):
    """Closed with the archive that holds it, or with the thread that holds the archive."""

    def __del__(self) -> None:
        self.close()


def spooled(stream: BinaryIO, limit: int, label: str) -> BinaryIO:
    """All of ``stream``, in memory if it is small, else in a temporary file without a name."""
    made = _Spooled(_IN_MEMORY)
    try:
        left = limit
        while chunk := stream.read(CHUNK):
            left -= len(chunk)
            if left < 0:
                raise InputError(f"{label} unpacks to more than {limit:,} bytes; it was skipped")
            made.write(chunk)
        made.seek(0)
    except BaseException:
        made.close()
        raise
    return cast(BinaryIO, made)
