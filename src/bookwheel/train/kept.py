"""What a training run keeps on disk, so that a run that was stopped goes on where it was: facts, chunks of arrays, a checkpoint."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..index.plain_files import refuse_link
from ..index.storage import NEW, fsync_folder, replace_file, storage
from ..tune.journal import KEY, journal_key
from .folder import MODELS

__all__ = ["FOLDER", "Kept"]

FOLDER = "training"
RUNS = 2
"""Unfinished runs that are kept beside a new one; of what else is there nothing is touched."""


class Kept:
    """The folder of one run in a library, named by what it trains on: other passages, models or settings have another one."""

    def __init__(self, library: Path, *facts: object) -> None:
        above = library / FOLDER
        self.folder = above / journal_key(*facts)
        with storage(above):
            for path in (above, self.folder):
                refuse_link(path)
                path.mkdir(exist_ok=True)
            os.utime(self.folder)
            old = sorted(
                (path for path in above.iterdir() if KEY.fullmatch(path.name) and path.is_dir() and not path.is_symlink()),
                key=lambda path: path.stat().st_mtime,
                reverse=True,
            )
            for path in [path for path in old if path != self.folder][RUNS:]:
                shutil.rmtree(path, ignore_errors=True)
        self._facts: dict[str, Any] = {}
        try:
            known = json.loads((self.folder / "facts.json").read_text(encoding="utf-8"))
            self._facts = known if isinstance(known, dict) else {}
        except (OSError, ValueError, RecursionError):
            pass
        self.resumed = bool(self._facts)
        """Whether an earlier run left something."""

    def fact(self, name: str) -> Any:
        """What was kept under ``name``; None where nothing was."""
        return self._facts.get(name)

    def note(self, **facts: Any) -> None:
        """Keep ``facts``, durably."""
        self._facts.update(facts)
        replace_file(self.folder / "facts.json", json.dumps(self._facts).encode())

    def write(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep ``arrays`` together, durably: a reader gets all of them or those of before. Raises `StorageError`."""
        path = self.folder / f"{name}.npz"
        temporary = path.with_name(path.name + NEW)
        with storage(path):
            temporary.unlink(missing_ok=True)
            with temporary.open("xb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type]  # numpy's stubs take the first array for an option
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            fsync_folder(self.folder)

    def read(self, name: str) -> dict[str, NDArray[Any]] | None:
        """The arrays kept under ``name``; None where there are none, or they are damaged."""
        try:
            with (self.folder / f"{name}.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return {key: arrays[key] for key in arrays.files}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def model_folder(self, kind: str) -> Path:
        """Where in the library the model of this run is written, unless its user names another folder."""
        return self.folder.parent.parent / MODELS / f"{kind}-{self.folder.name[:8]}"

    def clear(self) -> None:
        """Delete the folder: the run is done."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):  # other runs are there
            self.folder.parent.rmdir()
