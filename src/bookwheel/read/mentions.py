"""Where documents mention something: each place an exact span of a title or of the stored text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["DocumentMentions", "Mention"]


@dataclass(frozen=True, slots=True)
class Mention:
    """One place: ``document.text[start:end] == text``, or of the title where ``passage`` is -1."""

    text: str
    passage: int
    """Number of the passage in which it begins; -1: it is in the title."""
    start: int
    """Code points into the document's text, or its title."""
    end: int
    around: str
    """The place with what stands around it."""
    offset: int = 0
    """Where in ``around`` the place begins."""
    place: str = ""
    """Where it stands, for people: path with page and label, slide, cells, line."""
    hidden: bool = False
    """Whether it is in text that a reader of the document does not see."""

    @property
    def in_title(self) -> bool:
        """Whether it is in the title."""
        return self.passage < 0

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "text": self.text,
            "in": "title" if self.in_title else "text",
            "passage": None if self.in_title else self.passage,
            "start": self.start,
            "end": self.end,
            "around": self.around,
            "place": self.place,
            **({"hidden": True} if self.hidden else {}),
        }


@dataclass(frozen=True, slots=True)
class DocumentMentions:
    """A document with all places in it."""

    id: str
    title: str
    source: str
    mentions: tuple[Mention, ...]
    """Those in the title first, then by where they start."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "id": self.id,
            "title": self.title,
            "source": self.source,
            "mentions": [mention.to_dict() for mention in self.mentions],
        }
