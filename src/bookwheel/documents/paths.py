"""From the paths a user gives to the files to read, and those skipped, with the reason."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from pathlib import Path

from .._errors import InputError
from .archived import in_archive
from .discovery import in_folder, in_glob
from .members import close_archives
from .readers import FORMATS
from .sniffing import FAILURES, sniff
from .source import CONTAINER_FACTOR, DEFAULT_MAX_BYTES, STDIN, Skipped, Source
from .stdin import standard_input

__all__ = ["Skipped", "Source", "recognised", "skipped_or_members", "walk"]

_MISSING = "does not exist"


def walk(
    paths: Sequence[str | Path],
    *,
    hidden: bool = False,
    ignored: bool = False,
    follow_links: bool = False,
    max_bytes: int = DEFAULT_MAX_BYTES,
    only: Collection[str] | None = None,
) -> Iterator[Source | Skipped]:
    """Finds the files under ``paths``: files, folders (recursive), globs (``**`` too),
    or ``"-"`` for standard input.

    In folders, hidden files, files ignored by ``.gitignore``, binary and empty files, and
    files larger than ``max_bytes`` are skipped (``hidden`` and ``ignored`` include the first
    two), and so are links that lead out of the folder, unless ``follow_links``, and those to what
    is read anyway; a file given by its own path is always read. Each file comes once, in the order
    of ``paths`` and sorted within a folder. In a BEIR folder (corpus.jsonl beside queries.jsonl
    or qrels/) only the corpus is read. With ``only``, of folders nothing is looked at but these whole
    paths and what is below them. Raises :class:`InputError` immediately, for all paths
    that do not exist or match nothing.
    """
    wrong: list[str] = []
    plans: list[tuple[str, Path | str]] = []
    for given in paths:
        text = str(given)
        if text == STDIN:
            plans.append(("stdin", text))
            continue
        path = Path(os.path.abspath(os.path.expanduser(text)))  # noqa: PTH100, PTH111  # resolve() would follow links, and ~nobody is an error for Path
        try:
            problem = _problem(path)
        except ValueError:  # a NUL in the path
            problem = "is not a path"
        if problem is None:
            plans.append(("folder" if path.is_dir() else "file", path))
        elif glob.has_magic(text) and problem == _MISSING:
            if next(in_glob(path, hidden, ignored, follow_links), None) is None:
                wrong.append(f"{text!r} matches no files")
            plans.append(("glob", path))
        else:
            wrong.append(f"{text!r} {problem}")
    if not plans and not wrong:
        wrong.append("no path was given")
    if wrong:
        raise InputError("nothing was read: " + "; ".join(wrong))
    return _Walk(hidden, ignored, follow_links, max_bytes, only).run(plans)


def _problem(path: Path) -> str | None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "is a broken link" if path.is_symlink() else _MISSING
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    if stat.S_ISDIR(mode):
        return None if os.access(path, os.R_OK | os.X_OK) else "cannot be read (permission denied)"
    if not stat.S_ISREG(mode):
        return "is not a regular file (use - to read standard input)"
    return None if os.access(path, os.R_OK) else "cannot be read (permission denied)"


class _Walk:
    def __init__(
        self, hidden: bool, ignored: bool, follow_links: bool, max_bytes: int, only: Collection[str] | None = None
    ) -> None:
        self._only = only
        self._hidden, self._ignored, self._follow_links, self._max_bytes = hidden, ignored, follow_links, max_bytes
        self._yielded: set[str] = set()

    def run(self, plans: Iterable[tuple[str, Path | str]]) -> Iterator[Source | Skipped]:
        for kind, path in plans:
            if kind == "stdin":
                yield standard_input(self._max_bytes)
            elif kind == "file":
                yield from self._file(str(path), Path(path).name, explicit=True)
            else:
                look = self._hidden, self._ignored, self._follow_links
                found = in_folder(Path(path), *look, self._only) if kind == "folder" else in_glob(Path(path), *look)
                for item in found:
                    if isinstance(item, Skipped):
                        yield item
                    else:
                        yield from self._file(*item, explicit=False)

    def _file(self, path: str, name: str, explicit: bool) -> Iterator[Source | Skipped]:
        if path in self._yielded:
            return
        result = self._look(path, name, explicit)
        if not isinstance(result, Source):
            yield result
            return
        self._yielded.add(path)
        yield from skipped_or_members(result, self._hidden)

    def _look(self, path: str, name: str, explicit: bool) -> Source | Skipped:
        try:
            status = os.stat(path)  # noqa: PTH116  # done for every file: Path is slow
            if not stat.S_ISREG(status.st_mode):
                return Skipped(path, "not a regular file")
            if status.st_size == 0:
                return Skipped(path, "empty")
            try:
                path.encode()
            except UnicodeEncodeError:
                return Skipped(path, "name is not UTF-8", failed=True)
            found = Source(path, status.st_size, status.st_mtime_ns, "text", "", name, explicit, self._max_bytes)
            return recognised(found)
        except OSError as error:
            return Skipped(path, "no permission" if isinstance(error, PermissionError) else "cannot be read", failed=True)


def skipped_or_members(found: Source | Skipped, hidden: bool = False) -> Generator[Source | Skipped, None, None]:
    """``found`` itself, or if it is an archive what is in it."""
    if isinstance(found, Source) and FORMATS[found.format].folder:
        try:
            yield from in_archive(found, hidden, recognised)
        finally:
            close_archives()
    else:
        yield found


def recognised(found: Source, name: str = "") -> Source | Skipped:
    """``found`` with its format, if it is read: that of its own name, or of ``name``.

    Raises ``OSError`` if its first bytes cannot be read.
    """
    result = sniff(found, name or found.path.rpartition("/")[2])
    if isinstance(result, str):
        return Skipped(found.path, result, failed=result in FAILURES)
    form = FORMATS[result.format]
    limit = found.max_bytes * (CONTAINER_FACTOR if form.container else 1)
    if found.size > limit and not form.streamed and not found.explicit:
        return Skipped(found.path, "too large", told=f"{result.too_large(limit)}; it was skipped")
    return result
