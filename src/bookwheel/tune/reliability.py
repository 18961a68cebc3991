"""Made queries put to the test: a panel of recipes is scored by them, and they are trusted as far as they agree among themselves."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..library.library import Library
from ..progress import Progress, silent
from .made.collection import MadeCollection
from .made.masked import masked_library
from .panel import panel_scores
from .trust import Trust, trust

__all__ = ["reliability", "searchable"]


def reliability(library: Library, made: MadeCollection, *, seed: int = 0, progress: Progress = silent) -> Trust:
    """How far to trust ``made``, by the order that it gives to the panel of recipes in a temporary copy of ``library``.

    Raises what `masked_library` and searching raise.
    """
    with searchable(library, made, progress=progress) as masked:
        scores = panel_scores(masked, made, progress=progress)
    return trust(scores.values, [made.made[query].way for query in scores.queries], seed=seed)


@contextmanager
def searchable(library: Library, made: MadeCollection, *, progress: Progress = silent) -> Iterator[Library]:
    """The copy of ``library`` that the queries of ``made`` are searched in (`masked_library`), deleted at the end."""
    # Beside the library, so that the copy can share its segments.
    with (
        tempfile.TemporaryDirectory(prefix=".made-", dir=_beside(library.path), ignore_cleanup_errors=True) as folder,
        masked_library(library, made, Path(folder) / "library", progress=progress) as masked,
    ):
        yield masked


def _beside(path: Path) -> Path | None:
    """The folder that ``path`` is in, where files can be made there; None for the system's own for temporary files."""
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            return path.parent
    except OSError:
        return None
