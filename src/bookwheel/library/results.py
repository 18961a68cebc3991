"""What a search and an indexing run give back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..documents.document import Scalar
from ..memory.plan import MemoryPlan
from .settings import Settings

__all__ = ["EncoderStatus", "IndexReport", "Info", "Result"]


@dataclass(frozen=True, slots=True)
class Result:
    """One passage found."""

    rank: int
    """From 1."""
    score: float
    parts: Mapping[str, float]
    """What each retriever contributed to the score; they sum up to it."""
    id: str
    """The document's id."""
    passage: int
    """The passage's number in the library."""
    title: str
    source: str
    """Path of the file it was read from (``-`` for text that came without one)."""
    place: str
    """Where to look: ``path:line`` or ``path p. 3``."""
    text: str
    highlights: tuple[tuple[int, int], ...]
    """Start and end, in ``text``, of the words that match the query's."""
    start: int
    """Where the passage starts in its document, in code points."""
    end: int
    metadata: Mapping[str, Scalar]


@dataclass(slots=True)
class IndexReport:
    """What an indexing run did; documents are counted, not files."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    passages: int = 0
    """Passages written by this run."""
    files: int = 0
    """Files, or other sources, that were read."""
    bytes_read: int = 0
    seconds: float = 0.0
    skipped: dict[str, int] = field(default_factory=dict)
    """Number of files passed over, by reason."""
    failures: list[str] = field(default_factory=list)
    """One sentence for each file or record that could not be read."""
    memory_plan: MemoryPlan | None = None


@dataclass(slots=True)
class EncoderStatus:
    """How far the passages are embedded with one encoder, and what a run of `Library.embed` did."""

    name: str
    """What recipes call its representation."""
    kind: str
    """``dense``, ``sparse`` or ``tokens``."""
    model: str
    encoded: int = 0
    """Passages encoded by this run; 0 where nothing was run."""
    embedded: int = 0
    """Passages embedded by now."""
    passages: int = 0
    """Passages in the library."""
    seconds: float = 0.0
    """Duration of this run."""
    complete: bool = False
    """Whether every passage is embedded."""
    memory_plan: MemoryPlan | None = None


@dataclass(frozen=True, slots=True)
class Info:
    """A library's state, and its bytes on disk and in memory by part."""

    path: str
    generation: int
    documents: int
    passages: int
    removed_passages: int
    segments: int
    settings: Settings
    fields: tuple[str, ...]
    """Metadata keys that ``--where`` can use."""
    disk: Mapping[str, int]
    memory: Mapping[str, int]
    """Bytes that stay in memory while searching, by part."""
