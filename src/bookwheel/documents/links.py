"""Where symbolic links below a folder lead, and whether that is read anyway: if it isn't, it is read under the link's name, once.

So are notes that Kubernetes mounts (``app.md -> ..data/app.md``), what git-annex keeps in ``.git``, and ``current -> .releases/3``.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from .ignore import IgnoreRules
from .passed_over import JUDGED, LIBRARY, name_reason

__all__ = ["IGNORED", "OUTSIDE", "Links", "Wanted", "inside"]

OUTSIDE = "link out of the folder"
IGNORED = "ignored by .gitignore"
_UNWANTED = "not among those asked for"
_READ_UNDER_ITS_NAME = frozenset((OUTSIDE, "hidden", IGNORED, _UNWANTED))
"""Why the walk does not come to a target by itself; for any other reason the link is skipped as its target is."""

Wanted = Callable[[str], bool]
"""Whether a file is asked for, by its path relative to the folder that is walked."""


def inside(target: str, folder: str) -> bool:
    """Whether ``target`` is ``folder`` or below it, both without links."""
    return target == folder or target.startswith(folder.rstrip(os.sep) + os.sep)


class Links:
    """The links that one walk meets."""

    def __init__(self, root: Path, rules: IgnoreRules | None, hidden: bool, follow: bool, wanted: Wanted | None = None) -> None:
        """``follow``: also those that lead out of ``root``. ``wanted``: where not all files are."""
        self._rules, self._hidden, self._follow, self._wanted = rules, hidden, follow, wanted
        self._length = len(str(root).rstrip(os.sep)) + 1
        self._root = os.path.realpath(root)
        self._walked: dict[str, str] = {self._root: str(root).rstrip(os.sep)}
        """Folders that are walked, by where they really are, and as they are called here."""
        self._files: set[tuple[int, int]] = set()
        """Files that were read under the name of a link."""
        self._folders: set[tuple[int, int]] = set()

    def reason(self, path: str, folder: bool) -> str:
        """Why the link ``path`` is skipped; ``""`` where what it leads to is to be read under its name."""
        try:
            target = os.path.realpath(path, strict=True)
            status = os.stat(target)  # noqa: PTH116
        except OSError as error:
            # A link to itself, or a circle of links, has no target either.
            return "link loop" if error.errno == errno.ELOOP else "broken link"
        if folder and inside(os.path.realpath(os.path.dirname(path)), target):  # noqa: PTH120
            return "link loop"
        why = self._passed_over(target, folder)
        again = f"link to a {'folder' if folder else 'file'} already read"
        if not why:
            return again
        if why not in _READ_UNDER_ITS_NAME or (why == OUTSIDE and not self._follow):
            return why
        if folder or (self._wanted is not None and not self._wanted(path[self._length :].replace(os.sep, "/"))):
            return ""
        identity = status.st_dev, status.st_ino
        if identity in self._files:
            return again
        self._files.add(identity)
        return ""

    def enter(self, path: str, status: os.stat_result, link: bool) -> bool:
        """Whether a folder to which a link led (itself, if ``link``) is new; from now on it counts as walked."""
        identity = status.st_dev, status.st_ino
        if identity in self._folders:
            return False
        self._folders.add(identity)
        if link:
            self._walked[os.path.realpath(path)] = path
        return True

    def is_read(self, path: str) -> bool:
        """Whether a file below a folder to which a link led is read under another name."""
        try:
            status = os.stat(path)  # noqa: PTH116
        except OSError:
            return False
        if (status.st_dev, status.st_ino) in self._files:
            return True
        # Only where not all files are wanted is a folder entered that is walked anyway.
        return self._wanted is not None and not self._on_the_way(self._root, os.path.realpath(path), False)

    def _passed_over(self, target: str, folder: bool) -> str:
        """Why the walk does not come to ``target`` by itself; ``""`` where it does."""
        found, above = OUTSIDE, target
        while True:
            if above in self._walked and not (found := self._on_the_way(above, target, folder)):
                return ""
            at, above = above, os.path.dirname(above)  # noqa: PTH120
            if at == above:
                return found

    def _on_the_way(self, real: str, target: str, folder: bool) -> str:
        """Why the walk of the folder ``real`` does not come to ``target``."""
        if not inside(target, real):
            return OUTSIDE
        at, called = real.rstrip(os.sep), self._walked[real]
        for part in Path(target[len(at) + 1 :]).parts:
            above, at, called = at or os.sep, f"{at}{os.sep}{part}", f"{called}{os.sep}{part}"
            is_folder = folder or at != target
            reason = name_reason(part, is_folder, _names(above) if part in JUDGED else frozenset(), self._hidden)
            if not reason and self._rules is not None and self._rules.ignored(called, is_folder):
                reason = IGNORED
            if not reason and is_folder and all(os.path.lexists(f"{at}{os.sep}{name}") for name in LIBRARY):
                reason = "a bookwheel library"
            if reason:
                return reason
        if self._wanted is not None and (folder or not self._wanted(called[self._length :].replace(os.sep, "/"))):
            return _UNWANTED
        return ""


def _names(folder: str) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))  # noqa: PTH208
    except OSError:
        return frozenset()
