"""The files below a folder, sorted, and those that are skipped."""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Collection, Iterator, Set
from pathlib import Path

from pathspec import GitIgnoreSpec

from .ignore import IgnoreRules
from .source import Skipped

__all__ = ["Found", "collection_reason", "in_folder", "in_glob"]

Found = Skipped | tuple[str, str]
"""A file with its path relative to the folder (with ``/``), or something skipped."""

_CORPUS = frozenset(("corpus.jsonl", "corpus.jsonl.gz", "corpus.jsonl.zst"))
_QUERIES = frozenset(("queries.jsonl", "queries.jsonl.gz", "queries.jsonl.zst"))

OUTSIDE = "link out of the folder"

_LIBRARY = frozenset(("manifest.json", "documents.sqlite"))
"""Files of a library's folder, which is skipped."""


def in_folder(
    root: Path, hidden: bool, ignored: bool, follow_links: bool = False, only: Collection[str] | None = None
) -> Iterator[Found]:
    """Everything below ``root``, depth first, in the order of names; with ``only``, these whole paths and what is below them.

    Links out of ``root`` are skipped unless ``follow_links``; then they are followed unless they lead
    to a folder above or to one that is walked anyway. Links inside lead to what is walked anyway.
    """
    rules = None if ignored else IgnoreRules(root)
    real_root = os.path.realpath(root)
    entered: set[tuple[int, int]] = {_identity(os.stat(root))}  # noqa: PTH116
    length = len(str(root).rstrip(os.sep)) + 1
    if {entry.name for entry in _entries(root)} >= _LIBRARY:
        yield Skipped(str(root), "a bookwheel library")
        return
    wanted = _Wanted(str(root), only)
    every = [only is None]  # for each folder on the way whether all that is in it is wanted
    stack: list[Iterator[os.DirEntry[str]]] = [iter(first := _entries(root))]
    names: list[frozenset[str]] = [frozenset(entry.name for entry in first)]
    while stack:
        entry = next(stack[-1], None)
        if entry is None:
            stack.pop()
            names.pop()
            every.pop()
            continue
        whole = every[-1] or entry.path in wanted.paths
        if not whole and entry.path not in wanted.above:
            continue
        link = entry.is_symlink()
        try:
            folder = entry.is_dir()
        except OSError:  # a circle of links
            folder = False
        reason = _reason(entry, folder, names[-1], hidden)
        if not reason and rules is not None and rules.ignored(entry.path, folder):
            reason = "ignored by .gitignore"
        if not reason and link:
            reason = _link_reason(Path(entry.path), folder, real_root, follow_links)
        if reason:
            yield Skipped(entry.path, reason)
        elif not folder:
            if whole:
                yield entry.path, entry.path[length:].replace(os.sep, "/")
        else:
            try:
                identity = _identity(entry.stat())
                inner = _entries(entry.path)
            except OSError as error:
                yield Skipped(
                    entry.path, "no permission" if isinstance(error, PermissionError) else "cannot be read", failed=True
                )
                continue
            if identity in entered:
                yield Skipped(entry.path, "link to a folder already read")
                continue
            if {item.name for item in inner} >= _LIBRARY:
                yield Skipped(entry.path, "a bookwheel library")
                continue
            entered.add(identity)
            stack.append(iter(inner))
            every.append(whole)
            names.append(frozenset(item.name for item in inner))


class _Wanted:
    """Paths that are looked for below a folder, and the folders on the way to them."""

    def __init__(self, root: str, only: Collection[str] | None) -> None:
        self.paths = frozenset(only or ())
        above: set[str] = set()
        for path in self.paths:
            while len(path := os.path.dirname(path)) > len(root) and path not in above:  # noqa: PTH120 - as entries are named
                above.add(path)
        self.above = frozenset(above)


def in_glob(pattern: Path, hidden: bool, ignored: bool, follow_links: bool = False) -> Iterator[Found]:
    """The files that match ``pattern``, and those below folders that match it."""
    parts = pattern.parts
    first = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    root = Path(*parts[:first])
    if not root.is_dir():
        return
    if "**" in parts:
        matches = GitIgnoreSpec.from_lines(["/" + "/".join(parts[first:])])
        for item in in_folder(root, hidden, ignored, follow_links):
            name = Path(item.path).relative_to(root).as_posix() if isinstance(item, Skipped) else item[1]
            if matches.match_file(name):
                yield item
        return
    rules = None if ignored else IgnoreRules(root)
    real_root = os.path.realpath(root)
    for text in sorted(glob.glob(str(pattern), include_hidden=hidden)):  # noqa: PTH207  # Path.glob cannot pass over hidden files
        path = Path(text)
        folder = path.is_dir()
        if rules is not None and rules.ignored(text, folder):
            yield Skipped(text, "ignored by .gitignore")
        elif not follow_links and not _inside(os.path.realpath(text), real_root):
            yield Skipped(text, OUTSIDE)
        elif folder:
            yield from in_folder(path, hidden, ignored, follow_links)
        else:
            yield text, path.relative_to(root).as_posix()


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _reason(entry: os.DirEntry[str], folder: bool, siblings: frozenset[str], hidden: bool) -> str:
    if entry.name == ".git":
        return "hidden"
    if entry.name.startswith(".") and not hidden:
        return "hidden"
    return collection_reason(entry.name, folder, siblings)


def collection_reason(name: str, folder: bool, siblings: Set[str]) -> str:
    """Why a file or folder beside ``siblings`` is no document: it belongs to a BEIR collection's judgments; else ``""``."""
    if siblings & _CORPUS and (siblings & _QUERIES or "qrels" in siblings):
        if name in _QUERIES and not folder:
            return "queries of a BEIR collection"
        if name == "qrels" and folder:
            return "judgments of a BEIR collection"
    return ""


def _inside(target: str, real_root: str) -> bool:
    return target == real_root or target.startswith(real_root.rstrip(os.sep) + os.sep)


def _link_reason(path: Path, folder: bool, real_root: str, follow_links: bool) -> str:
    try:
        target = os.path.realpath(path, strict=True)
    except OSError as error:
        # A link to itself, or a circle of links, has no target either.
        return "link loop" if error.errno == errno.ELOOP else "broken link"
    outside = "" if follow_links else OUTSIDE
    inside = _inside(target, real_root)
    if folder:
        here = os.path.realpath(path.parent)
        if here == target or here.startswith(target.rstrip(os.sep) + os.sep):
            return "link loop"
        return "link to a folder already read" if inside else outside
    return "link to a file already read" if inside else outside
