"""What answers are made of: passages that were found, and exact pieces of stored text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Evidence", "Quote"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage that was found for a question."""

    number: int
    """By which people and models refer to it, from 1 (``[1]``)."""
    passage: int
    """The passage's number in the library."""
    id: str
    """The document's id."""
    title: str
    source: str
    """Path of the file that it was read from."""
    place: str
    """Where the passage begins, as `Result.place`."""
    text: str
    """Exactly the document's text from ``start`` to ``end``."""
    start: int
    """Code points into the document's text."""
    end: int
    score: float = 0.0
    metadata: Mapping[str, Any] = field(default_factory=dict)
    hidden: tuple[tuple[int, int], ...] = ()
    """Spans of ``text`` (start, end) that a reader of the document does not see; never quoted unless asked for."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "number": self.number,
            "passage": self.passage,
            "id": self.id,
            "title": self.title,
            "source": self.source,
            "place": self.place,
            "start": self.start,
            "end": self.end,
            "score": self.score,
            "text": self.text,
        }


@dataclass(frozen=True, slots=True)
class Quote:
    """A span of a stored document: ``text`` is exactly what stands there."""

    evidence: int
    """The number of the evidence that it is from."""
    id: str
    """The document's id."""
    source: str
    start: int
    """Code points into the document's text; ``document.text[start:end] == text``."""
    end: int
    text: str
    place: str = ""
    """Where the quote itself stands: page and printed label, slide, cells, line, heading."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "evidence": self.evidence,
            "id": self.id,
            "source": self.source,
            "place": self.place,
            "start": self.start,
            "end": self.end,
            "text": self.text,
        }
