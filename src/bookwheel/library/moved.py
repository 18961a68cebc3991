"""Files that were moved since they were indexed: known by their content, so that nothing of them is read or embedded again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath

from .._errors import InputError
from ..documents.paths import Source
from .store import Store
from .writer import Writer

__all__ = ["Moves", "all_gone", "is_gone"]

_ROOTS = 1000
"""Folders that files were moved from, which are remembered."""


def is_gone(path: str) -> bool:
    """Whether a file is there no more: neither it nor an archive that it was in. What cannot be looked at is not gone."""
    while True:
        try:
            there = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            path, below = os.path.dirname(path), path  # noqa: PTH120
            if path == below:
                return True
        except (OSError, ValueError):
            return False
        else:
            return os.path.isdir(path) or os.path.islink(path) if there else False  # noqa: PTH112, PTH114


def all_gone(store: Store, generation: int, folder: str) -> bool:
    """Whether there are documents of files in ``folder``, and not one of these files is there any more.

    So it is where a disk is not mounted, or the folder was emptied.
    """
    some = False
    rows = store.stream(
        "SELECT path FROM sources s WHERE path > ?1 AND path < ?2 AND EXISTS (SELECT 1 FROM documents d WHERE d.source = s.id "
        "AND +d.added <= ?3 AND (d.removed IS NULL OR d.removed > ?3))",
        (f"{folder.rstrip('/')}/", f"{folder.rstrip('/')}0", generation),
    )
    for (path,) in rows:
        some = True
        if not is_gone(path):
            return False
    return some


class Moves:
    """Recognises moved files while an indexing run goes on."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.files = 0
        """How many were recognised."""
        self._roots: dict[str, None] = {}
        self._any = bool(writer.store.execute("SELECT EXISTS (SELECT 1 FROM sources WHERE complete IS NOT NULL)")[0][0])

    def recognise(self, source: Source, fields: str) -> None:
        """Where ``source`` is new, and has the content of a file that is gone and whose name says nothing else, make it that one."""
        store = self.writer.store
        if not self._any or store.execute(
            "SELECT EXISTS (SELECT 1 FROM documents WHERE removed IS NULL AND source IN (SELECT id FROM sources WHERE path = ?))",
            (source.path,),
        ) != [(0,)]:
            return
        if store.execute("SELECT EXISTS (SELECT 1 FROM sources WHERE size = ? AND digest <> '')", (source.size,)) == [(0,)]:
            return
        try:
            candidates = store.same_content(source.size, source.digest(), fields)
        except InputError:  # it went since it was found: reading it will tell
            return
        best: tuple[int, int, str] | None = None
        for number, path, title in candidates:
            if not title_stays(title, path, source.name) or not self._name_stays(number, path, source) or not is_gone(path):
                continue
            if best is None or (common := _common(path, source.path)) > best[0]:
                best = (_common(path, source.path) if best is None else common), number, path
        if best is not None:
            self.writer.move(best[1], best[2], source.path)
            self.files += 1
            if len(self._roots) < _ROOTS:
                self._roots[_root(best[2], best[0])] = None

    def _name_stays(self, number: int, path: str, source: Source) -> bool:
        """Whether the file had this name before, or one that made no difference: of the same kind, and nobody's title."""
        old, new = path.rpartition("/")[2], source.path.rpartition("/")[2]
        if old == new:
            return True
        if PurePath(old).suffixes != PurePath(new).suffixes or not PurePath(new).suffix:
            return False
        titles = old, replace(source, path=path).stem
        return not self.writer.store.execute(
            "SELECT EXISTS (SELECT 1 FROM documents WHERE source = ? AND removed IS NULL AND title IN (?, ?))",
            (number, *titles),
        )[0][0]

    def left_behind(self) -> Iterator[int]:
        """Numbers of the sources in the folders that were moved which are gone: what they held is no more."""
        for root in self._roots:
            if not is_gone(root):
                continue
            rows = self.writer.store.execute(
                "SELECT id, path FROM sources WHERE path >= ? AND path < ?", (f"{root}/", f"{root}0")
            )
            yield from (number for number, path in rows if is_gone(path))


def title_stays(title: str | None, path: str, name: str) -> bool:
    """Whether a document keeps its title at the new place: that of code is the path in the folder given, ``name``."""
    return title is not None and (title == name or "/" not in title or not path.endswith(f"/{title}"))


def _common(one: str, other: str) -> int:
    """How many parts at the end of two paths are equal."""
    count = 0
    for mine, theirs in zip(reversed(one.split("/")), reversed(other.split("/")), strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def _root(path: str, parts: int) -> str:
    return path.rsplit("/", parts)[0]
