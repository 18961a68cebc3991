"""What reports are made of. All words in them are words: whoever writes a report out escapes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Block", "Code", "Details", "Figure", "Heading", "Paragraph", "Quote", "Table"]


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a part."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences. ``small``: a note."""

    text: str
    small: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first ``left`` columns are words, the others numbers."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot of `evaluate.plots`, the only thing in a report that is markup, and what it shows."""

    svg: str
    caption: str


@dataclass(frozen=True, slots=True)
class Quote:
    """Text of a document or query, after words that say what it is; ``marks`` are spans of it (start, end)."""

    label: str
    text: str
    marks: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True)
class Code:
    """Lines as they are."""

    text: str


@dataclass(frozen=True, slots=True)
class Details:
    """Blocks that are shown on demand, below ``summary``."""

    summary: str
    blocks: Sequence[Block]
    open: bool = False


Block = Heading | Paragraph | Table | Figure | Quote | Code | Details
