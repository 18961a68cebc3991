"""The list of members at the end of a zip file, looked at before it is read."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

from .._errors import InputError

if TYPE_CHECKING:
    from .source import Source

__all__ = ["MAX_DIRECTORY", "check_directory"]

MAX_DIRECTORY = 8 << 20
"""Bytes of a zip file's list of members, from which Python makes twenty times as much."""


def check_directory(stream: BinaryIO, source: Source) -> None:
    """Refuse a list of members that would fill the memory, before it is read."""
    end = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, end - (1 << 16) - 22))
    tail = stream.read()
    at = tail.rfind(b"PK\5\6")
    size = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    long = tail.rfind(b"PK\6\6")
    if size == 0xFFFFFFFF and long >= 0:
        size = int.from_bytes(tail[long + 40 : long + 48], "little")
    if size > MAX_DIRECTORY:
        raise InputError(f"{source.label} has a list of members of {size:,} bytes, more than {MAX_DIRECTORY:,}: split it")
