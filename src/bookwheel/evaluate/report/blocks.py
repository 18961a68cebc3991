"""What reports are made of. All words in them are words: whoever writes a report out escapes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Block", "Code", "Details", "Figure", "Heading", "Paragraph", "Quote", "Report", "Table"]


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


@dataclass(frozen=True, slots=True)
class Report:
    """A title, what it says in a sentence or two, its blocks, and the same as data for programs."""

    title: str
    summary: str
    blocks: Sequence[Block]
    data: Mapping[str, Any] = field(default_factory=dict)

    def html(self) -> str:
        """One page that needs nothing else; see `page`."""
        from .page import page

        return page(self)

    def markdown(self) -> str:
        """Markdown, without plots; see `markdown`."""
        from .markdown import markdown

        return markdown(self)

    def json(self) -> str:
        """``data`` as JSON, with the title and the summary."""
        from ..._printable import as_json

        return as_json({"title": self.title, "summary": self.summary, **self.data}, indent=1) + "\n"
