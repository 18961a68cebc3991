"""Archives (zip, tar) as folders: their members listed and opened one by one, under limits, and never written to a path.

Names are only names here: a member is read from its archive as a stream, so one that climbs (``../x``) could harm nothing; it
is left out and told all the same, since no honest tool makes it.
"""

from __future__ import annotations

import io
import re
import tarfile
import tempfile
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from .._errors import InputError
from .member_names import tar_name, zip_names
from .torn_zip import TornZip
from .unclosed import Unclosed
from .zip_directory import check_directory

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from .source import Source

__all__ = ["MAX_DEPTH", "MAX_MEMBERS", "Member", "close_archives", "list_members", "open_member", "seekable"]

MAX_DEPTH = 3
"""Archives inside archives."""
MAX_MEMBERS = 1 << 16
MAX_TOTAL = 64
"""All members of an archive may have this many times the limit of one file, unpacked."""
MAX_RATIO = 200
"""Text packs 3 to 30 times, logs up to 100; bombs a thousand times."""
SMALL = 1 << 20
"""A member below this size may have any ratio."""
MAX_HEADER = 1 << 20
"""Bytes of a tar header with a long name."""

_IN_MEMORY = 8 << 20
_CHUNK = 1 << 18
_HELD = 4
"""Archives held open: as many as can be inside each other."""
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive."""

    name: str
    """As the archive spells it."""
    path: str
    """With ``/``, without ``.`` and double slashes."""
    size: int
    problem: str = ""
    """Why it cannot be read, in a few fixed words."""


def list_members(source: Source) -> Iterator[Member]:
    """The files in an archive, in its order.

    Raises :class:`InputError` for one that cannot be read, or not to its end, or that looks like a bomb.
    """
    total = 0
    with _told(source):
        for count, (name, size, problem) in enumerate(_opened(source).names(), 1):
            total += size
            if count > MAX_MEMBERS:
                raise InputError(f"{source.label} has more than {MAX_MEMBERS:,} members; the others were not read: split it")
            if total > MAX_TOTAL * source.max_bytes:
                raise InputError(
                    f"{source.label} unpacks to more than {MAX_TOTAL * source.max_bytes:,} bytes; the rest was not read: split it"
                )
            path = _plain(name)
            yield Member(name, path or name, size, problem or ("" if path else "unsafe name in an archive"))


def open_member(source: Source, name: str) -> BinaryIO:
    """The bytes of a member as a buffered stream. Raises :class:`InputError` if it is not there or cannot be read."""
    with _told(source):
        return _opened(source).open(name)


def close_archives() -> None:
    """Close what this thread holds open."""
    while _archives():
        _archives().popitem()[1][0].close()


def _plain(name: str) -> str:
    """``name`` as a relative path; ``""`` for one that is absolute or climbs."""
    if "/" not in name:
        name = name.replace("\\", "/")  # as some tools of Windows write them
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or name.startswith("/") or ".." in parts or _DRIVE.match(parts[0]) or "\0" in name:
        return ""
    return "/".join(parts)


@contextmanager
def _told(source: Source) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        # The readers of archives raise whatever comes of damaged bytes: all of it is the archive's fault.
        said = " ".join(str(error).split()).rstrip(".")[:200] or type(error).__name__
        if isinstance(error, RuntimeError) and "password" in said:
            raise InputError(f"{source.label} is protected by a password; index a copy saved without one") from error
        raise InputError(f"{source.label} is damaged or not a {source.format} archive ({said})") from error


_local = threading.local()


_Key = tuple[str, int, int, int]


def _archives() -> OrderedDict[_Key, tuple[_Zip | _Tar, Source]]:
    if not hasattr(_local, "archives"):
        _local.archives = OrderedDict()
    found: OrderedDict[_Key, tuple[_Zip | _Tar, Source]] = _local.archives
    return found


def _key(source: Source) -> _Key:
    """What no two archives have in common while their sources live; attachments of two mails may have path, size and time."""
    around = source
    while around.inside is not None:
        around = around.inside
    return source.path, source.size, source.mtime_ns, 0 if around.data is None else id(around.data)


def _opened(source: Source) -> _Zip | _Tar:
    """The archive, held open by this thread for its next member: opening it means reading its list of members again."""
    held = _archives()
    key = _key(source)
    found, holder = held.pop(key, (None, source))
    if found is None:
        # Each may hold 64 MB of what it unpacked: only those that this one is in are needed.
        around, outer = set(), source.inside
        while outer is not None:
            around.add(_key(outer))
            outer = outer.inside
        for other in held.keys() - around:
            held.pop(other)[0].close()
        found = _Tar(source) if source.format == "tar" else _Zip(source)
    held[key] = found, holder  # which keeps the bytes that the key tells apart
    while len(held) > _HELD:
        held.popitem(last=False)[1][0].close()
    return found


class _Spooled(tempfile.SpooledTemporaryFile[bytes]):
    """Closed with the archive that holds it, or with the thread that holds the archive."""

    def __del__(self) -> None:
        self.close()


def _spooled(stream: BinaryIO, limit: int, label: str) -> BinaryIO:
    """All of ``stream``, in memory if it is small, else in a temporary file without a name."""
    made = _Spooled(_IN_MEMORY)
    try:
        left = limit
        while chunk := stream.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise InputError(f"{label} unpacks to more than {limit:,} bytes; it was skipped")
            made.write(chunk)
        made.seek(0)
    except BaseException:
        made.close()
        raise
    return cast(BinaryIO, made)


def seekable(source: Source) -> BinaryIO:
    """An archive's own bytes, unpacked: of a file on disk the file itself."""
    stream = source.open()
    if source.inside is None and source.data is None and not source.compression and source.stream is None:
        return stream
    with stream:
        return _spooled(stream, MAX_TOTAL * source.max_bytes, source.label)


class _Zip:
    def __init__(self, source: Source) -> None:
        self._below = seekable(source)
        try:
            check_directory(self._below, source)
            self._torn: TornZip | None = None
            try:
                self._file = zipfile.ZipFile(self._below)
            except zipfile.BadZipFile:
                self._torn = TornZip(self._below, _zip_problem, source.max_bytes)
                return
            self._names = dict(zip(zip_names(self._file.infolist()), self._file.infolist(), strict=True))
        except BaseException:
            self._below.close()
            raise
        packed = sum(info.compress_size for info in self._names.values())
        self._below.seek(0, io.SEEK_END)
        if packed > self._below.tell():
            self.close()
            raise InputError(f"{source.label} looks like a zip bomb: its members share the same bytes; it was skipped")

    def names(self) -> Iterator[tuple[str, int, str]]:
        if self._torn is not None:
            yield from self._torn.names()
            return
        for name, info in self._names.items():
            if not info.is_dir():
                yield name, info.file_size, _zip_problem(info)

    def open(self, name: str) -> BinaryIO:
        if self._torn is not None:
            return self._torn.open(name)
        if name not in self._names:
            raise InputError(f"the archive no longer has a member {name!r}")
        return cast(BinaryIO, self._file.open(self._names[name]))  # it ends at the size that is stated, and checks a checksum

    def close(self) -> None:
        if self._torn is None:
            self._file.close()
        self._below.close()


def _zip_problem(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & 1:
        return "protected by a password"
    if info.file_size > SMALL and info.file_size > max(info.compress_size, 1) * MAX_RATIO:
        return "looks like a zip bomb"
    if info.create_system == 3 and (info.external_attr >> 28) not in (0, 8):
        return "link in an archive"
    return ""


class _Tar:
    """A tar file. A compressed one is read forwards: the member at hand is kept, and going back means starting again."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._tar: tarfile.TarFile | None = None
        self._stream: _Forward | None = None
        self._at: tarfile.TarInfo | None = None
        """The last member that can be read."""
        self._here = ""
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
        found = None if self._ended else self._tar.next()
        self._ended = found is None
        if found is None and self._stream.last.strip(b"\0"):
            raise tarfile.ReadError("a header among its members is damaged")  # tarfile takes that for the end
        self._tar.members = []  # type: ignore[attr-defined]  # it would keep all of them
        if self._kept is not None:
            self._kept.close()
            self._kept = None
        self._here = tar_name(found.name) if found is not None else ""
        return found

    def names(self) -> Iterator[tuple[str, int, str]]:
        self._restart()
        seen: set[str] = set()
        while (info := self._next()) is not None:
            if info.isdir():
                continue
            problem = ""
            if not info.isreg() or info.issparse():
                problem = "link in an archive" if info.issym() or info.islnk() else "not a regular file"
            elif self._here in seen:
                problem = "name used twice in an archive"
            seen.add(self._here)
            if not problem:
                self._at = info
            yield self._here, info.size if info.isreg() else 0, problem

    def open(self, name: str) -> BinaryIO:
        if self._tar is None or (self._here != name and not self._is_ahead(name)):
            self._restart()
            if not self._forward_to(name):
                raise InputError(f"the archive no longer has a member {name!r}")
        if self._kept is None:
            info = self._at
            assert self._stream is not None
            assert info is not None
            self._stream.seek(info.offset_data)
            part = io.BufferedReader(_Part(self._stream, info.size), _CHUNK)
            self._kept = _spooled(cast(BinaryIO, part), info.size, self._source.label)
        self._kept.seek(0)
        return cast(BinaryIO, io.BufferedReader(Unclosed(self._kept), _CHUNK))

    def _is_ahead(self, name: str) -> bool:
        try:
            return self._forward_to(name)
        except InputError:
            raise
        except Exception:  # the archive was listed up to its damage: the member may be before it
            return False

    def _forward_to(self, name: str) -> bool:
        while (info := self._next()) is not None:
            if self._here == name and info.isreg():
                self._at = info
                return True
        return False

    def close(self) -> None:
        for held in (self._kept, self._tar, self._stream):
            if held is not None:
                held.close()
        self._kept = self._tar = self._stream = None
        self._ended = False
        self._here = ""


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
            if not self.read(min(_CHUNK, at - self._at)):
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
