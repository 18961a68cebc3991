"""A trained model's folder: written beside its place and moved there whole, with a card that says how it was made."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .._errors import StorageError, UsageError
from .._version import __version__
from ..index.storage import fsync_folder, storage

__all__ = ["card", "require_new", "require_outside", "require_writable", "write_folder"]

NEW = ".new"
MODELS = "models"
"""The folder of a library's models."""


def require_new(folder: Path) -> None:
    """Raise `UsageError` unless ``folder`` can be made or is empty: no model is ever written over."""
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise UsageError(f"{folder} is there already, and a model is never written over; name a new folder with --out")


def require_outside(folder: Path, library: Path) -> None:
    """Raise `UsageError` where ``folder`` is in the place of a library's own files, which come and go without asking."""
    place, own = folder.resolve(), library.resolve()
    if place.is_relative_to(own) and own / MODELS not in place.parents:
        raise UsageError(
            f"{folder} is inside the library, among files of its own; name a folder below {library / MODELS} with --out, or outside"
        )


def require_writable(path: Path, option: str) -> None:
    """Raise `StorageError` unless ``path``, which ``option`` names, can be written: before hours of training rather than after."""
    above = path.absolute().parent
    while not os.path.lexists(above) and above != above.parent:
        above = above.parent
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", suffix=NEW, dir=above):
            mounted = path.is_mount()
    except (OSError, ValueError) as error:
        what = (getattr(error, "strerror", None) or str(error)).lower()
        raise StorageError(f"{path} cannot be written: {what}; name another place with {option}") from error
    if mounted:  # a folder is moved into its place, which is then another one
        raise StorageError(
            f"{path} is a mounted disk, which no folder can take the place of; name a folder on it with {option}"
        )


def write_folder(folder: Path, write: Callable[[Path], None], about: str) -> None:
    """Make ``folder``: ``write`` fills it, ``about`` becomes its README.md; it appears whole or not at all.

    Raises `UsageError` where it is there already, `StorageError`.
    """
    require_new(folder)
    part = folder.with_name(f".{folder.name}.{os.getpid()}{NEW}")
    with storage(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(part, ignore_errors=True)
        try:
            part.mkdir()
            write(part)
            (part / "README.md").write_text(about, encoding="utf-8", errors="replace")
            for path in part.rglob("*"):
                if path.is_file():
                    with path.open("rb") as file:
                        os.fsync(file.fileno())
            if folder.is_dir():
                folder.rmdir()
            part.rename(folder)
            fsync_folder(folder.parent)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise


def card(
    title: str, licence: str | None, tags: Sequence[str], says: str, facts: Mapping[str, Any], figures: Sequence[Sequence[str]]
) -> str:
    """A model card in the form of the Hugging Face hub: a header, what the model is, how it was made, and what was measured.

    ``figures``: rows of a table, the first its header.
    """
    lines = ["---", f"license: {_plain(licence or 'other').lower()}", "library_name: bookwheel", "tags:"]
    lines += [f"- {tag}" for tag in tags]
    lines += ["---", "", f"# {_plain(title)}", "", says, "", "## How it was made", ""]
    lines += [f"- {name}: {_plain(value)}" for name, value in {**facts, "bookwheel": __version__}.items()]
    if figures:
        lines += ["", "## Before and after", ""]
        head, *rows = figures
        lines += [f"| {' | '.join(map(_plain, head))} |", f"|{'---|' * len(head)}"]
        lines += [f"| {' | '.join(map(_plain, row))} |" for row in rows]
    return "\n".join(lines) + "\n"


def _plain(value: object) -> str:
    """On one line, with nothing that a table or a header would take for its own."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
