"""A report as Markdown, without its plots. Text is escaped, so that it is shown as it is and nothing in it becomes markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..._printable import clean
from .blocks import Block, Code, Details, Figure, Heading, Paragraph, Quote, Table

if TYPE_CHECKING:
    from .report import Report

__all__ = ["markdown"]

_MARKUP = re.compile(r"[\\`*_\[\]<|~&$]|(?<=\w)@(?=[^\W\d])|:(?=//)|(?i:(?<=www)\.)|(?i:(?<=mailto)|(?<=xmpp)):")
"""What is markup inside a line, and what makes a link of a bare address."""
_BEGIN = re.compile(r"^(?:[-+](?=[\s-]|$)|[=>#:]|\d+(?=[.)](?:\s|$)))")
"""What is markup at the beginning of a line: lists, headings, quotes."""


def markdown(report: Report) -> str:
    """The report as text."""
    parts = [f"# {_words(report.title)}", _words(report.summary), *_blocks(report.blocks)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _words(text: str) -> str:
    """One line of ``text`` in which nothing is markup: no HTML, no link, no picture, also not one made of a bare address."""
    line = " ".join(clean(text).encode("utf-8", "replace").decode().split())
    escaped = _MARKUP.sub(r"\\\g<0>", line)
    if begin := _BEGIN.match(escaped):
        escaped = f"{begin[0]}\\{escaped[begin.end() :]}" if begin[0].isdigit() else f"\\{escaped}"
    return escaped


def _blocks(blocks: Sequence[Block]) -> Iterable[str]:
    for block in blocks:
        match block:
            case Heading(text):
                yield f"## {_words(text)}"
            case Paragraph(text):
                yield _words(text)
            case Table(header, rows, left):
                yield _table(header, rows, left)
            case Figure(_, caption):
                yield f"_{_words(caption)}_ (plotted in the HTML report)" if caption else ""
            case Quote(label, text):
                yield f"> {_words(label)}\n>\n> {_words(text)}"
            case Code(text):
                yield "\n".join("    " + clean(line) for line in clean(text, lines=True).splitlines())
            case Details(summary, inner):
                yield "\n\n".join([f"### {_words(summary)}", *_blocks(inner)])


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    def line(cells: Iterable[str]) -> str:
        return f"| {' | '.join(cells)} |"

    rule = ["---" if at < left else "---:" for at in range(len(header))]
    return "\n".join(
        line(row) for row in ([_words(cell) for cell in header], rule, *([_words(c) for c in row] for row in rows))
    )
