"""Which paths of a watched folder a change concerns: of what is never read none, but the links that lead there are read.

Libraries in the folder change with each update of theirs, and would be looked at for ever.
"""

from __future__ import annotations

import os
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..documents.passed_over import LIBRARY

__all__ = ["Concerned"]


class Concerned:
    """Finds the paths that changes concern in one folder."""

    def __init__(self, folder: Path, ignored: Sequence[Path] = (), hidden: bool = False) -> None:
        """``ignored``: folders whose changes are none. ``hidden``: hidden files are read, too."""
        self.folder, self.hidden = folder, hidden
        self._ignored = ignored
        self._noise: tuple[str, ...] = ()
        self._root = str(folder)
        self._links: list[tuple[str, str]] = []
        """Where links lead that lead into the folder, by their real paths, in order, and the links."""

    def look(self) -> None:
        """Find the links in the whole folder."""
        self._noise = tuple(f"{os.path.realpath(path)}{os.sep}" for path in self._ignored)
        self._root = os.path.realpath(self.folder)
        self._links = sorted(set(self._links_in(str(self.folder))))

    def paths(self, changed: Iterable[str]) -> set[str]:
        """Of the paths ``changed`` those that may be read, and the links that lead to any of them, or to what is in it."""
        found: set[str] = set()
        libraries: dict[str, bool] = {}
        for path in changed:
            real = _real(path)
            if f"{real}{os.sep}".startswith(self._noise) or self._in_library(os.path.dirname(real), libraries):  # noqa: PTH120
                continue
            if os.path.islink(path) or os.path.isdir(path):  # noqa: PTH112, PTH114
                for pair in self._links_in(path):
                    if (at := bisect_left(self._links, pair)) == len(self._links) or self._links[at] != pair:
                        insort(self._links, pair)
            if not self._is_hidden(path):
                found.add(path)
            found |= self._by_links(real)
        return found

    def _is_hidden(self, path: str) -> bool:
        top = f"{self.folder}".rstrip(os.sep) + os.sep
        if not path.startswith(top):
            return False
        parts = Path(path.removeprefix(top)).parts
        if ".git" in parts[:-1]:
            return True
        # What is ignored changes with a .gitignore, for all other files.
        last = () if parts[-1] == ".gitignore" else parts[-1:]
        return not self.hidden and any(part.startswith(".") for part in (*parts[:-1], *last))

    def _in_library(self, folder: str, known: dict[str, bool]) -> bool:
        above = None
        while above not in (folder, self._root):
            if folder not in known:
                known[folder] = all(os.path.lexists(os.path.join(folder, name)) for name in LIBRARY)  # noqa: PTH118
            if known[folder]:
                return True
            folder, above = os.path.dirname(folder), folder  # noqa: PTH120
        return False

    def _by_links(self, real: str) -> set[str]:
        """The paths by which links lead to ``real``: of what is in it, above it, and itself."""
        if not self._links:
            return set()
        found = set()
        for at in range(bisect_left(self._links, (f"{real}{os.sep}", "")), len(self._links)):
            target, link = self._links[at]
            if not target.startswith(f"{real}{os.sep}"):
                break
            found.add(link)
        target = real
        while len(target) > len(self._root):
            for at in range(bisect_left(self._links, (target, "")), len(self._links)):
                if self._links[at][0] != target:
                    break
                found.add(self._links[at][1] + real[len(target) :])
            target = os.path.dirname(target)  # noqa: PTH120
        return {path for path in found if not self._is_hidden(path)}

    def _links_in(self, top: str) -> list[tuple[str, str]]:
        """The links at and below ``top`` that lead into the folder."""
        found: list[tuple[str, str]] = []
        paths = [] if os.path.islink(top) else [top]  # noqa: PTH114
        links = [] if paths else [top]
        while paths:
            try:
                with os.scandir(paths.pop()) as entries:
                    for entry in entries:
                        if entry.is_symlink():
                            links.append(entry.path)
                        elif entry.name != ".git" and entry.is_dir(follow_symlinks=False):
                            paths.append(entry.path)
            except OSError:  # it went, or may not be read
                continue
        for link in links:
            target = os.path.realpath(link)
            if target.startswith(f"{self._root}{os.sep}") and target != _real(link):
                found.append((target, link))
        return found


def _real(path: str) -> str:
    """Where ``path`` is, without what it leads to where it is itself a link."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118
