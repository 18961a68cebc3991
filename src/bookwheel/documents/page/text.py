"""The text of a page's blocks: a line for each, a blank line between paragraphs."""

from __future__ import annotations

import re

from .blocks import HEADING_MARK, KEPT_SPACE, LINE_MARK, PARAGRAPH_MARK, Blocks

__all__ = ["text_of"]

_SPACES = re.compile(r" {2,}")
_CELLS = re.compile(r" *\t *")
_BREAKS = re.compile(rf"[ \t\xa0]*[{LINE_MARK}{PARAGRAPH_MARK}\n][{LINE_MARK}{PARAGRAPH_MARK}\n \t\xa0]*")
_MARKS = re.compile(rf"(?:{HEADING_MARK}[ \t\xa0\n{LINE_MARK}{PARAGRAPH_MARK}]*)+")
_RESTORED = {ord(mark): chr(character) for character, mark in KEPT_SPACE.items()}


def text_of(page: Blocks, out: list[bool]) -> tuple[str, tuple[int, ...]]:
    """The text of the blocks that are not left out, and the offset into it of each heading."""
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
    text = "".join(parts)
    if not text.isascii():
        text = text.replace("\xad", "")
    if HEADING_MARK in text:  # before the first letter of a heading, or of what follows an empty one
        text = _MARKS.sub(_moved, text)
    text = _SPACES.sub(" ", text)
    if "\t" in text:
        text = _CELLS.sub("\t", text)
    text = _BREAKS.sub(_joined, text).strip().translate(_RESTORED).rstrip()
    if HEADING_MARK not in text:
        return text, ()
    pieces = text.split(HEADING_MARK)
    sections: list[int] = []
    offset = 0
    for piece in pieces[:-1]:
        offset += len(piece)
        sections.append(offset)
    text = "".join(pieces).rstrip()
    return text, tuple(start for start in sections if start < len(text))


def _moved(match: re.Match[str]) -> str:
    return match.group().replace(HEADING_MARK, "") + HEADING_MARK


def _joined(match: re.Match[str]) -> str:
    found = match.group()
    return "\n\n" if PARAGRAPH_MARK in found or found.count("\n") > 1 else "\n"
