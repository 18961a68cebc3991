"""The manifest: which segments make up the library. Replacing it is the only commit."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from .._errors import LibraryDamaged, LibraryFormat, LibraryNotFound
from ..index.files import replace_file
from .settings import Settings

__all__ = ["FORMAT", "MANIFEST", "Manifest", "SegmentEntry"]

FORMAT = 1
"""The on-disk format this code reads and writes; any change of it raises the number."""
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """One live segment: its folder's name, and which folder inside it holds the current impacts."""

    name: str
    passages: int
    terms: int
    """Length of all its passages, in terms."""
    impacts: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a library consisted of at one generation."""

    settings: Settings
    generation: int = 0
    next_document: int = 1
    next_passage: int = 1
    next_segment: int = 1
    segments: tuple[SegmentEntry, ...] = field(default=())

    @property
    def average_length(self) -> float:
        """Mean length of the passages in the segments, removed ones included, in terms."""
        return sum(entry.terms for entry in self.segments) / max(sum(entry.passages for entry in self.segments), 1)

    @classmethod
    def read(cls, library: Path) -> Manifest:
        """Read the manifest of ``library``.

        Raises `LibraryNotFound`, `LibraryFormat` for another format version, `LibraryDamaged` where it is not readable.
        """
        path = library / MANIFEST
        try:
            data: dict[str, Any] = json.loads(path.read_bytes())
            version = data.pop("format")
            written_by = data.pop("carrel", "?")
        except (FileNotFoundError, NotADirectoryError) as error:
            raise LibraryNotFound(
                f"there is no library at {library}; make one with: carrel index PATH --library {library}"
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LibraryDamaged(f"{path} is not readable; index the sources again into a new library") from error
        if version != FORMAT:
            age = "a newer" if isinstance(version, int) and version > FORMAT else "an unknown"
            raise LibraryFormat(
                f"{library} is in format {version} (carrel {written_by}), {age} format than this carrel's {FORMAT}; "
                "upgrade with: pip install -U carrel, or index the sources again"
            )
        try:
            if any(type(number) is not int for number in data.values() if not isinstance(number, dict | list)):
                raise TypeError("a count is not a whole number")
            return cls(
                settings=Settings.from_dict(data.pop("settings")),
                segments=tuple(SegmentEntry(**entry) for entry in data.pop("segments")),
                **data,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise LibraryDamaged(f"{path} is not readable; index the sources again into a new library") from error

    def write(self, library: Path) -> None:
        """Make this the library's state, atomically and durably."""
        from .. import __version__

        data = {"format": FORMAT, "carrel": __version__, **asdict(self), "settings": self.settings.to_dict()}
        replace_file(library / MANIFEST, json.dumps(data, indent=1).encode())

    def next(self, **changes: Any) -> Manifest:
        """The following generation, with ``changes``."""
        return replace(self, generation=self.generation + 1, **changes)
