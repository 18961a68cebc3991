"""reStructuredText: the first section title is the title; the text stays as written."""

from __future__ import annotations

import re

from ..document import Document
from ..source import Fields, Source
from .base import Format, Items
from .text import read_text
from .values import one_line

__all__ = ["RST", "first_title"]

_RULE = re.compile(r"([=\-`:'\"~^_*+#<>.])\1{2,}[ \t]*$")
_HEADING_LINES = 400


def first_title(text: str) -> str:
    """The first line that is underlined, at its full width, by a row of one punctuation mark."""
    before = ""
    for line in text[: _HEADING_LINES * 200].splitlines()[:_HEADING_LINES]:
        if before and _RULE.match(line) and len(line.rstrip()) >= len(before) and not _RULE.match(before):
            return one_line(before)
        before = line.strip() if not line.startswith((" ", "\t")) or not before else ""
    return ""


def _read(source: Source, fields: Fields) -> Items:
    text = read_text(source)
    if text and not text.isspace():
        yield Document(source.path, text, first_title(text) or source.stem, kind="markup", lines=True)


RST = Format("rst", (".rst", ".rest"), _read)
