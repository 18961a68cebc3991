"""Archives (zip, tar) as folders: their members listed and opened one by one, under limits, and never written to a path.

Names are only names here: a member is read from its archive as a stream, so one that climbs (``../x``) could harm nothing; it
is left out and told all the same, since no honest tool makes it.
"""

from __future__ import annotations

import io
import re
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from .._errors import InputError
from .member_names import zip_names
from .tar_members import TarMembers
from .torn_zip import TornZip
from .unpacking import MAX_RATIO, MAX_TOTAL, SMALL, spooled
from .zip_directory import check_directory

if TYPE_CHECKING:
    from .source import Source

__all__ = ["MAX_DEPTH", "MAX_MEMBERS", "Member", "close_archives", "list_members", "open_member", "seekable"]

MAX_DEPTH = 3
"""Archives inside archives."""
MAX_MEMBERS = 1 << 16

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
    problem: str
    """Why it cannot be read, in a few fixed words; ``""`` if it can."""
    number: int
    """Its place among the archive's files, from 0: two may have one name."""


def list_members(source: Source) -> Iterator[Member]:
    """The files in an archive, in its order.

    Raises :class:`InputError` for one that cannot be read, or not to its end, or that looks like a bomb.
    """
    total = 0
    with _told(source):
        for number, (name, size, problem) in enumerate(_opened(source).names()):
            total += size
            if number >= MAX_MEMBERS:
                raise InputError(f"{source.label} has more than {MAX_MEMBERS:,} members; the others were not read: split it")
            if total > MAX_TOTAL * source.max_bytes:
                raise InputError(
                    f"{source.label} unpacks to more than {MAX_TOTAL * source.max_bytes:,} bytes; the rest was not read: split it"
                )
            path = _plain(name)
            yield Member(name, path or name, size, problem or ("" if path else "unsafe name in an archive"), number)


def open_member(source: Source, name: str, number: int) -> BinaryIO:
    """The bytes of the member ``number`` (as `list_members` counts) as a buffered stream.

    Raises :class:`InputError` if it is not there, is not called ``name``, or cannot be read.
    """
    with _told(source):
        return _opened(source).open(name, number)


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


def _archives() -> OrderedDict[_Key, tuple[_Zip | TarMembers, Source]]:
    if not hasattr(_local, "archives"):
        _local.archives = OrderedDict()
    found: OrderedDict[_Key, tuple[_Zip | TarMembers, Source]] = _local.archives
    return found


def _key(source: Source) -> _Key:
    """What no two archives have in common while their sources live; attachments of two mails may have path, size and time."""
    around = source
    while around.inside is not None:
        around = around.inside
    return source.path, source.size, source.mtime_ns, 0 if around.data is None else id(around.data)


def _opened(source: Source) -> _Zip | TarMembers:
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
        found = TarMembers(source) if source.format == "tar" else _Zip(source)
    held[key] = found, holder  # which keeps the bytes that the key tells apart
    while len(held) > _HELD:
        held.popitem(last=False)[1][0].close()
    return found


def seekable(source: Source) -> BinaryIO:
    """An archive's own bytes, unpacked: of a file on disk the file itself."""
    stream = source.open()
    if source.inside is None and source.data is None and not source.compression and source.stream is None:
        return stream
    with stream:
        return spooled(stream, MAX_TOTAL * source.max_bytes, source.label)


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
            infos = self._file.infolist()
            self._members = [pair for pair in zip(zip_names(infos), infos, strict=True) if not pair[1].is_dir()]
        except BaseException:
            self._below.close()
            raise
        packed = sum(info.compress_size for _, info in self._members)
        self._below.seek(0, io.SEEK_END)
        if packed > self._below.tell():
            self.close()
            raise InputError(f"{source.label} looks like a zip bomb: its members share the same bytes; it was skipped")

    def names(self) -> Iterator[tuple[str, int, str]]:
        if self._torn is not None:
            yield from self._torn.names()
            return
        for name, info in self._members:
            yield name, info.file_size, _zip_problem(info)

    def open(self, name: str, number: int) -> BinaryIO:
        if self._torn is not None:
            return self._torn.open(name, number)
        if number >= len(self._members) or self._members[number][0] != name:
            raise InputError(f"the archive no longer has a member {name!r}")
        return cast(
            BinaryIO, self._file.open(self._members[number][1])
        )  # it ends at the size that is stated, and checks a checksum

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
