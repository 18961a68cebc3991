"""A report: its blocks, and the forms that they can be written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._printable import as_json
from .blocks import Block
from .markdown import markdown
from .page import page

__all__ = ["Report"]


@dataclass(frozen=True, slots=True)
class Report:
    """A title, what it says in a sentence or two, its blocks, and the same as data for programs."""

    title: str
    summary: str
    blocks: Sequence[Block]
    data: Mapping[str, Any] = field(default_factory=dict)

    def html(self) -> str:
        """One page that needs nothing else; see `page`."""
        return page(self)

    def markdown(self) -> str:
        """Markdown, without plots; see `markdown`."""
        return markdown(self)

    def json(self) -> str:
        """``data`` as JSON, with the title and the summary."""
        return as_json({"title": self.title, "summary": self.summary, **self.data}, indent=1) + "\n"
