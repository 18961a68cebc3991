"""Checking the files of a library against their checksums, and its database against its segments."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .._errors import LibraryChanged, LibraryDamaged
from ..index.storage import ANEW, ArrayFolder
from ..progress import Progress, silent
from .conversations import Conversations
from .experiments import Experiments
from .leases import Lease
from .manifest import Manifest, PrunedEntry
from .row_check import damaged_rows
from .saved_recipes import FILE as RECIPES
from .saved_recipes import read_recipes, recipes_are_missing
from .segment import FOREIGN, ROWS, SEGMENTS, array_folders, checksum_of_lists
from .static_pruning.marks import Marks, inside
from .store import Store
from .sweeping import PRUNED, SIGNATURES
from .vectors.cache import VectorCache

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

    def opened(path: Path) -> ArrayFolder | None:
        try:
            folders.append(ArrayFolder(path))  # mapped, so that it can be checked also once a writer deleted it
        except LibraryDamaged as error:
            found.append(str(error))
            return None
        return folders[-1]

    for entry in manifest.segments:
        own = [opened(path) for path in array_folders(library, entry, vectors=manifest.settings.encoder is not None)]
        lists = {folder.folder: folder.checksum for folder in own if folder is not None}
        if len(lists) == len(own) and checksum_of_lists(library, entry, lists) != entry.lists:
            found.append(f"{library / SEGMENTS / entry.name} {FOREIGN}; {ANEW}")
    for run in manifest.signatures:
        one = opened(library / SIGNATURES / run.name)
        if one is not None and one.checksum != run.checksum:
            found.append(f"{library / SIGNATURES / run.name} {FOREIGN}; {ANEW}")
    if (pruned := manifest.pruned) is not None:
        one = opened(library / PRUNED / pruned.name)
        if one is not None:
            found += _unsound_marks(library, manifest, pruned)
    for representation in manifest.representations:
        if representation.adapter is not None:
            opened(library / representation.adapter)
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
            rows = damaged_rows(store, manifest)
            found += rows
            if not rows:
                ids = {f.folder.parent.name: f.array("ids") for f in folders if f.folder.name == ROWS}
                found += _disagreements(manifest, store, ids)
        except LibraryDamaged as error:
            found.append(str(error))
        finally:
            store.close()
        task.advance()
        found += _beside(library)
    finally:
        task.close()
        if lease is not None:
            lease.release()
    return found


def _unsound_marks(library: Path, manifest: Manifest, pruned: PrunedEntry) -> list[str]:
    """What is wrong with the list of passages left out, besides its files."""
    try:
        passages = Marks.opened(library, pruned).passages
    except LibraryDamaged as error:
        return [str(error)]
    rising = bool((np.diff(passages) > 0).all())
    if not rising or (len(passages) and not 0 < passages[0] <= passages[-1] < manifest.next_passage):
        return [
            f"{library / PRUNED / pruned.name} lists passages that there are not; bring all back: bookwheel prune {library} --undo"
        ]
    return []


def _beside(library: Path) -> list[str]:
    """Problems of the files that a library can do without: recipes, experiments, conversations, vectors not committed yet."""
    found: list[str] = []
    try:
        read_recipes(library)
    except LibraryDamaged as error:
        found.append(str(error))
    if recipes_are_missing(library):
        found.append(f"{library / RECIPES} is missing; save the recipes again, or put the file back")
    found += Experiments(library).problems()
    found += Conversations(library).problems()
    cache = VectorCache(library)
    try:
        found += cache.problems()
    finally:
        cache.close()
    return found


def _disagreements(manifest: Manifest, store: Store, ids_of: Mapping[str, NDArray[np.int64]]) -> list[str]:
    found: list[str] = []
    removed = store.removed_ranges(manifest.generation)
    indexed = 0
    for entry in manifest.segments:
        if (ids := ids_of.get(entry.name)) is None:  # it was named as damaged
            return found
        if len(ids) != entry.passages:
            found.append(f"segment {entry.name} has {len(ids)} passages but the manifest lists {entry.passages}; {ANEW}")
        gone = np.searchsorted(ids, removed.sum(axis=1)) - np.searchsorted(ids, removed[:, 0])
        indexed += len(ids) - int(gone.sum())
    alive = store.execute(
        "SELECT coalesce(sum(passages), 0) FROM documents WHERE added <= :g AND (removed IS NULL OR removed > :g)",
        {"g": manifest.generation},
    )[0][0]
    if manifest.pruned is not None:  # a compaction drops what is left out
        marks = Marks.opened(store.path.parent, manifest.pruned)
        held = np.isin(marks.passages, np.concatenate([np.empty(0, np.int64), *ids_of.values()]))
        indexed += int((~held & ~inside(marks.passages, removed)).sum())
    if alive != indexed:
        found.append(f"the database has {alive} passages but the segments have {indexed}; {ANEW}")
    return found
