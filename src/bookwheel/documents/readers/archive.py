"""Untrusted zip files: members are read under a limit on bytes and on the compression ratio."""

from __future__ import annotations

import contextlib
import lzma
import zipfile
import zlib
from collections.abc import Iterator

from ..._errors import InputError
from ..source import Source, megabytes, why_limited

__all__ = ["Archive", "open_archive"]

_MAX_RATIO = 200
"""Real DOCX and EPUB texts pack 3 to 30 times; zip bombs a thousand times."""
_SMALL = 1 << 20
"""Members below this size may have any compression ratio."""
_MAX_MEMBERS = 100_000


class Archive:
    """The members of one zip file; ``max_bytes`` bounds all that is read from it together."""

    def __init__(self, source: Source, file: zipfile.ZipFile) -> None:
        self._source, self._file = source, file
        self._left = source.max_bytes
        self.names = frozenset(file.namelist())
        self._lower = {name.lower().replace("\\", "/"): name for name in file.namelist()}

    def find(self, name: str) -> str | None:
        """The member of this name, however it is cased; None if there is none."""
        return name if name in self.names else self._lower.get(name.lower())

    def read(self, name: str) -> bytes:
        """A member's bytes. Raises :class:`InputError` if it is missing,
        damaged, encrypted or too large.
        """
        label = self._source.label
        try:
            member = self._file.getinfo(name)
        except KeyError:
            raise InputError(f"{label} is damaged: {name} is missing") from None
        if member.flag_bits & 1:
            raise InputError(f"{label} is protected by a password; index a copy saved without one")
        packed = max(member.compress_size, 1)
        if member.file_size > _SMALL and member.file_size > packed * _MAX_RATIO:
            raise InputError(
                f"{label} looks like a zip bomb: {name} unpacks from {packed:,} to {member.file_size:,} bytes, more than "
                f"{_MAX_RATIO} times as many; it was skipped"
            )
        if member.file_size > self._left:
            limit = self._source.max_bytes
            raise InputError(
                f"{label}: {name} unpacks to {megabytes(member.file_size)}, which exceeds the limit of {megabytes(limit)} for all "
                f"that is read of one file{why_limited(limit)}; it was skipped"
            )
        try:
            with self._file.open(member) as stream:
                data = stream.read(self._left + 1)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise InputError(f"{label} is damaged: {name} cannot be unpacked ({str(error).rstrip('.')})") from error
        if len(data) > self._left:
            raise InputError(f"{label} looks like a zip bomb: {name} unpacks to more than its stated size; it was skipped")
        self._left -= len(data)
        return data


@contextlib.contextmanager
def open_archive(source: Source) -> Iterator[Archive]:
    """Opens a zip file. Raises :class:`InputError` if it is none, or
    has an absurd number of members.
    """
    with source.open_seekable() as stream:
        try:
            file = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
            raise InputError(f"{source.label} is damaged or not a {source.format} file ({str(error).rstrip('.')})") from error
        with file:
            if len(file.infolist()) > _MAX_MEMBERS:
                raise InputError(
                    f"{source.label} looks like a zip bomb: it has {len(file.infolist()):,} members; it was skipped"
                )
            yield Archive(source, file)
