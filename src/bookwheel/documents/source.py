"""A file to read: its path and format, and its bytes, of which no more
than a limit are held in memory.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast

from .._errors import InputError
from .unclosed import Unclosed
from .zstd import decompressor

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = [
    "CONTAINER_FACTOR",
    "DEFAULT_FIELDS",
    "DEFAULT_MAX_BYTES",
    "STDIN",
    "Compression",
    "CutOffError",
    "Fields",
    "Skipped",
    "Source",
    "megabytes",
    "read_up_to",
    "why_limited",
]

DEFAULT_MAX_BYTES = 64 << 20
"""The most bytes (decompressed) that one file, or one record of a streamed file, may have."""

CONTAINER_FACTOR = 8
"""A PDF, DOCX or EPUB file may be this many times larger than ``max_bytes``: most of it
is pictures, which are not read.
"""

STDIN = "-"

Compression = Literal["", "gz", "zst", "bz2", "xz"]

_MOST_WINDOW = 128 << 20
"""Bytes that unpacking may take under any budget: the largest dictionary that the tool ``xz`` makes needs 65 MiB, and zstd's
largest window without an option of its own is 128 MiB.
"""
_WINDOWS = 4
"""The same, as a multiple of the largest record."""

_BUFFER = 1 << 18
_PIECE = 1 << 20


def megabytes(count: int) -> str:
    """``67108864`` -> ``"64.0 MiB"``, ``2048`` -> ``"2.0 KiB"``."""
    return f"{count / (1 << 20):,.1f} MiB" if count >= 1 << 20 else f"{count / (1 << 10):,.1f} KiB"


def why_limited(limit: int) -> str:
    """Where a limit on a file's bytes comes from, to be added to the sentence that tells it."""
    return "" if limit % DEFAULT_MAX_BYTES == 0 else ", which follows from the memory budget (--ram)"


class CutOffError(Exception):
    """A file is damaged, or cut off, after the bytes ``data``; the cause says how."""

    def __init__(self, data: bytes) -> None:
        super().__init__("the file cannot be read to its end")
        self.data = data


def read_up_to(stream: BinaryIO, limit: int, first: int = _BUFFER) -> tuple[bytes, Exception | None]:
    """At most ``limit`` bytes, of which ``first`` are asked for at once, and what reading on raised, if it did."""
    reader = cast(io.BufferedReader, stream)
    pieces = io.BytesIO()
    damage: Exception | None = None
    try:
        pieces = io.BytesIO(reader.read1(min(first, limit)))
        while (at := pieces.seek(0, io.SEEK_END)) < limit and (piece := reader.read1(min(_PIECE, limit - at))):
            pieces.write(piece)
    except Exception as error:  # whatever decompressors raise
        damage = error
    return pieces.getvalue(), damage


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields (JSONL) or columns (CSV) of a document; None stands for the usual names."""

    id: str | None = None
    title: str | None = None
    text: tuple[str, ...] | None = None
    """Several fields are joined by blank lines, in this order."""


DEFAULT_FIELDS = Fields()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder that was skipped."""

    path: str
    reason: str
    """A few fixed words (``hidden``, ``binary``, ``ignored by .gitignore`` …),
    so that reasons can be counted.
    """
    failed: bool = False
    """True if it should have been read but could not be (no permission)."""
    told: str = ""
    """A sentence with the numbers, where the reason needs any."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be read, as :func:`bookwheel.documents.paths.walk` found it."""

    path: str
    """Absolute and normalised, or ``"-"`` for standard input."""
    size: int
    """Bytes on disk (compressed); 0 for standard input."""
    mtime_ns: int
    format: str
    """A name in :data:`bookwheel.documents.readers.FORMATS`."""
    compression: Compression = ""
    name: str = ""
    """The path relative to the folder given, with ``/``; the file's name if it was given itself."""
    explicit: bool = False
    """True if the user gave this file by its path: it is then read even if
    hidden, ignored, or with NUL bytes.
    """
    max_bytes: int = DEFAULT_MAX_BYTES
    stream: BinaryIO | None = field(default=None, compare=False, repr=False)
    """Standard input, which has no path to open."""
    inside: Source | None = field(default=None, repr=False)
    """The archive whose member this is."""
    member: str = ""
    """Its name in that archive, as the archive spells it."""
    number: int = 0
    """Its place among the files of that archive, from 0."""
    data: bytes | None = field(default=None, compare=False, repr=False)
    """The bytes themselves (of a mail's attachment), which has no path to open."""

    @property
    def label(self) -> str:
        """The name used in messages."""
        return "standard input" if self.path == STDIN else self.path

    @property
    def stem(self) -> str:
        """The file's name without ``.gz``, ``.zst`` and the format's suffix: the
        title if there is no better one.
        """
        if self.path == STDIN:
            return "standard input"
        name = Path(self.path).name
        if self.compression:
            name = name.rsplit(".", 1)[0]
        return Path(name).stem

    def open(self) -> BinaryIO:
        """The decompressed bytes as a buffered stream, not limited in length: for
        formats read record by record.

        Raises :class:`InputError` if the file cannot be opened. Damage inside a compressed file
        appears while reading, as ``OSError``, ``EOFError``, ``zlib.error`` or ``ZstdError``.
        """
        try:
            raw = self._raw()
        except OSError as error:
            raise InputError(f"{self.label} cannot be opened: {error.strerror or error}") from error
        if self.compression == "gz":
            return cast(BinaryIO, io.BufferedReader(_Gzip(raw), _BUFFER))
        if self.compression:
            return cast(BinaryIO, io.BufferedReader(_Frames(raw, self.compression, self.window), _BUFFER))
        return raw

    @property
    def window(self) -> int:
        """The most bytes of earlier output that unpacking may keep."""
        return min(_MOST_WINDOW, _WINDOWS * self.max_bytes)

    def _raw(self) -> BinaryIO:
        if self.stream is not None:
            return cast(BinaryIO, io.BufferedReader(Unclosed(self.stream), _BUFFER))
        if self.data is not None:
            return io.BytesIO(self.data)
        if self.inside is not None:
            from .members import open_member  # which opens sources itself

            return open_member(self.inside, self.member, self.number)
        return open(self.path, "rb", buffering=_BUFFER)  # noqa: PTH123  # for every file of a folder: Path is slow

    def read_bytes(self, limit: int | None = None) -> bytes:
        """All the bytes, decompressed. Raises :class:`InputError` if there are more than
        ``limit`` (default ``max_bytes``), and `CutOffError` where they cannot be read to the end.
        """
        limit = self.max_bytes if limit is None else limit
        with self.open() as stream:
            # Not all at once: that would ask for the memory of the limit, whatever the file's size.
            first = self.size + 1 if not self.compression and self.stream is None else _BUFFER
            data, damage = read_up_to(stream, limit + 1, first)
        if damage is not None:
            raise CutOffError(data) from damage
        if len(data) > limit:
            raise InputError(f"{self.too_large(limit)}; split it, or convert it to JSONL, which is read record by record")
        return data

    def too_large(self, limit: int) -> str:
        """Says that the file exceeds ``limit``, with both sizes."""
        size = "" if self.compression or self.path == STDIN else f" ({megabytes(self.size)})"
        if size.strip(" ()") == megabytes(limit):
            size = f" ({self.size - limit:,} bytes more)"
        return f"{self.label}{size} exceeds the limit of {megabytes(limit)} per file{why_limited(limit)}"

    def open_seekable(self) -> BinaryIO:
        """The bytes as a stream that can seek, for formats with a directory (zip,
        PDF); held in memory if compressed.
        """
        limit = self.max_bytes * CONTAINER_FACTOR
        if self.compression or self.stream is not None or self.inside is not None:
            return io.BytesIO(self.read_bytes(limit))
        if self.size > limit:
            raise InputError(f"{self.too_large(limit)}; split it")
        return self.open()

    def digest(self) -> str:
        """BLAKE2b (16 bytes, hexadecimal) of the bytes on disk; ``""`` for standard
        input, which can be read only once.
        """
        if self.path == STDIN:
            return ""
        digest = hashlib.blake2b(digest_size=16)
        try:
            with self._raw() as file:
                while chunk := file.read(1 << 20):
                    digest.update(chunk)
        except InputError:
            raise
        except OSError as error:
            raise InputError(f"{self.label} cannot be read: {error.strerror or error}") from error
        except Exception as error:  # what unpacking a damaged archive raises
            raise InputError(f"{self.label} cannot be read: {' '.join(str(error).split())[:200]}") from error
        return digest.hexdigest()


class _Gzip(io.RawIOBase):
    """A gzip stream that closes the file below it, too."""

    def __init__(self, below: BinaryIO) -> None:
        self._below = below
        self._inner = gzip.GzipFile(fileobj=below)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        data = self._inner.read1(len(view))  # data before the damage is passed on
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
            self._below.close()
        super().close()


_DECOMPRESSORS: dict[str, Callable[[int], Any]] = {
    "zst": decompressor,
    "bz2": lambda window: bz2.BZ2Decompressor(),
    "xz": lambda window: lzma.LZMADecompressor(memlimit=window),
}


class _Frames(io.RawIOBase):
    """A stream of one or more frames, of zstd, bzip2 or xz. Raises ``EOFError`` where the last frame is cut off."""

    def __init__(self, below: BinaryIO, compression: str, window: int) -> None:
        self._below = below
        self._compression, self._window = compression, window
        self._frame: Any = None
        """The decompressor of the frame being read; None between frames."""
        self._packed = b""
        """What was read of the next frame."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        data = b""
        while not data and len(view):
            piece = self._packed
            if not piece and (self._frame is None or self._frame.needs_input):
                piece = self._below.read(_BUFFER)
                if not piece and self._frame is not None:
                    raise EOFError("the last frame is not complete")
                if not piece:
                    return 0
            if self._frame is None and self._compression == "xz":  # it may be padded between its streams
                piece = piece.lstrip(b"\0")
                if not piece:
                    self._packed = b""
                    continue
            self._frame = self._frame or _DECOMPRESSORS[self._compression](self._window)
            data = self._frame.decompress(piece, len(view))
            self._packed = self._frame.unused_data if self._frame.eof else b""
            self._frame = None if self._frame.eof else self._frame
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._below.close()
        super().close()
