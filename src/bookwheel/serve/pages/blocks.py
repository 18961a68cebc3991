"""A document's text as what it is: paragraphs, headings, lines of code with their numbers, quoted mail, fenced code."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...library.results import StoredDocument
from .marked import Piece, Spot, pieces_of

__all__ = ["Block", "blocks_of", "kind_of"]

_BLANK = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_LEADING = re.compile(r"#{1,6} +")
_KINDS = {
    "pdf": "pdf",
    "eml": "mail", "mbox": "mail", "mhtml": "mail", "msg": "mail", "tnef": "mail",
    "ipynb": "notebook",
    "code": "code", "json": "code", "xml": "code", "yaml": "code",
    "csv": "table", "tsv": "table", "jsonl": "table", "xlsx": "table", "xls": "table", "ods": "table",
    "text": "text",
}  # fmt: skip
"""What is shown of a format; all others are prose."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a heading, a line."""

    kind: str
    """``p``, ``h``, ``line`` (of a file, with its number), ``reply`` (quoted in a mail), ``code``."""
    pieces: list[Piece]
    number: int = 0
    """Of a line; of a heading its level."""

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"kind": self.kind, "text": "".join(piece.text for piece in self.pieces), "number": self.number}


def kind_of(document: StoredDocument) -> str:
    """``pdf``, ``mail``, ``notebook``, ``code``, ``table``, ``text`` (of numbered lines), ``record`` or ``prose``."""
    from ...documents.readers import by_name
    from ...documents.sniffing import compression_of

    metadata = document.metadata
    if document.source == "-":
        return "prose"
    form = by_name(compression_of(document.source.rpartition("/")[2])[0])
    kind = _KINDS.get(form.name if form is not None else "text", "prose")
    if kind == "pdf" and not document.layout.pages:
        return "prose"
    if "from" in metadata and ("to" in metadata or "message-id" in metadata):
        return "mail"
    if kind == "table" and document.id != document.source:
        return "record"
    if kind in ("text", "code") and not document.layout.lines:
        return "prose"
    return kind


def blocks_of(document: StoredDocument, kind: str, start: int, end: int, spots: Sequence[Spot]) -> Iterator[Block]:
    """The text from ``start`` to ``end`` in blocks, with ``spots`` marked."""
    text = document.text
    if kind in ("code", "text", "table"):
        number = document.layout.line + text.count("\n", 0, start)
        at = start
        while at < end:
            stop = text.find("\n", at, end)
            stop = end if stop < 0 else stop
            # Only what is a line of its file has a number.
            yield Block("line", pieces_of(text[at:stop], spots, at), number if document.layout.lines else 0)
            at, number = stop + 1, number + 1
        return
    headings = {heading.start: heading for heading in document.layout.headings if heading.level > 0}
    fenced = False
    for low, high in _paragraphs(text, start, end, headings):
        part = text[low:high]
        fence = part.count("```")
        if fenced or part.startswith("```"):
            inside = _without_fences(part)
            if inside[0] < inside[1]:
                yield Block("code", pieces_of(part[slice(*inside)], spots, low + inside[0]))
            fenced = fenced != bool(fence % 2)
            continue
        heading = headings.get(low)
        if heading is not None and "\n" not in part and len(part) < 300:
            mark = _LEADING.match(part)
            low += mark.end() if mark else 0
            yield Block("h", pieces_of(text[low:high], spots, low), min(heading.level + 1, 6))
        elif kind == "mail":
            yield from _mail(text, low, high, spots)
        else:
            yield Block("p", pieces_of(part, spots, low))


def _paragraphs(text: str, start: int, end: int, headings: Mapping[int, object]) -> Iterator[tuple[int, int]]:
    """Start and end of what blank lines divide; a heading is its line, and what is before it ends there."""
    begins = sorted(headings)
    at = start
    for low, high in [*(match.span() for match in _BLANK.finditer(text, start, end)), (end, end)]:
        while at < low:
            line = text.find("\n", at, low) if at in headings else -1
            stop = low if line < 0 else line
            following = bisect_right(begins, at)
            if following < len(begins):
                stop = min(stop, begins[following])
            yield at, stop
            at = stop + (text[stop : stop + 1] == "\n")
        at = max(at, high)


def _without_fences(part: str) -> tuple[int, int]:
    low, high = 0, len(part)
    if part.startswith("```"):
        first = part.find("\n")
        low = high if first < 0 else first + 1
    if part.rstrip().endswith("```") and len(part.rstrip()) - 3 >= low:
        high = len(part.rstrip()) - 3
    return low, max(low, high)


def _mail(text: str, low: int, high: int, spots: Sequence[Spot]) -> Iterator[Block]:
    """The lines of a mail's paragraph, those that it quotes apart."""
    at = low
    while at < high:
        reply = text.startswith(">", at)
        stop = at
        while stop < high and text.startswith(">", stop) == reply:
            line = text.find("\n", stop, high)
            stop = high if line < 0 else line + 1
        yield Block("reply" if reply else "p", pieces_of(text[at:stop].rstrip("\n"), spots, at))
        at = stop
