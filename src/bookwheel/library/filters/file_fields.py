"""What every file tells of the documents in it: its path, folder, suffix, size and time, as fields that filters know.

They are columns and expressions of the table ``sources``, so that a document takes no row for them. A document's own field of
the same name wins, for that document.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta

from ..._errors import FilterError

__all__ = [
    "FILES",
    "FILE_FIELDS",
    "PLACES",
    "equal_tests",
    "file_values",
    "folder_of",
    "register_files",
    "require_place",
    "suffix_of",
]

FILE_FIELDS = {
    "path": "path",
    "folder": "bookwheel_folder(path)",
    "suffix": "bookwheel_suffix(path)",
    "size": "size",
    "modified": "strftime('%Y-%m-%dT%H:%M:%SZ', mtime_ns / 1000000000, 'unixepoch')",
}
"""The fields, and what they are of a row of ``sources``."""

FILES = "path NOT IN ('', '-')"
"""The sources that are files: documents may come from a program, or from standard input."""

PLACES = ("path", "folder", "suffix")
"""Those that are text without an order."""

_PACKED = frozenset(("gz", "bz2", "xz", "zst"))
_LONGEST_SUFFIX = 16
_EPOCH = datetime(1970, 1, 1)


def register_files(connection: sqlite3.Connection) -> None:
    """Give ``connection`` the functions of `FILE_FIELDS`."""
    connection.create_function("bookwheel_folder", 1, folder_of, deterministic=True)
    connection.create_function("bookwheel_suffix", 1, suffix_of, deterministic=True)


def folder_of(path: str) -> str:
    """The folder, or the archive, that the file is in: ``/`` or a path without ``/`` at its end."""
    return path.rpartition("/")[0] or ("/" if path.startswith("/") else "")


def suffix_of(path: str) -> str:
    """What follows the last dot of the file's name, in lower case; before that of a compressed file (``notes.txt.gz``: txt)."""
    stem, suffix = _last_suffix(path.rpartition("/")[2])
    if suffix in _PACKED:
        suffix = _last_suffix(stem)[1] or suffix
    return suffix


def _last_suffix(name: str) -> tuple[str, str]:
    stem, dot, suffix = name.rpartition(".")
    if not dot or not stem.strip(".") or not 0 < len(suffix) <= _LONGEST_SUFFIX or " " in suffix:
        return name, ""
    return stem, suffix.lower()


def file_values(path: str, size: int | None, mtime_ns: int | None) -> dict[str, str | int]:
    """The values of `FILE_FIELDS` for a file; none for what came from a program."""
    if path in ("", "-"):
        return {}
    found: dict[str, str | int] = {"path": path}
    if folder := folder_of(path):
        found["folder"] = folder
    if suffix := suffix_of(path):
        found["suffix"] = suffix
    if size is not None:
        found["size"] = size
    if mtime_ns is not None and (time := _time(mtime_ns)) is not None:
        found["modified"] = time
    return found


def _time(mtime_ns: int) -> str | None:
    seconds = mtime_ns // 10**9 if mtime_ns >= 0 else -(-mtime_ns // 10**9)  # as SQL divides
    try:
        return f"{(_EPOCH + timedelta(seconds=seconds)).isoformat()}Z"  # four times faster than strftime
    except OverflowError:
        return None


def require_place(field: str, text: str) -> None:
    """Raise `FilterError` for a path or folder that means another one from each folder."""
    if field != "suffix" and (text.split("/")[0] in (".", "..") or text.startswith("~")):
        raise FilterError(f"{text!r:.80} depends on where you are; give the whole path from /, or its last part alone")


def equal_tests(field: str, values: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Conditions on a row of ``sources``, with their parameters, that ``field`` is one of ``values``.

    A folder is equal to itself and to those that it is in. A path that does not begin with ``/`` stands for the end of one.
    """
    forms = [form for value in values for form in dict.fromkeys((value, *(_normal(kind, value) for kind in ("NFC", "NFD"))))]
    if field == "suffix":
        suffixes = list(dict.fromkeys(form.removeprefix(".").lower() for form in forms))
        return [(f"bookwheel_suffix(path) IN ({', '.join('?' * len(suffixes))})", suffixes)]
    if field == "folder":
        tests: list[tuple[str, list[str]]] = []
        for form in forms:
            inside = form.rstrip("/") + "/"
            if form.startswith("/"):
                tests.append(("path >= ? AND path < ?", [inside, inside[:-1] + "0"]))  # '0' follows '/'
            else:
                tests.append(("instr(bookwheel_folder(path) || '/', ?) > 0", ["/" + inside]))
        return tests
    if field == "path":
        whole = [form for form in forms if form.startswith("/")]
        tests = [(f"path IN ({', '.join('?' * len(whole))})", whole)] if whole else []
        return [*tests, *(("substr(path, -length(?)) = ?", ["/" + f, "/" + f]) for f in forms if not f.startswith("/"))]
    return [(f"{FILE_FIELDS[field]} IN ({', '.join('?' * len(forms))})", forms)]


def _normal(kind: str, text: str) -> str:
    return unicodedata.normalize(kind, text)  # type: ignore[arg-type]
