"""The text of a page's blocks: a line for each, a blank line between paragraphs."""

from __future__ import annotations

import re

from ..document import Heading
from ..parts import bounded
from .blocks import HEADING_MARK, KEPT_SPACE, LINE_MARK, PARAGRAPH_MARK, Blocks

__all__ = ["block_text", "text_of"]

_SPACES = re.compile(r" {2,}")
_CELLS = re.compile(r" *\t *")
_BREAKS = re.compile(rf"[ \t\xa0]*[{LINE_MARK}{PARAGRAPH_MARK}\n][{LINE_MARK}{PARAGRAPH_MARK}\n \t\xa0]*")
_MARKS = re.compile(rf"(?:{HEADING_MARK}[0-6][ \t\xa0\n{LINE_MARK}{PARAGRAPH_MARK}]*)+")
_MARK = re.compile(rf"{HEADING_MARK}([0-6])")
_STRAY = re.compile(rf"{HEADING_MARK}(?![0-6])")
_TITLE = 300
"""Characters of a heading that are kept."""
_RESTORED = {ord(mark): chr(character) for character, mark in KEPT_SPACE.items()}


def text_of(page: Blocks, out: list[bool]) -> tuple[str, tuple[Heading, ...]]:
    """The text of the blocks that are not left out, and its headings; of level 0 those without words."""
    parts: list[str] = []
    at = block = 0
    while block < len(out):
        if not out[block]:
            block += 1
            continue
        begin, end = page.begin[block], page.end[block]
        parts.extend(page.parts[at:begin])
        if begin < end and page.parts[begin] in (LINE_MARK, PARAGRAPH_MARK, "\t"):
            parts.append(page.parts[begin])
        at, block = end, page.last[block]
    parts.extend(page.parts[at:])
    return _joined_parts(parts)


def block_text(page: Blocks, block: int) -> str:
    """The text of one block."""
    return _joined_parts(page.parts[page.begin[block] : page.end[block]])[0]


def _joined_parts(parts: list[str]) -> tuple[str, tuple[Heading, ...]]:
    text = "".join(parts)
    if not text.isascii():
        text = text.replace("\xad", "")
    if HEADING_MARK in text:
        text = _STRAY.sub("", text)
        text = _MARKS.sub(_moved, text)
    text = _SPACES.sub(" ", text)
    if "\t" in text:
        text = _CELLS.sub("\t", text)
    text = _BREAKS.sub(_joined, text).strip().translate(_RESTORED).rstrip()
    if HEADING_MARK not in text:
        return text, ()
    first, *rest = _MARK.split(text)
    headings: list[Heading] = []
    offset = len(first)
    for level, piece in zip(map(int, rest[::2]), rest[1::2], strict=True):
        title = " ".join(piece[: 2 * _TITLE].partition("\n")[0].split())[:_TITLE] if level else ""
        headings.append(Heading(offset, level if title else 0, title))
        offset += len(piece)
    text = (first + "".join(rest[1::2])).rstrip()
    return text, bounded(heading for heading in headings if heading.start < len(text))


def _moved(match: re.Match[str]) -> str:
    """The white space of marks, with the last of them behind it: before the first letter of a heading, or of what follows."""
    found = match.group()
    last = found.rindex(HEADING_MARK)
    return _MARK.sub("", found) + found[last : last + 2]


def _joined(match: re.Match[str]) -> str:
    found = match.group()
    return "\n\n" if PARAGRAPH_MARK in found or found.count("\n") > 1 else "\n"
