"""The members of a tar file, compressed or not, which is read forwards."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

from .._errors import InputError
from .member_names import tar_name
from .unclosed import Unclosed
from .unpacking import CHUNK, MAX_HEADER, MAX_RATIO, MAX_TOTAL, SMALL, spooled

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from .source import Source

__all__ = ["TarMembers"]


class TarMembers:
    """A tar file. A compressed one is read forwards: the member at hand is kept, and going back means starting again."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._tar: tarfile.TarFile | None = None
        self._stream: _Forward | None = None
        self._at: tarfile.TarInfo | None = None
        """The last member that can be read."""
        self._here = ""
        """The name of the file at hand; ``""`` of a folder."""
        self._number = -1
        """How many files came before the last one met."""
        self._ended = False
        self._kept: BinaryIO | None = None

    def _restart(self) -> None:
        self.close()
        below = self._source.open()
        try:
            self._stream = _Forward(below, self._source)
            self._tar = tarfile.open(fileobj=cast(BinaryIO, self._stream), mode="r:", errors="surrogateescape")  # noqa: SIM115  # held open
        except BaseException:
            below.close()
            raise

    def _next(self) -> tarfile.TarInfo | None:
        assert self._tar is not None
        assert self._stream is not None
        self._here = ""
        if self._kept is not None:
            self._kept.close()
            self._kept = None
        found = None if self._ended else self._tar.next()
        self._ended = found is None
        if found is None and self._stream.last.strip(b"\0"):
            raise tarfile.ReadError("a header among its members is damaged")  # tarfile takes that for the end
        self._tar.members = []  # type: ignore[attr-defined]  # it would keep all of them
        if found is not None and not found.isdir():
            self._here = tar_name(found.name)
            self._number += 1
        return found

    def names(self) -> Iterator[tuple[str, int, str]]:
        """Name, size and problem of each member. Raises `tarfile.ReadError` for damage, and :class:`InputError` for a bomb."""
        self._restart()
        while (info := self._next()) is not None:
            if info.isdir():
                continue
            problem = ""
            if not info.isreg() or info.issparse():
                problem = "link in an archive" if info.issym() or info.islnk() else "not a regular file"
            else:
                self._at = info
            yield self._here, info.size if info.isreg() else 0, problem

    def open(self, name: str, number: int) -> BinaryIO:
        """The bytes of a member, by its place in `names`. Raises :class:`InputError` if it is not there."""
        if self._tar is None or self._number > number or (self._number == number and self._here != name):
            self._restart()
        if self._number < number and not self._forward_to(name, number):
            raise InputError(f"the archive no longer has a member {name!r}")
        if self._kept is None:
            info = self._at
            assert self._stream is not None
            assert info is not None
            self._stream.seek(info.offset_data)
            part = io.BufferedReader(_Part(self._stream, info.size), CHUNK)
            self._kept = spooled(cast(BinaryIO, part), info.size, self._source.label)
        self._kept.seek(0)
        return cast(BinaryIO, io.BufferedReader(Unclosed(self._kept), CHUNK))

    def _forward_to(self, name: str, number: int) -> bool:
        while self._number < number and (info := self._next()) is not None:
            if self._number == number and not info.isdir():
                self._at = info
                return self._here == name and info.isreg()
        return False

    def close(self) -> None:
        """Close what is read from."""
        for held in (self._kept, self._tar, self._stream):
            if held is not None:
                held.close()
        self._kept = self._tar = self._stream = None
        self._ended = False
        self._here, self._number = "", -1


class _Forward:
    """What `tarfile` reads from: only forwards, a bounded piece at a time, and no more than an archive may unpack to."""

    def __init__(self, below: BinaryIO, source: Source) -> None:
        self._below, self._source = below, source
        self._at = 0
        self.last = b""
        """What was read last."""
        self._limit = 2 * MAX_TOTAL * source.max_bytes  # with headers and padding

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_HEADER:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        data = self._below.read(size)
        self._at += len(data)
        self.last = data
        if self._at > self._limit:
            raise InputError(
                f"{self._source.label} unpacks to more than {self._limit:,} bytes; the rest was not read: split it"
            )
        packed = self._source.size
        if self._source.compression and self._at > 64 * SMALL and self._at > packed * 5 * MAX_RATIO:
            raise InputError(
                f"{self._source.label} looks like a bomb: it unpacks from {packed:,} to more than {self._at:,} bytes; "
                "the rest was not read"
            )
        return data

    def seek(self, at: int, whence: int = 0) -> int:
        if whence != 0 or at < self._at:
            raise tarfile.ReadError("headers that lead backwards")
        while self._at < at:
            if not self.read(min(CHUNK, at - self._at)):
                break
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        self._below.close()


class _Part(io.RawIOBase):
    """The next ``size`` bytes of a stream. Raises ``EOFError`` where it ends before."""

    def __init__(self, below: _Forward, size: int) -> None:
        self._below, self._left = below, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        want = min(len(view), self._left, MAX_HEADER)
        data = self._below.read(want)
        if want and not data:
            raise EOFError("the archive ends inside a member")
        self._left -= len(data)
        view[: len(data)] = data
        return len(data)
