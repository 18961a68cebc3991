"""Checking the files of a library against their checksums, and its database against its segments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .._errors import LibraryChanged, LibraryDamaged
from ..index.storage import ArrayFolder
from ..progress import Progress, silent
from .leases import Lease
from .manifest import Manifest
from .segment import DENSE, ROWS, SEGMENTS, SPARSE
from .store import Store
from .vectors.parts import part_folders

__all__ = ["problems"]

ATTEMPTS = 10


def problems(library: Path, progress: Progress = silent) -> list[str]:
    """One sentence for each file that is missing, truncated or damaged, and for each disagreement of database and segments.

    Raises `LibraryNotFound`, `LibraryFormat` or `LibraryDamaged` if the manifest cannot be read.
    """
    for _ in range(ATTEMPTS):
        manifest = Manifest.read(library)
        found = _found(library, manifest, progress)
        if not found or Manifest.read(library).version == manifest.version:
            return found
        # A writer may have deleted what only the earlier generation needs, before it was opened here.
    raise LibraryChanged(f"{library} changes faster than it can be checked; check it again when its writer is done")


def _found(library: Path, manifest: Manifest, progress: Progress) -> list[str]:
    lease = Lease.take(library, manifest.generation)
    found: list[str] = []
    folders: list[ArrayFolder] = []
    for path in _paths(library, manifest):
        try:
            folders.append(ArrayFolder(path))  # mapped, so that it can be checked also once a writer deleted it
        except LibraryDamaged as error:
            found.append(str(error))
    task = progress("checking", len(folders) + 1, "parts")
    try:
        for folder in folders:
            found += folder.damaged()
            task.advance()
        try:
            store = Store(library)
        except LibraryDamaged as error:
            return [*found, str(error)]
        try:
            found += store.problems()
            if not found and store.generation() < manifest.generation:
                found.append(
                    f"{store.path} is of generation {store.generation()} where the manifest says {manifest.generation}"
                )
            if not found:
                found += _disagreements(
                    manifest, store, {f.folder.parent.name: f.array("ids") for f in folders if f.folder.name == ROWS}
                )
        finally:
            store.close()
        task.advance()
    finally:
        task.close()
        if lease is not None:
            lease.release()
    return found


def _paths(library: Path, manifest: Manifest) -> Iterator[Path]:
    """Every array folder of the library."""
    for entry in manifest.segments:
        segment = library / SEGMENTS / entry.name
        for part in (ROWS, SPARSE, entry.impacts, *([DENSE] if manifest.settings.encoder else [])):
            yield segment / part
        for added in entry.parts:
            yield from part_folders(segment / added.folder, added.folder.split("-", 1)[0])


def _disagreements(manifest: Manifest, store: Store, ids_of: Mapping[str, NDArray[np.int64]]) -> list[str]:
    found = []
    indexed = 0
    for entry in manifest.segments:
        ids = ids_of[entry.name]
        indexed += len(ids)
        if len(ids) != entry.passages:
            found.append(f"segment {entry.name} has {len(ids)} passages but the manifest lists {entry.passages}")
            continue
        stored = 0
        if len(ids):
            stored = store.execute("SELECT count(*) FROM passages WHERE id BETWEEN ? AND ?", (int(ids[0]), int(ids[-1])))[0][0]
        if stored < len(ids):
            found.append(f"segment {entry.name} has {len(ids)} passages but the database has {stored} of them")
    alive = store.execute(
        "SELECT coalesce(sum(passages), 0) FROM documents WHERE added <= :g AND (removed IS NULL OR removed > :g)",
        {"g": manifest.generation},
    )[0][0]
    if alive > indexed:
        found.append(f"the database has {alive} passages but the segments have {indexed}")
    return found
