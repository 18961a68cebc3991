"""Zip files whose end is missing, as of a download that broke off: their list of members is there, the members before it are not lost.

What comes before each member says how it is packed, and mostly how large it is; where it does not, unpacking finds its end. (The
format: PKWARE's APPNOTE.TXT, sections 4.3.7 to 4.3.9.)
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

from .member_names import zip_names

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["TornZip"]

_HEADER = struct.Struct("<4sHHHHHIIIHH")
_CHUNK = 1 << 16
_STORED, _DEFLATED = 0, 8


class TornZip:
    """The members of ``below`` up to the damage; then `names` raises `zipfile.BadZipFile`.

    ``problem`` says why a member cannot be read; ``limit``: bytes that a member of unknown size may unpack to.
    """

    def __init__(self, below: BinaryIO, problem: Callable[[zipfile.ZipInfo], str], limit: int) -> None:
        self._below, self._problem, self._limit = below, problem, limit
        self._end = below.seek(0, io.SEEK_END)
        self._found: list[tuple[int, zipfile.ZipInfo]] = []

    def names(self) -> Iterator[tuple[str, int, str]]:
        """Name, size and problem of each member."""
        at = 0
        self._found = []
        while (found := self._at(at)) is not None:
            start, info, at = found
            if not info.filename.endswith("/"):
                self._found.append((start, info))
                yield info.filename, info.file_size, self._problem(info)
        raise zipfile.BadZipFile("the list of its members is missing")

    def open(self, name: str, number: int) -> BinaryIO:
        """The bytes of a member (by its place in `names`), whose end raises `EOFError` where it is cut off."""
        if number >= len(self._found):
            for _ in self.names():
                if number < len(self._found):
                    break
        start, info = self._found[number]
        if info.filename != name:
            raise zipfile.BadZipFile(f"it no longer has a member {name!r}")
        return cast(BinaryIO, io.BufferedReader(_Torn(self._below, start, self._end, info), _CHUNK))

    def close(self) -> None:
        """Close what is read from."""
        self._below.close()

    def _at(self, at: int) -> tuple[int, zipfile.ZipInfo, int] | None:
        """Where the bytes of the member whose header is at ``at`` begin, what is known of it, and where the next header is."""
        self._below.seek(at)
        head = self._below.read(_HEADER.size)
        if len(head) < _HEADER.size or not head.startswith(b"PK\3\4"):
            return None
        _, _, flags, method, _, _, _, packed, size, name_length, extra_length = _HEADER.unpack(head)
        name = self._below.read(name_length)
        extra = self._below.read(extra_length)
        if len(name) + len(extra) < name_length + extra_length:
            return None
        info = zipfile.ZipInfo(name.decode("utf-8" if flags & 0x800 else "cp437", "replace"))
        info.flag_bits, info.compress_type = flags, method
        info.file_size, info.compress_size = _long(extra, size, packed)
        (info.filename,) = zip_names([info])
        start = at + _HEADER.size + name_length + extra_length
        if flags & 8 and not info.compress_size:
            if method != _DEFLATED or flags & 1:
                return None
            torn = _Torn(self._below, start, self._end, None)
            info.file_size = torn.length(self._limit)
            info.compress_size = torn.packed
            return start, info, self._behind(start + info.compress_size)
        return start, info, start + info.compress_size

    def _behind(self, at: int) -> int:
        """The place behind the sizes that follow a member."""
        self._below.seek(at)
        tail = self._below.read(32)
        return next((at + length for length in (16, 24, 12, 20) if tail[length : length + 2] == b"PK"), self._end)


def _long(extra: bytes, size: int, packed: int) -> tuple[int, int]:
    """Sizes, unpacked and packed, of a member beyond 4 GB: in the field 1 behind its name."""
    at = 0
    while at + 4 <= len(extra) and 0xFFFFFFFF in (size, packed):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1 and length >= 16 and at + 20 <= len(extra):
            return struct.unpack_from("<QQ", extra, at + 4)
        at += 4 + length
    return size, packed


class _Torn(io.RawIOBase):
    """The bytes of a member from ``start`` on, as far as they are there; of unknown size without ``info``."""

    def __init__(self, below: BinaryIO, start: int, end: int, info: zipfile.ZipInfo | None) -> None:
        self._below, self._at, self._end = below, start, end
        if info is not None and info.compress_type not in (_STORED, _DEFLATED):
            raise NotImplementedError("compression of a kind that is not read without the list of members")
        self._unpack = None if info is not None and info.compress_type == _STORED else zlib.decompressobj(-15)
        self._left = None if info is None else info.file_size
        self.packed = 0
        """Packed bytes that were used."""
        self._piece = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        want = len(view) if self._left is None else min(len(view), self._left)
        data = b""
        while want and not data:
            if self._unpack is not None and self._unpack.eof:
                return 0
            if not self._piece:
                self._below.seek(self._at)
                self._piece = self._below.read(min(_CHUNK, self._end - self._at))
                self._at += len(self._piece)
                if not self._piece:
                    raise EOFError("the archive ends inside a member")
            if self._unpack is None:
                data, self._piece = self._piece[:want], self._piece[want:]
                self.packed += len(data)
            else:
                before = len(self._piece)
                data = self._unpack.decompress(self._piece, want)
                self._piece = self._unpack.unconsumed_tail or self._unpack.unused_data
                self.packed += before - len(self._piece)
        if self._left is not None:
            self._left -= len(data)
        view[: len(data)] = data
        return len(data)

    def length(self, limit: int) -> int:
        """How many bytes there are, up to ``limit``; what is missing does not count."""
        found = 0
        piece = bytearray(_CHUNK)
        try:
            while found < limit and (count := self.readinto(piece)):
                found += count
        except (EOFError, zlib.error):
            pass
        return found
