"""A cache of the ONNX graphs that are made from model weights."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from .._errors import StorageError
from .._paths import cache

__all__ = ["Kept", "fingerprint", "keep", "models_folder"]


def models_folder() -> Path:
    """The folder of cached models and of their measured speeds."""
    return cache() / "models"


class Kept:
    """One entry: ``model.onnx`` and its description."""

    def __init__(self, folder: Path, about: Mapping[str, Any]) -> None:
        self.model = folder / "model.onnx"
        self.about = about


def fingerprint(files: Sequence[Path], *settings: object) -> str:
    """A key of files by path, size and modification time: hashing hundreds of megabytes takes longer than loading them."""
    stats = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(repr((stats, settings)).encode()).hexdigest()[:32]


def keep(name: str, write: Callable[[BinaryIO], None], about: Callable[[], Mapping[str, Any]]) -> Kept:
    """The entry ``name``, made by ``write`` and ``about`` if it is missing or damaged.

    Raises `StorageError` where the folder cannot be written.
    """
    folder = models_folder() / name
    try:
        known: Mapping[str, Any] = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        if (folder / "model.onnx").stat().st_size == known["bytes"]:
            return Kept(folder, known)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as file:
            try:
                write(file)  # type: ignore[arg-type]  # a temporary file is a BinaryIO in all but name
                size = file.tell()
            except BaseException:
                file.close()
                Path(file.name).unlink(missing_ok=True)
                raise
        Path(file.name).replace(folder / "model.onnx")
        made = {**about(), "bytes": size}
        part = folder / f"about.{os.getpid()}.part"
        part.write_text(json.dumps(made), encoding="utf-8")
        part.replace(folder / "about.json")
    except OSError as error:
        raise StorageError(
            f"the model cannot be cached in {folder} ({(error.strerror or str(error)).lower()}); free some space there, or set "
            "BOOKWHEEL_HOME to a folder that can be written"
        ) from error
    return Kept(folder, made)
