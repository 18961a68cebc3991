"""Files that were moved since they were indexed: known by their content, so that nothing of them is embedded again.

Nor are they read again where their name says what it did: only a title that is the file's name changes with it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import PurePath

from .._errors import InputError
from ..documents.members import list_members
from ..documents.paths import Source
from .held_documents import living_documents
from .store import Store
from .writer import Writer

__all__ = ["Moves", "all_gone", "is_gone"]

_ROOTS = 1000
"""Folders that files were moved from, which are remembered."""


def is_gone(path: str) -> bool:
    """Whether a file is there no more: neither it, nor a link to one, nor an archive that it was in.

    What cannot be looked at is not gone.
    """
    while True:
        try:
            return stat.S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            if os.path.islink(path):  # noqa: PTH114
                return True
            path, below = os.path.dirname(path), path  # noqa: PTH120
            if path == below:
                return True
        except (OSError, ValueError):
            return False


def _leads_to(path: str, file: str) -> bool:
    """Whether ``path`` is a link to ``file``, as one that was left where a file was moved from."""
    try:
        return os.path.islink(path) and os.path.samefile(path, file)  # noqa: PTH114, PTH121
    except (OSError, ValueError):
        return False


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
    with closing(rows):  # left to the garbage collector, it would swallow a Ctrl-C that comes while it closes its connection
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
        self._listed: tuple[str, set[str]] = "", set()
        """The archive looked into last, and the paths of its members."""
        self._any = bool(writer.store.execute("SELECT EXISTS (SELECT 1 FROM sources WHERE complete IS NOT NULL)")[0][0])

    def recognise(self, source: Source, fields: str) -> None:
        """Where ``source`` is new, or another file than before, and has the content of a file that is gone: make it that one.

        Where its name may say something else than the old one did, it is marked as to be read again.
        """
        store = self.writer.store
        if not self._any:
            return
        held = store.execute(
            "SELECT id, size, mtime_ns FROM sources s WHERE path = ? "
            "AND EXISTS (SELECT 1 FROM documents WHERE source = s.id AND removed IS NULL)",
            (source.path,),
        )
        if held and held[0][1:] == (source.size, source.mtime_ns):
            return
        if store.execute("SELECT EXISTS (SELECT 1 FROM sources WHERE size = ? AND digest <> '')", (source.size,)) == [(0,)]:
            return
        try:
            candidates = store.same_content(source.size, source.digest(), fields)
        except InputError:  # it went since it was found: reading it will tell
            return
        best: tuple[bool, int, int, str] | None = None
        for number, path, title in candidates:
            gone = is_gone(path) or _leads_to(path, source.path) or self._left_archive(path, source.inside)
            if title is None or not gone:
                continue
            stays = title_stays(title, path, source.name) and self._name_stays(number, path, source)
            rank = stays, _common(path, source.path)
            if best is None or rank > best[:2]:
                best = *rank, number, path
        if best is None:
            return
        stays, common, number, path = best
        if held:  # the file that was moved has taken its place
            self.writer.remove(living_documents(self.writer, held[0][0]))
        self.writer.move(number, path, source.path)
        if not stays:
            store.mark_incomplete("id = ?", (number,))
        self.files += 1
        if len(self._roots) < _ROOTS:
            self._roots[_root(path, common)] = None

    def _left_archive(self, path: str, archive: Source | None) -> bool:
        """Whether ``path`` was in ``archive``, which is there, and is not in it any more."""
        if archive is None or not path.startswith(f"{archive.path}/"):
            return False
        if self._listed[0] != archive.path:
            try:
                self._listed = archive.path, {f"{archive.path}/{member.path}" for member in list_members(archive)}
            except InputError:  # damaged: who knows what else is in it
                self._listed = archive.path, {path}
        return path not in self._listed[1]

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

    def left_behind(self, places: Sequence[str]) -> list[str]:
        """A sentence for each folder that files were moved from and where others are gone too, none of them in ``places``.

        Their documents stay: one file of equal content does not say whether a folder was moved, or its disk is not mounted.
        """
        inside = tuple(f"{place.rstrip('/')}/" for place in places)
        notes: list[str] = []
        done: tuple[str, ...] = ()
        for root in sorted(self._roots):
            if f"{root}/".startswith((*inside, *done)):
                continue
            done = *done, f"{root}/"
            rows = self.writer.store.execute(
                "SELECT path FROM sources s WHERE path > ? AND path < ? "
                "AND EXISTS (SELECT 1 FROM documents WHERE source = s.id AND removed IS NULL) ORDER BY path",
                (f"{root}/", f"{root}0"),
            )
            lost = [path for (path,) in rows if not path.startswith(inside) and is_gone(path)]
            if lost:
                notes.append(_kept(root or "/", lost))
        return notes


def _kept(root: str, lost: Sequence[str]) -> str:
    """The sentence that the files ``lost`` of ``root`` keep their documents, and what to do about it."""
    files = f"{len(lost):,} other files that the library has" if len(lost) > 1 else "another file that the library has"
    are = "are" if len(lost) > 1 else "is"
    names = f"{lost[0]}{', …' if len(lost) > 1 else ''}"
    there = os.path.lexists(root)
    advice = f"index {root}, too" if there else f"mount {root} again if its disk is away"
    return (
        f"{files} from {root}, where files were moved from, {are} not there any more ({names}); the documents are kept, since only "
        f"the paths given are brought up to date: {advice}, or remove them with: bookwheel remove {lost[0] if there else root}"
    )


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
