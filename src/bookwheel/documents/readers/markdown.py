"""Markdown: front matter becomes metadata, the first heading the title; the text stays as written."""

from __future__ import annotations

import re

from ..document import Document, Scalar
from ..source import Fields, Source
from .base import Format, Items
from .text import read_text
from .values import number, one_line

__all__ = ["MARKDOWN", "first_heading", "front_matter"]

_FRONT = re.compile(r"---[ \t]*\r?\n(.*?\n)??(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_ENTRY = re.compile(r"([A-Za-z_][\w .-]*?)[ \t]*:(?:[ \t]+(.*?))?[ \t\r]*$")
_ATX = re.compile(r" {0,3}#{1,6}[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$")
_SETEXT = re.compile(r" {0,3}(?:=+|-+)[ \t]*$")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_HEADING_LINES = 400
"""The title is looked for in so many lines."""


def front_matter(text: str) -> tuple[dict[str, Scalar], int]:
    """The simple ``key: value`` entries of a YAML block at the top, and the offset at which the text after it begins.

    Numbers, booleans and strings are read; lists and nested entries are passed over.
    """
    match = _FRONT.match(text)
    if match is None:
        return {}, 0
    found: dict[str, Scalar] = {}
    for line in (match.group(1) or "").splitlines():
        entry = _ENTRY.match(line)
        if entry is None or not entry.group(2):
            continue
        value: str = entry.group(2)
        if value[0] in "\"'":
            closing = value.find(value[0], 1)
            if closing > 0:
                found[entry.group(1)] = value[1:closing]
        elif value[0] not in "[{|>&*!#":
            value = value.split(" #", 1)[0].rstrip()
            found[entry.group(1)] = {"true": True, "false": False}.get(value.lower(), number(value))
    return found, match.end()


def first_heading(text: str) -> str:
    """The first ATX (``# …``) or underlined heading outside code fences, without its marks; ``""`` if there is none."""
    fence = ""
    before = ""
    for line in text[: _HEADING_LINES * 200].splitlines()[:_HEADING_LINES]:
        mark = _FENCE.match(line)
        if mark:
            fence = "" if fence == mark.group(1) else fence or mark.group(1)
        elif not fence:
            heading = _ATX.match(line)
            if heading:
                return one_line(heading.group(1).strip("*_` "))
            if before and not before.startswith(("-", "*", "|", ">", "    ")) and _SETEXT.match(line):
                return one_line(before.strip("*_` "))
        before = line.strip()
    return ""


def _read(source: Source, fields: Fields) -> Items:
    whole = read_text(source)
    metadata, start = front_matter(whole)
    text = whole[start:]
    if not text or text.isspace():
        return
    title = metadata.pop("title", "")
    yield Document(
        source.path,
        text,
        one_line(str(title or "")) or first_heading(text) or source.stem,
        metadata,
        kind="markup",
        line=1 + whole.count("\n", 0, start),
        lines=True,
    )


MARKDOWN = Format("markdown", (".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd"), _read)
