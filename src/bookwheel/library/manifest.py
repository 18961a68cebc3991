"""The manifest: which segments make up the library. Replacing it is the only commit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from .._errors import LibraryDamaged, LibraryFormat, LibraryNotFound
from .._paths import MANIFEST, no_library
from .._version import __version__
from ..analysis.analyzer import ANALYSIS
from ..analysis.library_analyzer import Held, stemmed_as
from ..encode.load import KINDS
from ..index.plain_files import parse_json, read_plain
from ..index.sealed import SEAL, seal, sealed
from ..index.storage import refused, replace_file
from .settings import Representation, Settings

__all__ = [
    "ADAPTER_NAME",
    "FORMAT",
    "IMPACTS_NAME",
    "MANIFEST",
    "PART_NAME",
    "SEGMENT_NAME",
    "Manifest",
    "PartEntry",
    "PrunedEntry",
    "SegmentEntry",
    "SignatureEntry",
]

FORMAT = 6
"""The on-disk format this code reads and writes; any change of it raises the number."""


_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(~\d+)?")
"""Of a representation: `bookwheel.library.vectors.changes.unused_key`."""
ADAPTER_NAME = re.compile(rf"adapter-{_KEY.pattern}-g\d{{6,}}")
"""The folder of an adapter."""
SEGMENT_NAME = re.compile(r"\d{6,}")
"""The folder of a segment, of signatures, or of the list of passages left out."""
IMPACTS_NAME = re.compile(r"impacts-\d{6,}")
"""The folder, inside a segment's, of impacts."""
PART_NAME = re.compile(rf"({'|'.join(KINDS)})-{_KEY.pattern}-g\d{{6,}}")
"""The folder, inside a segment's, of a part."""


def _reason(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())[:120]


def _check(pattern: re.Pattern[str], name: str) -> None:
    if not pattern.fullmatch(name) or not name.isascii():
        raise ValueError(f"the name {name!r:.100}")


@dataclass(frozen=True, slots=True)
class PartEntry:
    """A representation of some of a segment's passages."""

    key: str
    """Of the `Representation`."""
    folder: str
    """Inside the segment's."""
    passages: int


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """One live segment: its folder's name, and which folder inside it holds the current impacts."""

    name: str
    passages: int
    terms: int
    """Length of all its passages, in terms."""
    impacts: str
    parts: tuple[PartEntry, ...] = ()
    """Of the representations of added encoders; parts of one key share no passage."""
    undecided: int = 0
    """Passages whose own text does not tell their language."""
    followed: str | None = None
    """The language in which those were analysed."""
    lists: str = ""
    """Checksum of the lists of arrays in all its folders: no folder of another segment or generation takes the place of one."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SegmentEntry:
        """From the manifest."""
        return cls(**{**data, "parts": tuple(PartEntry(**part) for part in data.get("parts", ()))})

    def embedded(self, key: str) -> int:
        """Number of passages embedded for representation ``key``."""
        return sum(part.passages for part in self.parts if part.key == key)


@dataclass(frozen=True, slots=True)
class SignatureEntry:
    """One run of the signatures that new documents are compared with: its folder's name, and what is in it."""

    name: str
    documents: int
    checksum: str
    """Of its list of arrays."""


@dataclass(frozen=True, slots=True)
class PrunedEntry:
    """The list of the passages that are left out of searches (`static_pruning`): its folder's name, and what is in it."""

    name: str
    passages: int
    checksum: str
    """Of its list of arrays."""
    until: int
    """Passages with numbers below this were judged; later ones were not."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a library consisted of at one generation."""

    settings: Settings
    id: str = ""
    """Random, made with the library: one made anew at the same path is another one. Empty in libraries from before."""
    generation: int = 0
    documents: int = 0
    """Documents alive."""
    next_document: int = 1
    next_passage: int = 1
    next_segment: int = 1
    segments: tuple[SegmentEntry, ...] = field(default=())
    signatures: tuple[SignatureEntry, ...] = field(default=())
    signed: int = 1
    """Documents with numbers below this have a signature in one of these runs, except those without words."""
    representations: tuple[Representation, ...] = field(default=())
    pruned: PrunedEntry | None = None
    """None where no passage is left out."""
    languages: Mapping[str, Held] = field(default_factory=dict)
    """What is alive by the language that it was found to be written in (``""``: none), where each document tells its own."""

    def representation(self, name: str) -> Representation | None:
        """The one that recipes call ``name``: the newest of that name."""
        return next((found for found in reversed(self.representations) if found.name == name), None)

    def by_key(self, key: str) -> Representation | None:
        """The one of that key."""
        return next((found for found in self.representations if found.key == key), None)

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
            read = read_plain(path)
            data: dict[str, Any] = parse_json(read)
            version = data.pop("format")
            if (data.pop(SEAL, None) is not None or version == FORMAT) and not sealed(read):
                raise ValueError("it does not match its checksum")
            written_by = data.pop("bookwheel", "?")
        except (FileNotFoundError, NotADirectoryError) as error:
            raise no_library(library) from error
        except UnicodeEncodeError as error:
            raise LibraryNotFound(f"there is no library at {str(library)!r}: no path has half a character") from error
        except OSError as error:
            raise refused(path, error) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LibraryDamaged(f"{path} is damaged ({_reason(error)}); index the files again into a new library") from error
        if version != FORMAT:
            newer = isinstance(version, int) and version > FORMAT
            age = "an unknown" if not isinstance(version, int) else "a newer" if newer else "an older"
            upgrade = "upgrade with: pip install -U bookwheel, or " if newer else ""
            raise LibraryFormat(
                f"{library} has format {version} (bookwheel {written_by}), {age} format than this bookwheel's {FORMAT}; "
                f"{upgrade}index the files again into a new library"
            )
        try:
            if type(data.get("id", "")) is not str:
                raise TypeError("the id is not a string")
            if any(
                type(number) is not int for name, number in data.items() if name != "id" and not isinstance(number, dict | list)
            ):
                raise TypeError("a count is not a whole number")
            made = cls(
                settings=Settings.from_dict(data.pop("settings")),
                segments=tuple(SegmentEntry.from_dict(entry) for entry in data.pop("segments")),
                signatures=tuple(SignatureEntry(**entry) for entry in data.pop("signatures", ())),
                representations=tuple(Representation.from_dict(entry) for entry in data.pop("representations", ())),
                pruned=None if (pruned := data.pop("pruned", None)) is None else PrunedEntry(**pruned),
                languages={str(name): Held(**some) for name, some in data.pop("languages", {}).items()},
                **data,
            )
            made._check_names()
            analysis = made.settings.analysis
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise LibraryDamaged(f"{path} is damaged ({_reason(error)}); index the files again into a new library") from error
        if analysis != ANALYSIS:
            raise LibraryFormat(
                f"{library} was made by version {analysis} of the analysis of texts, and this bookwheel has version {ANALYSIS}; "
                "index the files again into a new library"
            )
        return made

    def _check_names(self) -> None:
        """Raise `ValueError` for the name of a folder that no library gives: none may lead out of the library."""
        for entry in self.segments:
            _check(SEGMENT_NAME, entry.name)
            _check(IMPACTS_NAME, entry.impacts)
            for part in entry.parts:
                _check(PART_NAME, part.folder)
                _check(_KEY, part.key)
            if any(type(number) is not int or number < 0 for number in (entry.passages, entry.terms, entry.undecided)):
                raise ValueError(f"the counts of segment {entry.name}")
            if entry.followed is not None and stemmed_as(entry.followed) is None:
                raise ValueError(f"the language of segment {entry.name}")
        for run in self.signatures:
            _check(SEGMENT_NAME, run.name)
            if type(run.documents) is not int or run.documents < 0 or type(run.checksum) is not str:
                raise ValueError(f"the run of signatures {run.name}")
        if (pruned := self.pruned) is not None:
            _check(SEGMENT_NAME, pruned.name)
            if any(type(n) is not int or n < 0 for n in (pruned.passages, pruned.until)) or type(pruned.checksum) is not str:
                raise ValueError("the list of passages left out")
        for some in self.languages.values():
            if type(some.documents) is not int or type(some.passages) is not int:
                raise ValueError("the counts of languages")
        for representation in self.representations:
            _check(_KEY, representation.key)
            if representation.adapter is not None:
                _check(ADAPTER_NAME, representation.adapter)

    def write(self, library: Path) -> None:
        """Make this the library's state, atomically and durably."""
        data = {"format": FORMAT, "bookwheel": __version__, **asdict(self), "settings": self.settings.to_dict()}
        if self.pruned is None:
            del data["pruned"]  # so that a bookwheel from before there was any reads it
        replace_file(library / MANIFEST, seal(data))

    @property
    def version(self) -> tuple[str, int]:
        """What tells it from every other: the library's identity and the generation."""
        return self.id, self.generation

    def without_signatures(self) -> Manifest:
        """The same, where the signatures are to be made anew."""
        return replace(self, signatures=(), signed=1)

    def next(self, **changes: Any) -> Manifest:
        """The following generation, with ``changes``."""
        return replace(self, generation=self.generation + 1, **changes)
