"""Reading the small text files of an evaluation: UTF-8, plain or gz, errors that name the file."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, AnyStr, cast

from .._errors import InputError

__all__ = ["bounded_lines", "json_values", "open_text", "read_lines", "read_text"]


@contextmanager
def open_text(path: Path) -> Iterator[IO[str]]:
    """The file, plain or gz, open for reading. What goes wrong while it is read raises `InputError`."""
    try:
        packed = path.suffix == ".gz"
        with cast(IO[str], gzip.open(path, "rt", encoding="utf-8-sig")) if packed else path.open(encoding="utf-8-sig") as file:
            yield file
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}); convert it to UTF-8") from None
    except FileNotFoundError:
        raise InputError(f"there is no file {path}; check the name") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers, without their ends. Raises `InputError`."""
    with open_text(path) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, line.rstrip("\r\n")


def read_text(path: Path) -> str:
    """The whole text. Raises `InputError`."""
    return "\n".join(line for _, line in read_lines(path))


def bounded_lines(path: Path, file: IO[AnyStr], longest: int) -> Iterator[tuple[int, AnyStr]]:
    """The lines of ``file`` with their numbers and ends; raises `InputError` for one of more than ``longest`` bytes or characters, its
    end included.
    """
    number = 0
    while line := file.readline(longest + 1):
        number += 1
        if len(line) > longest:
            unit = "bytes" if isinstance(line, bytes) else "characters"
            raise InputError(f"{path}:{number} is longer than {longest:,} {unit}; shorten that line, or leave it out")
        yield number, line


def json_values(path: Path, longest: int) -> Iterator[tuple[int, Any]]:
    """The values of a file of JSON lines, with the numbers of their lines, of ``longest`` bytes each at most. Raises `InputError`."""
    try:
        with path.open("rb") as file:
            for number, line in bounded_lines(path, file, longest):
                if not line.strip():
                    continue
                try:
                    value = json.loads(line)
                except (ValueError, RecursionError) as error:
                    raise InputError(f"{path}:{number} is no JSON ({str(error)[:100]})") from None
                yield number, value
    except OSError as error:
        raise InputError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
