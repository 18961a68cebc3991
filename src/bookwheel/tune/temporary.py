"""A folder beside a library for a while, on its disk, so that a copy can share its segments."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["beside"]


@contextmanager
def beside(library: Path, prefix: str) -> Iterator[Path]:
    """An empty folder in the folder that ``library`` is in, or among the system's temporary files; deleted at the end."""
    with tempfile.TemporaryDirectory(prefix=prefix, dir=_around(library), ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _around(path: Path) -> Path | None:
    """The folder that ``path`` is in, where files can be made there; None for the system's own for temporary files."""
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            return path.parent
    except OSError:
        return None
