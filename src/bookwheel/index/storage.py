"""Arrays on disk: written once, checksummed, memory-mapped, never changed.

A folder of plain ``.npy`` files with an ``index.json`` that lists each with its length and BLAKE2b checksum, and has a checksum
of its own. Nothing here is visible to a reader until the library's manifest names the segment, so a folder is written in place
and fsynced at the end.
"""

from __future__ import annotations

import errno
import hashlib
import io
import math
import mmap
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .._errors import LibraryDamaged, StorageError
from .mapping import MappedFile
from .plain_files import create_plain, open_plain, read_plain, refuse_link
from .sealed import seal, unseal

__all__ = [
    "NEW",
    "RIGHTS",
    "SPACE",
    "ArrayFolder",
    "ArrayStream",
    "FolderWriter",
    "checksum_of",
    "fsync_folder",
    "opened",
    "readable",
    "refused",
    "replace_file",
    "storage",
]

HEADER = 128
"""Bytes kept for an ``.npy`` header: arrays start on a cache line and a stream's shape can be filled in at the end."""
READ = 1 << 20
AHEAD = 1 << 17
"""Bytes asked for at a time: of a longer request Linux reads no more than its own read-ahead, 128 KB unless set otherwise."""
NEW = ".new"
"""Suffix of a file that is to replace another."""
_NAME = re.compile(r"[\w.-]+")
"""The name of an array, which is that of its file: nothing that could lead out of the folder."""
SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
RIGHTS = {errno.EACCES, errno.EPERM, errno.EROFS}
_REFUSED = {*RIGHTS, errno.EMFILE, errno.ENFILE, errno.ENOMEM}


def refused(path: Path, error: OSError) -> StorageError:
    """The error for a file of the library that the system does not open: nothing is wrong with the file."""
    what = (error.strerror or str(error)).lower()
    if error.errno in (errno.EMFILE, errno.ENFILE):
        what += "; close some libraries or files, or raise the limit (ulimit -n)"
    return StorageError(f"{path} cannot be opened: {what}")


@contextmanager
def storage(path: Path) -> Iterator[None]:
    """Turn the system's errors about space and rights into a `StorageError` that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in SPACE:
            raise StorageError(
                f"the disk is full: writing {path} failed; free some space and run the same command again, "
                "committed work is kept"
            ) from error
        if error.errno in RIGHTS:
            raise StorageError(
                f"there is no permission to write {path}; change its permissions or choose another folder with --library"
            ) from error
        raise


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what the system refuses to open into a `StorageError` (`refused`), so that only damage is called damage."""
    try:
        yield
    except OSError as error:
        if error.errno in _REFUSED:
            raise refused(path, error) from error
        raise


def fsync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable (does nothing where the system cannot)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system that cannot sync folders
            raise
    finally:
        os.close(descriptor)


def replace_file(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data`` atomically: a reader sees the old bytes or the new, also after a crash."""
    temporary = path.with_name(path.name + NEW)
    with storage(path):
        temporary.unlink(missing_ok=True)  # what an interruption left, or a link that somebody put there
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        fsync_folder(path.parent)


_WRITTEN = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([^']+)', 'fortran_order': False, 'shape': \(([\d, ]*)\)\} *\n", re.DOTALL
)


def _shape(file: BinaryIO) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of the array in ``file``: `_header` read back. Raises `ValueError`."""
    if found := _WRITTEN.fullmatch(file.read(HEADER)):  # numpy's own reader takes ten times as long as opening the file
        return tuple(map(int, found[2].replace(b",", b" ").split())), np.dtype(found[1].decode("latin1"))
    file.seek(0)
    try:
        np.lib.format.read_magic(file)
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    except Exception as error:  # numpy's reader lets out what Python's tokenizer and its own types raise
        raise ValueError(" ".join(str(error).split())[:200]) from None
    if fortran or any(length < 0 for length in shape):
        raise ValueError("not in C order, or a negative length")
    return shape, dtype


def _header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    text = repr({"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape})
    body = text.encode("latin1").ljust(HEADER - 11) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(body).to_bytes(2, "little") + body


class ArrayStream:
    """An array written in pieces along its first axis; a `FolderWriter` makes it."""

    def __init__(self, path: Path, dtype: DTypeLike, row: tuple[int, ...]) -> None:
        self.path = path
        self.dtype = np.dtype(dtype)
        self.row = row
        self.rows = 0
        self._digest = hashlib.blake2b(digest_size=16)
        with storage(path):
            self._file: BinaryIO = create_plain(path)
            self._file.write(bytes(HEADER))

    def append(self, array: NDArray[Any]) -> None:
        """Write ``array``, of shape (n, *row)."""
        if array.shape[1:] != self.row:
            raise ValueError(f"{self.path.name}: rows of shape {array.shape[1:]} where {self.row} was declared")
        data = np.ascontiguousarray(array, dtype=self.dtype)
        view = data.reshape(-1).view(np.uint8).data
        self._digest.update(view)
        with storage(self.path):
            self._file.write(view)
        self.rows += len(array)

    def flush(self) -> None:
        """Make what was appended so far readable through ``path``, from byte `HEADER` on."""
        with storage(self.path):
            self._file.flush()

    def close(self) -> dict[str, Any]:
        """Fill in the header, make the file durable, return its entry for ``index.json``."""
        shape = (self.rows, *self.row)
        header = _header(self.dtype, shape)
        with storage(self.path):
            self._file.flush()
            self._file.seek(0)
            self._file.write(header)
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        digest = hashlib.blake2b(self._digest.digest() + header, digest_size=16)
        return {"bytes": self.path.stat().st_size, "header": zlib.crc32(header), "blake2b": digest.hexdigest()}

    def abandon(self) -> None:
        """Close the file without finishing it; what it holds does not matter, so neither does a full disk."""
        with suppress(OSError):
            self._file.close()

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self.abandon()


class FolderWriter:
    """Writes one `ArrayFolder`. Use as a context manager: leaving it normally finishes the folder."""

    def __init__(self, folder: Path, **attributes: Any) -> None:
        self.folder = folder
        self.attributes = attributes
        self._streams: dict[str, ArrayStream] = {}
        self._parents = [folder.parent]
        refuse_link(folder)
        refuse_link(folder.parent)
        with storage(folder):
            for above in folder.parents:
                if above.exists():
                    break
                self._parents.append(above.parent)
            folder.mkdir(parents=True, exist_ok=True)

    def stream(self, name: str, dtype: DTypeLike, row: tuple[int, ...] = ()) -> ArrayStream:
        """An array ``name`` to be written in pieces of shape (n, *row)."""
        stream = self._streams[name] = ArrayStream(self.folder / f"{name}.npy", dtype, row)
        return stream

    def write(self, name: str, array: NDArray[Any]) -> None:
        """Write a whole array."""
        self.stream(name, array.dtype, array.shape[1:]).append(array)

    def close(self) -> None:
        """Finish every array and write ``index.json``."""
        files = {name: stream.close() for name, stream in self._streams.items()}
        about = {"name": self.folder.name, "attributes": self.attributes, "files": files}
        replace_file(self.folder / "index.json", seal(about))
        with storage(self.folder):
            for parent in self._parents:
                fsync_folder(parent)

    def __enter__(self) -> FolderWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            for stream in self._streams.values():
                stream.abandon()


class ArrayFolder:
    """A finished folder of arrays, memory-mapped read-only.

    Every file is mapped at once, so that all arrays can be read for as long as this object lives, also when a writer has
    deleted the folder meanwhile; no page is read before an array is used, and no file is held open. Raises `LibraryDamaged`
    where the list or a file is missing, the list does not match its checksum, or a file's length or header is not the recorded
    one, `StorageError` where a file may not be read
    or too many are open. Contents are compared with their checksums by `damaged` only, since that reads everything.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            refuse_link(folder)
            data, self.checksum = unseal(read_plain(folder / "index.json"))
            if data["name"] != folder.name:
                raise ValueError(f"it describes a folder {data['name']!r:.60}")
            self.attributes: Mapping[str, Any] = data["attributes"]
            self._files: dict[str, dict[str, Any]] = data["files"]
            if not isinstance(self.attributes, dict) or not all(
                _NAME.fullmatch(name)
                and type(entry["bytes"]) is type(entry["header"]) is int
                and isinstance(entry["blake2b"], str)
                for name, entry in self._files.items()
            ):
                raise ValueError("an entry of another form")
        except (FileNotFoundError, NotADirectoryError) as error:
            raise LibraryDamaged(f"{folder / 'index.json'} is missing; {REMEDY}") from error
        except OSError as error:
            raise refused(folder / "index.json", error) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LibraryDamaged(f"{folder / 'index.json'} is damaged ({error}); {REMEDY}") from error
        self._maps: dict[str, MappedFile] = {}
        self._arrays: dict[str, NDArray[Any]] = {}
        for name, entry in self._files.items():
            path = self.path(name)
            try:
                with readable(path):
                    mapped = self._maps[name] = MappedFile(path)
            except (FileNotFoundError, NotADirectoryError) as error:
                raise LibraryDamaged(f"{path} is missing; {REMEDY}") from error
            except OSError as error:
                raise LibraryDamaged(f"{path} is not readable ({error}); {REMEDY}") from error
            if mapped.size != entry["bytes"]:
                raise LibraryDamaged(f"{path} has {mapped.size} bytes where {entry['bytes']} were written; {REMEDY}")

    def path(self, name: str) -> Path:
        """The file of array ``name``."""
        return self.folder / f"{name}.npy"

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def array(self, name: str) -> NDArray[Any]:
        """The array ``name``, read-only and memory-mapped."""
        if (array := self._arrays.get(name)) is None:
            if name not in self._files:
                raise LibraryDamaged(f"{self.path(name)} is not listed in {self.folder / 'index.json'}; {REMEDY}")
            data = self._maps[name].data
            header = data[:HEADER].tobytes()
            try:
                if zlib.crc32(header) != self._files[name]["header"]:
                    raise ValueError("its header does not match its checksum")
                shape, dtype = _shape(io.BytesIO(header))
                if dtype.hasobject:
                    raise ValueError("its items are objects")
                count = math.prod(shape)  # in Python's own numbers, which do not overflow
                array = np.frombuffer(data, dtype, count, HEADER).reshape(shape)
            except (ValueError, TypeError, OverflowError) as error:
                raise LibraryDamaged(f"{self.path(name)} is not readable ({error}); {REMEDY}") from error
            self._arrays[name] = array
        return array

    def advise(self, name: str, offset: int, length: int) -> None:
        """Ask the system to read bytes ``offset`` to ``offset + length`` of array ``name`` ahead."""
        mapped = self._maps[name]
        first, last = HEADER + max(offset, 0), min(HEADER + offset + length, mapped.size)
        first = first // mmap.PAGESIZE * mmap.PAGESIZE
        for start in range(first, last, AHEAD):
            mapped.advise("WILLNEED", start, min(AHEAD, last - start))

    def scattered(self, name: str) -> None:
        """Say that array ``name`` is read here and there: a page that is missing then comes alone.

        Else the system reads all around it too, as much as megabytes where the disk is set up so, for a few bytes.
        """
        self._maps[name].advise("RANDOM")

    def ends(self, name: str) -> tuple[Any, Any]:
        """The first and the last item of an array of one dimension that is not empty; reads the pages of those alone."""
        array = self.array(name)
        mapped = self._maps[name]
        mapped.advise("RANDOM")
        both = array[0], array[-1]
        mapped.advise("NORMAL")
        return both

    def release(self, name: str) -> None:
        """Let go of the pages of array ``name`` that were read; they come back from the file when touched again."""
        self._maps[name].advise("DONTNEED")

    def sizes(self) -> dict[str, int]:
        """Bytes on disk by array."""
        return {name: int(entry["bytes"]) for name, entry in self._files.items()}

    def damaged(self) -> list[str]:
        """One sentence for each file that is missing, of another length, or of other contents than were written."""
        problems = []
        for name, entry in self._files.items():
            digest = hashlib.blake2b(digest_size=16)
            try:
                blocks = self._blocks(name)
                header = next(blocks)
                for block in blocks:
                    digest.update(block)
            except OSError as error:
                problems.append(f"{self.path(name)} cannot be read ({error.strerror}); {ANEW}")
                continue
            if hashlib.blake2b(digest.digest() + header, digest_size=16).hexdigest() != entry["blake2b"]:
                problems.append(f"{self.path(name)} does not match its checksum; {ANEW}")
        return problems

    def _blocks(self, name: str) -> Iterator[bytes]:
        """The header of an array's file, then the rest in pieces: read, or from memory where the file was deleted meanwhile.

        Reading tells of a bad sector by an error, where touching a page ends the process.
        """
        mapped = self._maps[name]
        with suppress(FileNotFoundError), open_plain(self.path(name)) as file:
            if mapped.is_file(file.fileno()):
                yield file.read(HEADER)
                while block := file.read(READ):
                    yield block
                return
        yield mapped.data[:HEADER].tobytes()
        for start in range(HEADER, mapped.size, READ):
            yield mapped.data[start : start + READ].tobytes()
            mapped.advise("DONTNEED")


def checksum_of(folder: Path) -> str:
    """The checksum of the list of arrays in ``folder``, which was just written."""
    return unseal(read_plain(folder / "index.json"))[1]


def opened(folder: Path | ArrayFolder) -> ArrayFolder:
    """The array folder at a path, or the one given."""
    return folder if isinstance(folder, ArrayFolder) else ArrayFolder(folder)


ANEW = "index the files again into a new library"
REMEDY = "run `bookwheel check` to see all that is damaged, then index the files again"
