"""Whatever goes wrong while a file is read, told as an error of that file."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from .._errors import BookwheelError, InputError
from .source import Source, megabytes

__all__ = ["Note", "Upcoming", "failures_of"]


class Note(InputError):
    """Something about a file that is worth telling, though its documents were read; no failure."""


class Upcoming(Note):
    """Tells, before it is parsed, that a large record comes, so that room can be made for it; never shown."""

    size = 0
    """Its bytes."""

    @classmethod
    def of(cls, size: int) -> Upcoming:
        """For a record of ``size`` bytes."""
        made = cls("a large record")
        made.size = size
        return made


@contextmanager
def failures_of(source: Source) -> Iterator[None]:
    """Turn any exception raised while ``source`` is read into an :class:`InputError` that names it.

    A file may hold anything, and each format is read by a parser of its own with its own
    exceptions: what a parser raises is the file's fault until it is shown to be the parser's, and
    no file may stop the others from being read.
    """
    try:
        yield
    except BookwheelError:
        raise
    except Exception as error:
        raise InputError(_sentence(source, error)) from error


def _sentence(source: Source, error: Exception) -> str:
    said = " ".join(str(error).split()).rstrip(".")[:300]
    if "too much memory" in said or "Memory usage limit" in said:  # of ZstdError and LZMAError
        return (
            f"{source.label} was packed with a window larger than the {megabytes(source.window)} that the budget has for one; give "
            "a larger --ram, or pack it again at a lower level or without --long"
        )
    if isinstance(error, EOFError | zlib.error | lzma.LZMAError | zipfile.BadZipFile):
        return f"{source.label} is damaged: its compressed data are truncated or invalid ({said})"
    if source.compression == "zst" and type(error).__name__ == "ZstdError":  # a class that is only imported for such files
        return f"{source.label} is damaged: its compressed data are invalid ({said})"
    if isinstance(error, OSError):
        return f"{source.label} cannot be read: {error.strerror or said}"
    if isinstance(error, RecursionError):
        return f"{source.label} is nested too deeply to be read"
    if isinstance(error, MemoryError):
        return f"{source.label} needs more memory than there is to be read; split it"
    reason = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return f"{source.label} cannot be read as {source.format} ({reason})"
