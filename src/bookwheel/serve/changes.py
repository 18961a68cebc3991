"""What changed in a folder: as the system tells it (watchfiles), or by looking again and again where it tells nothing."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

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
    """Changes as the system tells them, gathered. Raises `OSError` where it cannot: too many folders, or another file system."""
    from watchfiles import watch

    changes = watch(
        folder,
        watch_filter=None,
        debounce=int(AT_MOST * 1000),
        step=int(QUIET * 1000),
        rust_timeout=int(HEARTBEAT * 1000),
        yield_on_timeout=True,
        stop_event=stop,
        raise_interrupt=True,
        recursive=True,
        ignore_permission_denied=True,
    )
    given, real = str(folder), os.path.realpath(folder)
    for found in changes:
        # Some systems tell of a folder behind a link by its real path.
        yield frozenset(
            path if path == given or path.startswith(f"{given}{os.sep}") else f"{given}{path.removeprefix(real)}"
            for _, path in found
        )


def by_looking(folder: Path, stop: threading.Event, least: float = LEAST) -> Iterator[Changed]:
    """The same without events: sizes and times of all files, compared every few seconds."""
    before, took = _look(folder)
    yield frozenset()
    while not stop.wait(max(least, SHARE * took)):
        now, took = _look(folder)
        yield frozenset(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))
        before = now


def _look(folder: Path) -> tuple[dict[str, tuple[int, int, int]], float]:
    """Size, time of change and inode of each file below ``folder``, and how many seconds it took. Links are not followed."""
    began = time.monotonic()
    found: dict[str, tuple[int, int, int]] = {}
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
                        found[entry.path] = status.st_size, status.st_mtime_ns, status.st_ino
        except OSError:  # it went, or may not be read: indexing tells
            continue
    return found, time.monotonic() - began
