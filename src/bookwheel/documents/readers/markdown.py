"""Markdown: front matter becomes metadata, the first heading the title; the text stays as written."""

from __future__ import annotations

import re
from itertools import islice

from ..document import Document, Hidden
from ..failures import Note
from ..headings import fences, heading_text, is_code
from ..source import Fields, Source
from .base import Format, Items
from .front_matter import front_matter
from .markdown_comments import comments
from .text import read_text
from .values import one_line

__all__ = ["MARKDOWN", "first_heading"]

_ATX = re.compile(r" {0,3}#{1,6}[ \t]+(.+?)(?:[ \t]+#+)?\s*$")
_SETEXT = re.compile(r" {0,3}(?:=+|-+)\s*$")
_COMMENTS = 20_000
_HEADING_LINES = 400
"""Lines that are searched for a title."""


def first_heading(text: str) -> str:
    """The first ATX (``# …``) or underlined heading outside code fences, without its
    marks; ``""`` if there is none.
    """
    text = text[: _HEADING_LINES * 200]
    marks = fences(text)[0]
    before, at = "", 0
    for line in text.splitlines(keepends=True)[:_HEADING_LINES]:
        start, at = at, at + len(line)
        if is_code(marks, start):
            before = ""
            continue
        if heading := _ATX.match(line):
            return heading_text(heading.group(1))
        if before and not before.startswith(("-", "*", "|", ">", "    ")) and _SETEXT.match(line):
            return heading_text(before)
        before = line.strip()
    return ""


def _hidden(text: str) -> tuple[Hidden, ...]:
    """Comments as in HTML, which no page made of the text shows; outside code."""
    if "<!--" not in text:
        return ()
    found = comments(text)
    hidden = [Hidden(start, end, "comment") for start, end in islice(found, _COMMENTS)]
    for _, end in found:  # of still more the rest of the text, with what is between
        hidden[-1] = hidden[-1]._replace(end=end)
    return tuple(hidden)


def _read(source: Source, fields: Fields) -> Items:
    whole = read_text(source)
    found = front_matter(whole)
    text = whole[found.start :]
    if found.problem:
        yield Note(f"{source.label}: an entry of the front matter is not valid YAML ({found.problem}); the others were read")
    if not text or text.isspace():
        return
    metadata = found.entries
    title = metadata.pop("title", "")
    yield Document(
        source.path,
        text,
        one_line(str(title or "")) or first_heading(text) or source.stem,
        metadata,
        kind="markup",
        line=1 + whole.count("\n", 0, found.start),
        lines=True,
        hidden=_hidden(text),
    )


MARKDOWN = Format("markdown", (".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd"), _read)
