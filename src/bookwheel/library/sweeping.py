"""Deleting what a library's manifest does not name: superseded segments, and leftovers of an interruption."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

from ..index.plain_files import refuse_link
from .manifest import IMPACTS_NAME, PART_NAME, SEGMENT_NAME, Manifest
from .segment import SEGMENTS

__all__ = ["PRUNED", "SIGNATURES", "impacts_name", "sweep"]

SIGNATURES = "signatures"
"""The folder with the runs of signatures."""
PRUNED = "pruned"
"""The folder with the list of passages left out."""


def impacts_name(generation: int) -> str:
    """The folder, inside a segment, of the impacts made for ``generation``."""
    return f"impacts-{generation:06d}"


def sweep(library: Path, manifest: Manifest, unnamed: Collection[str] = (), runs: Collection[str] = ()) -> None:
    """Delete segments, impacts, parts, signatures and lists of passages left out that ``manifest`` does not name, except the
    segments ``unnamed`` and the runs of signatures ``runs``.

    Only folders with names that a library itself gives are deleted, and no link is followed. Needs no room on the disk and
    not the database, so that a full disk can be cleared. Raises `LibraryDamaged` for a link in the place of a folder.
    """
    live = {entry.name: {entry.impacts, *(part.folder for part in entry.parts)} for entry in manifest.segments}
    segments = library / SEGMENTS
    refuse_link(segments)
    for path in _folders(segments):
        if not SEGMENT_NAME.fullmatch(path.name) or path.name in unnamed:
            continue
        if path.name not in live:
            shutil.rmtree(path, ignore_errors=True)
            continue
        for inner in _folders(path):
            superseded = IMPACTS_NAME.fullmatch(inner.name) or PART_NAME.fullmatch(inner.name)
            if superseded and inner.name not in live[path.name]:
                shutil.rmtree(inner, ignore_errors=True)
    listed = set() if manifest.pruned is None else {manifest.pruned.name}
    for folder, kept in ((SIGNATURES, {*runs, *(run.name for run in manifest.signatures)}), (PRUNED, listed)):
        refuse_link(library / folder)
        for path in _folders(library / folder):
            if SEGMENT_NAME.fullmatch(path.name) and path.name not in kept:
                shutil.rmtree(path, ignore_errors=True)


def _folders(folder: Path) -> Iterator[Path]:
    """The real folders in ``folder``, links left out."""
    if folder.is_dir():
        yield from [path for path in folder.iterdir() if not path.is_symlink() and path.is_dir()]
