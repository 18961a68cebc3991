"""Checking the files of a library against their checksums, and its database against its segments."""

from __future__ import annotations

from pathlib import Path

from .._errors import LibraryDamaged
from ..index.storage import ArrayFolder
from ..progress import Progress, silent
from .manifest import Manifest
from .segment import DENSE, ROWS, SEGMENTS, SPARSE
from .store import Store
from .vectors.parts import part_folders

__all__ = ["problems"]


def problems(library: Path, progress: Progress = silent) -> list[str]:
    """One sentence for each file that is missing, truncated or damaged, and for each disagreement of database and segments.

    Raises `LibraryNotFound`, `LibraryFormat` or `LibraryDamaged` if the manifest cannot be read.
    """
    manifest = Manifest.read(library)
    found: list[str] = []
    folders = [
        library / SEGMENTS / entry.name / part
        for entry in manifest.segments
        for part in (ROWS, SPARSE, entry.impacts, *([DENSE] if manifest.settings.encoder else []))
    ] + [
        folder
        for entry in manifest.segments
        for part in entry.parts
        for folder in part_folders(library / SEGMENTS / entry.name / part.folder, part.folder.split("-", 1)[0])
    ]
    task = progress("checking", len(folders) + 1, "parts")
    try:
        for folder in folders:
            found += _problems(folder)
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
                found += _disagreements(library, manifest, store)
        finally:
            store.close()
        task.advance()
    finally:
        task.close()
    return found


def _problems(folder: Path) -> list[str]:
    try:
        return ArrayFolder(folder).damaged()
    except LibraryDamaged as error:
        return [str(error)]


def _disagreements(library: Path, manifest: Manifest, store: Store) -> list[str]:
    found = []
    indexed = 0
    for entry in manifest.segments:
        ids = ArrayFolder(library / SEGMENTS / entry.name / ROWS).array("ids")
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
