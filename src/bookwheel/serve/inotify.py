"""Whether Linux tells of changes in every folder below one: the folders that there are, and those that inotify watches.

watchfiles passes on no error about folders that come later, so that nothing would say where the limit of watches was reached, or
a folder could not be read when it came. Elsewhere nothing is known, and nothing is said.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["Told", "folders_below", "open_instances"]

_FDS = Path("/proc/self/fd")


def open_instances() -> frozenset[int]:
    """The numbers of this process's files that are inotify's."""
    found = set()
    try:
        numbers = os.listdir(_FDS)  # noqa: PTH208
    except OSError:
        return frozenset()
    for number in numbers:
        try:
            if os.readlink(_FDS / number) == "anon_inode:inotify":  # noqa: PTH115
                found.add(int(number))
        except OSError:  # closed since
            continue
    return frozenset(found)


def folders_below(folder: Path) -> int:
    """How many different folders there are from ``folder`` down that can be read, links followed, as watchfiles does."""
    seen: set[tuple[int, int]] = set()
    paths = [str(folder)]
    while paths:
        path = paths.pop()
        try:
            status = os.stat(path)  # noqa: PTH116
            if (status.st_dev, status.st_ino) in seen:
                continue
            with os.scandir(path) as entries:
                paths += [entry.path for entry in entries if entry.is_dir()]
        except OSError:
            continue
        seen.add((status.st_dev, status.st_ino))
    return len(seen)


class Told:
    """The folders that one watcher is told of."""

    def __init__(self, before: frozenset[int]) -> None:
        """``before``: `open_instances` before the watcher was made."""
        made = open_instances() - before
        self._info = Path(f"/proc/self/fdinfo/{min(made)}") if len(made) == 1 else None

    def missing(self, folder: Path) -> int:
        """How many folders from ``folder`` down are not among them; 0 where the system does not tell."""
        if self._info is None:
            return 0
        there = folders_below(folder)
        try:
            with self._info.open(encoding="ascii", errors="replace") as lines:
                return max(0, there - sum(line.startswith("inotify") for line in lines))
        except OSError:
            return 0
