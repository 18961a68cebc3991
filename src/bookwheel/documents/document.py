"""Documents, and the spans of them that are indexed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .parts import Heading, Hidden, Part

__all__ = ["Document", "Heading", "Hidden", "Part", "Scalar", "Span", "Value"]

Scalar = str | int | float | bool | None
"""A metadata value: what JSON calls a scalar."""

Value = Scalar | tuple[Scalar, ...]
"""What a field of metadata has: one value, or several."""


@dataclass(frozen=True, slots=True)
class Document:
    """One text with its name and metadata, as a reader found it.

    ``id`` is unique within its source (for a plain file it is the file's path). ``text`` is exact:
    passages are offsets (in code points) into it.
    """

    id: str
    text: str
    title: str = ""
    metadata: Mapping[str, Value] = field(default_factory=dict)
    kind: str = "prose"
    """How it is split: ``prose``, ``markup`` (with headings and lists) or ``code``."""
    pages: tuple[int, ...] = ()
    """Offset into ``text`` of each page; empty if the format has no pages."""
    line: int = 1
    """The line of the source at which this document begins (a JSONL record, a mail in an mbox); 0 if it has no lines."""
    lines: bool = False
    """Whether ``text`` consists of the file's own lines, so that passages have line numbers.

    `Library.add` takes a document of line 1 for its own file.
    """
    sections: tuple[int, ...] = ()
    """Offset into ``text`` of each heading that its format marks; where it is marked in the text itself, ``kind`` says so."""
    parts: tuple[Part, ...] = ()
    """Its slides, sheets, chapters or attachments, in order."""
    labels: tuple[str, ...] = ()
    """What is printed as the number of each page (``iv``, ``A-3``), ``""`` where it is the page's number; empty if it always is."""
    headings: tuple[Heading, ...] = ()
    """Its headings in order; of markup they are found in the text itself where there are none."""
    hidden: tuple[Hidden, ...] = ()
    """What of the text its readers are not shown, in order; best at the end, in parts of its own."""


@dataclass(frozen=True, slots=True)
class Span:
    """A passage: code points ``start`` to ``end`` (exclusive) of its document's text."""

    start: int
    end: int
