"""The files below a folder, sorted, and those that are skipped."""

from __future__ import annotations

import glob
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from pathspec import GitIgnoreSpec

from .ignore import IgnoreRules
from .links import IGNORED, OUTSIDE, Links, Wanted, inside
from .passed_over import LIBRARY, name_reason
from .source import Skipped

__all__ = ["Found", "in_folder", "in_glob"]

Found = Skipped | tuple[str, str]
"""A file with its path relative to the folder (with ``/``), or something skipped."""


def in_folder(
    root: Path,
    hidden: bool,
    ignored: bool,
    follow_links: bool = False,
    only: Collection[str] | None = None,
    wanted: Wanted | None = None,
) -> Iterator[Found]:
    """Everything below ``root``, depth first, in the order of names; with ``only``, these whole paths and what is below them.

    Links out of ``root`` are skipped unless ``follow_links``. A link is followed unless it leads to a folder above, or to what
    is walked anyway; of several that lead to one target, the first is. With ``wanted``, whoever asks takes only such files.
    """
    rules = None if ignored else IgnoreRules(root)
    links = Links(root, rules, hidden, follow_links, wanted)
    entered: set[tuple[int, int]] = {_identity(os.stat(root))}  # noqa: PTH116
    length = len(str(root).rstrip(os.sep)) + 1
    if {entry.name for entry in _entries(root)} >= LIBRARY:
        yield Skipped(str(root), "a bookwheel library")
        return
    chosen = _Chosen(str(root), only)
    every = [only is None]  # for each folder on the way whether all that is in it is wanted
    stack: list[Iterator[os.DirEntry[str]]] = [iter(first := _entries(root))]
    names: list[frozenset[str]] = [frozenset(entry.name for entry in first)]
    linked = [False]  # for each folder on the way whether a link led there
    while stack:
        entry = next(stack[-1], None)
        if entry is None:
            stack.pop()
            names.pop()
            every.pop()
            linked.pop()
            continue
        whole = every[-1] or entry.path in chosen.paths
        if not whole and entry.path not in chosen.above:
            continue
        link = entry.is_symlink()
        try:
            folder = entry.is_dir()
        except OSError:  # a circle of links
            folder = False
        reason = name_reason(entry.name, folder, names[-1], hidden)
        if not reason and rules is not None and rules.ignored(entry.path, folder):
            reason = IGNORED
        if not reason and link:
            reason = links.reason(entry.path, folder)
        elif not reason and linked[-1] and not folder and links.is_read(entry.path):
            reason = "link to a file already read"
        if reason:
            yield Skipped(entry.path, reason)
        elif not folder:
            if whole:
                yield entry.path, entry.path[length:].replace(os.sep, "/")
        else:
            try:
                status = entry.stat()
                inner = _entries(entry.path)
            except OSError as error:
                yield Skipped(
                    entry.path, "no permission" if isinstance(error, PermissionError) else "cannot be read", failed=True
                )
                continue
            if {item.name for item in inner} >= LIBRARY:
                yield Skipped(entry.path, "a bookwheel library")
                continue
            by_link = link or linked[-1]
            # With ``wanted``, a link may lead to a folder that is walked anyway, since not all in it is asked for.
            again = _identity(status) in entered and (wanted is None or not by_link)
            if again or (by_link and not links.enter(entry.path, status, link)):
                yield Skipped(entry.path, "link to a folder already read")
                continue
            if not by_link:
                entered.add(_identity(status))
            stack.append(iter(inner))
            every.append(whole)
            linked.append(by_link)
            names.append(frozenset(item.name for item in inner))


class _Chosen:
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
        for item in in_folder(root, hidden, ignored, follow_links, wanted=matches.match_file):
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
            yield Skipped(text, IGNORED)
        elif not follow_links and not inside(os.path.realpath(text), real_root):
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
