"""A copy of a library that can be changed by itself: segments, which never change, are shared with it on the disk."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from .._errors import LibraryDamaged, StorageError
from ..index.storage import storage
from .database import DATABASE
from .leases import prepare
from .manifest import ADAPTER_NAME
from .reader import Reader
from .saved_recipes import FILE, LOCK
from .segment import SEGMENTS
from .sweeping import PRUNED, SIGNATURES

__all__ = ["copy_library"]

_PAGES = 4096
"""Pages of the database that are copied at a time, about 16 MB."""


def copy_library(library: Reader, folder: Path) -> None:
    """Copy the generation that ``library`` reads to ``folder``, which must not exist or be empty.

    Settings, documents, segments, encoders and saved recipes; no conversations. Segments become hard links where the disk has
    them, so that only the database takes room. Raises `StorageError`, `LibraryDamaged`.
    """
    snapshot = library._snapshot  # it holds a lease, so that no writer deletes what is being copied
    manifest, source = snapshot.manifest, snapshot.library
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StorageError(f"{folder} is there already; choose another folder for the copy")
    with storage(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SEGMENTS).mkdir()
        for entry in manifest.segments:
            _link_tree(source / SEGMENTS / entry.name, folder / SEGMENTS / entry.name)
        if manifest.signatures:
            (folder / SIGNATURES).mkdir()
        for run in manifest.signatures:
            _link_tree(source / SIGNATURES / run.name, folder / SIGNATURES / run.name)
        if manifest.pruned is not None:
            (folder / PRUNED).mkdir()
            _link_tree(source / PRUNED / manifest.pruned.name, folder / PRUNED / manifest.pruned.name)
        for path in sorted(source.iterdir()):
            if path.is_dir() and not path.is_symlink() and ADAPTER_NAME.fullmatch(path.name):
                _link_tree(path, folder / path.name)
        for name in (FILE, LOCK):
            if (source / name).is_file() and not (source / name).is_symlink():
                shutil.copyfile(source / name, folder / name)
        _copy_database(source / DATABASE, folder / DATABASE)
        prepare(folder)
        manifest.write(folder)


def _link_tree(source: Path, target: Path) -> None:
    """``target`` with the files of ``source``; links in the place of files or folders are left out, and are then missed."""
    target.mkdir()
    for path in sorted(source.iterdir()):
        if path.is_symlink():
            continue
        if path.is_dir():
            _link_tree(path, target / path.name)
        else:
            try:
                os.link(path, target / path.name)
            except OSError:  # another disk, or one without hard links
                shutil.copyfile(path, target / path.name)


def _copy_database(source: Path, target: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new, pages=_PAGES)
    except sqlite3.Error as error:
        raise LibraryDamaged(f"{source} could not be copied ({error}); run `bookwheel check` to see what is damaged") from error
