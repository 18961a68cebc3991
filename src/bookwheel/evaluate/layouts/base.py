"""What a layout is, and what the layouts see of a folder or file before one of them reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from ..._errors import InputError
from ..collection import Collection
from ..lines import open_text

__all__ = ["LARGEST", "JsonFile", "Layout", "Place", "named_split", "plain_or_gz", "text_value"]

LARGEST = 1 << 30
"""Characters of a JSON file that is no JSON Lines, and of one line."""
_UNLIKELY = (
    ".tsv",
    ".csv",
    ".txt",
    ".xml",
    ".md",
    ".py",
    ".parquet",
    ".zip",
    ".png",
    ".pdf",
    ".html",
    ".sgml",
    ".trec",
    ".run",
)


class JsonFile:
    """A file of JSON: a value, an array of records, or a record a line. Read when it is asked for, an array at once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def first(self) -> Any:
        """The first record (of an array its first element); None where the file is empty or no JSON."""
        try:
            return next(self.records(), ("", None))[1]
        except InputError:
            return None

    def records(self) -> Iterator[tuple[str, Any]]:
        """Each record with words for its place. Raises `InputError`."""
        line, more = self._opening
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            if not more:
                raise InputError(f"{self.path} is no JSON; expected JSON, or an object a line") from None
            value = self._whole
            yield from (
                (f"{self.path}, record {at}", one) for at, one in enumerate(value if isinstance(value, list) else [value], 1)
            )
            return
        if isinstance(value, list) and not more:
            yield from ((f"{self.path}, record {at}", one) for at, one in enumerate(value, 1))
        else:
            yield from self._lines()

    @cached_property
    def _opening(self) -> tuple[str, bool]:
        """The first line that is not blank, and whether anything follows it."""
        with open_text(self.path) as file:
            for line in iter(lambda: file.readline(LARGEST), ""):
                if line.strip():
                    return line, any(chunk.strip() for chunk in iter(lambda: file.read(1 << 16), ""))
        return "", False

    @cached_property
    def _whole(self) -> Any:
        with open_text(self.path) as file:
            text = file.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise InputError(f"{self.path} is longer than {LARGEST:,} characters; make it JSON Lines, an object a line")
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{self.path} is no JSON ({str(error)[:100]})") from None

    def _lines(self) -> Iterator[tuple[str, Any]]:
        with open_text(self.path) as file:
            for number, line in enumerate(iter(lambda: file.readline(LARGEST), ""), 1):
                if not line.strip():
                    continue
                try:
                    yield f"{self.path}:{number}", json.loads(line)
                except (ValueError, RecursionError):
                    raise InputError(f"{self.path}:{number} is no JSON; a line is one object") from None


@dataclass(frozen=True)
class Place:
    """A folder or a file that may hold a collection."""

    path: Path

    @property
    def name(self) -> str:
        """For people: the folder's or the file's."""
        return self.path.resolve().name

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.path.is_dir()

    @cached_property
    def files(self) -> list[Path]:
        """The file itself, or those directly in the folder whose names do not begin with a dot, by name."""
        if not self.is_folder:
            return [self.path]
        try:
            return sorted(one for one in self.path.iterdir() if one.is_file() and not one.name.startswith("."))
        except OSError as error:
            raise InputError(f"{self.path} cannot be read: {error.strerror or error}") from None

    @cached_property
    def json(self) -> list[JsonFile]:
        """Those that hold JSON, whatever their names end in (QuALITY's end in ``.dev``)."""
        found = [JsonFile(one) for one in self.files if not one.name.removesuffix(".gz").lower().endswith(_UNLIKELY)]
        return [one for one in found if isinstance(one.first, dict)]

    def json_with(self, *keys: str) -> list[JsonFile]:
        """Those whose first record has all ``keys``."""
        return [one for one in self.json if all(key in one.first for key in keys)]


class Layout(Protocol):
    """One way in which collections are kept."""

    @property
    def name(self) -> str:
        """What it is called, with its article: ``a BEIR folder``."""

    @property
    def looks(self) -> str:
        """What it looks like, for whoever has something else."""

    def recognises(self, place: Place) -> bool:
        """Whether ``place`` is one."""

    def load(self, place: Place, split: str, field: str) -> Collection:
        """The collection. Raises `InputError`."""


def plain_or_gz(path: Path) -> Path | None:
    """The file ``path``, or the same with ``.gz`` at its end; None where there is neither."""
    return next((file for file in (path, path.with_name(path.name + ".gz")) if file.is_file()), None)


def named_split(files: list[JsonFile], split: str, what: str) -> JsonFile:
    """The one file, or of several the one that has ``split`` in its name. Raises `InputError`."""
    chosen = [one for one in files if split.lower() in one.path.name.lower().replace("_", ".").replace("-", ".").split(".")]
    found = chosen if len(files) > 1 else files
    if len(found) == 1:
        return found[0]
    names = ", ".join(one.path.name for one in files[:8]) + (" …" if len(files) > 8 else "")
    raise InputError(
        f"{files[0].path.parent} has {len(files)} files of {what} ({names}) and {len(found) or 'none'} named for the split "
        f"{split!r}; name one of them, or another split with --split"
    )


def text_value(value: Any) -> str:
    """A text or a number as text; "" for anything else."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
