"""What changed in a folder: as the system tells it (watchfiles), or by looking again and again where it tells nothing."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from .inotify import Told, open_instances

if TYPE_CHECKING:
    from watchfiles import Change

__all__ = ["Changed", "by_events", "by_looking", "has_events", "identity"]

Changed = frozenset[str]
"""Whole paths of files and folders that were made, written, moved or removed; none of them: nothing happened for a while."""

QUIET = 0.2
"""Seconds without a change after which those before it are told together."""
AT_MOST = 1.0
"""Seconds after the first change in which they are told, however many follow."""
HEARTBEAT = 0.5
"""Seconds after which it is told that nothing changed."""
SHARE = 10
"""How many times longer than a look took one waits until the next, so that looking is a tenth of a core at most."""
LEAST = 2.0
"""Seconds between two looks."""
LOOKS = 3
"""How often a folder is found not to be watched until the watcher is made anew: it may have been made that moment."""
_CREATING = threading.Lock()
"""Held while a watcher is made, so that each knows its own."""


def has_events() -> bool:
    """Whether the package that tells of changes is installed."""
    from importlib.util import find_spec

    return find_spec("watchfiles") is not None


def identity(folder: Path) -> tuple[int, int] | None:
    """What tells a folder from another one at the same path, as a disk mounted there is; None where there is none."""
    try:
        found = os.stat(folder)  # noqa: PTH116
    except OSError:
        return None
    return found.st_dev, found.st_ino


def by_events(folder: Path, stop: threading.Event) -> Iterator[Changed]:
    """Changes as the system tells them, gathered. Raises `OSError` where it cannot: too many folders, or another file system.

    Ends where the system tells no longer of all of them: where the folder went, or one below it is not watched that could be.
    """
    from watchfiles import Change

    passing_over = False
    with _CREATING:
        before = open_instances()
        try:
            changes = _changes(folder, stop)
            first = next(changes, None)
        except PermissionError:  # a folder below may not be read: those that come after it may not be watched then, either
            passing_over = True
            changes = _changes(folder, stop, passing_over)
            first = next(changes, None)
        told = Told(before)
    # All are watched where no error came; should they be counted otherwise than inotify does, that is no doubt.
    usual = told.missing(folder)
    if passing_over and usual:
        for _ in range(LOOKS):  # it may have been made this moment
            if stop.wait(HEARTBEAT) or not (usual := told.missing(folder)):
                break
        else:
            raise OSError("folders in it may not be read, and it passes over others then")
    doubt, doubted, due = False, 0, 0.0
    given, real = str(folder), os.path.realpath(folder)
    with closing(changes):
        while first is not None:
            found, first = first, None
            # Some systems tell of a folder behind a link by its real path.
            named = {
                path if path == given or path.startswith(f"{given}{os.sep}") else f"{given}{path.removeprefix(real)}": change
                for change, path in found
            }
            yield frozenset(named)
            if named.get(given) is Change.deleted:  # what is made anew at its place is another folder, even by its number
                return
            doubt = doubt or any(os.path.isdir(path) for path in named)  # noqa: PTH112
            if doubt and (began := time.monotonic()) >= due:
                if told.missing(folder) <= usual:
                    doubt, doubted = False, 0
                elif (doubted := doubted + 1) >= LOOKS:  # not only one that was just made
                    return
                due = time.monotonic() + SHARE * (time.monotonic() - began)
            first = next(changes, None)


def _changes(folder: Path, stop: threading.Event, passing_over: bool = False) -> Generator[set[tuple[Change, str]], None, None]:
    """``passing_over``: errors about folders that may not be read, or are too many, end nothing and are not told."""
    from watchfiles import watch

    return watch(
        folder,
        watch_filter=None,
        debounce=int(AT_MOST * 1000),
        step=int(QUIET * 1000),
        rust_timeout=int(HEARTBEAT * 1000),
        yield_on_timeout=True,
        stop_event=stop,
        raise_interrupt=True,
        recursive=True,
        ignore_permission_denied=passing_over,
    )


def by_looking(folder: Path, stop: threading.Event, least: float = LEAST) -> Iterator[Changed]:
    """The same without events: sizes and times of all files, compared every few seconds."""
    before, took = _look(folder)
    yield frozenset()
    while not stop.wait(max(least, SHARE * took)):
        now, took = _look(folder)
        yield frozenset(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))
        before = now


def _look(folder: Path) -> tuple[dict[str, tuple[int, int, int, int]], float]:
    """Size, times of change and inode of each file below ``folder``, and how many seconds it took. Links are not followed."""
    began = time.monotonic()
    found: dict[str, tuple[int, int, int, int]] = {}
    folders = [str(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name != ".git":
                            folders.append(entry.path)
                    else:
                        status = entry.stat(follow_symlinks=False)
                        found[entry.path] = status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
        except OSError:  # it went, or may not be read: indexing tells
            continue
    return found, time.monotonic() - began
