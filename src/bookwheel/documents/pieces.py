"""A large document in pieces, each of which is split into passages by itself, so that the memory for that is bounded."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import overload

from .document import Document, Heading, Part, Span
from .headings import fences

__all__ = ["PIECE", "Spans", "hidden_tail", "pieces_of"]

PIECE = 1 << 19
"""Characters from which on a document is split in pieces of at most so many."""
_BREAKS = ("\f", "\n\n", "\n", "\N{IDEOGRAPHIC FULL STOP}", ". ", " ")
"""Where a piece ends, from best to worst, if there is one in its second half."""


class Spans(Sequence[Span]):
    """Spans in two arrays: a sentence each, a large document has a million of them."""

    def __init__(self) -> None:
        self._starts, self._ends = array("I"), array("I")

    def extend(self, spans: Sequence[Span], shift: int) -> None:
        """Append ``spans`` of a piece that begins at ``shift``."""
        self._starts.extend(span.start + shift for span in spans)
        self._ends.extend(span.end + shift for span in spans)

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, index: int) -> Span: ...

    @overload
    def __getitem__(self, index: slice) -> list[Span]: ...

    def __getitem__(self, index: int | slice) -> Span | list[Span]:
        if isinstance(index, slice):
            return [Span(start, end) for start, end in zip(self._starts[index], self._ends[index], strict=True)]
        return Span(self._starts[index], self._ends[index])

    def __iter__(self) -> Iterator[Span]:
        return (Span(start, end) for start, end in zip(self._starts, self._ends, strict=True))


def pieces_of(document: Document) -> Iterator[tuple[int, Document, str]] | None:
    """The pieces of a large document, cut at pages, paragraphs, lines or spaces; None for a small one that is shown whole.

    Hidden text at the end is a piece of its own. With each come its offset and the mark of the code block that goes on in it.
    """
    return _pieces(document) if len(document.text) > PIECE or hidden_tail(document) is not None else None


def hidden_tail(document: Document) -> int | None:
    """Where the hidden text begins that is all of the rest of the text but white space; None where there is none."""
    text, tail = document.text, None
    end = len(text)
    for span in reversed(document.hidden):
        if span.start >= end or (span.end < end and not text[span.end : end].isspace()):
            break
        tail = end = span.start
    return tail if tail else None


def _pieces(document: Document) -> Iterator[tuple[int, Document, str]]:
    text, pages = document.text, document.pages
    tail = hidden_tail(document) or len(text)
    start, fence = 0, ""
    while start < len(text):
        end = _end(text, start, pages or [part.start for part in document.parts])
        if start < tail < end:
            end = tail
        low, high = bisect_left(pages, start), bisect_left(pages, end)
        inner = (0, *(page - start for page in pages[low:high] if page > start)) if pages else ()
        sections = tuple(section - start for section in document.sections if start <= section < end)
        first, last = (bisect_left(document.headings, bound, key=_start) for bound in (start, end))
        headings = tuple(heading._replace(start=heading.start - start) for heading in document.headings[first:last])
        parts = tuple(_parts(document, start, end))
        piece = replace(
            document, text=text[start:end], pages=inner, sections=sections, parts=parts, headings=headings, hidden=()
        )
        yield start, piece, fence
        if document.kind == "markup":
            fence = fences(piece.text, fence)[1]
        start = end


def _start(heading: Heading) -> int:
    return heading.start


def _parts(document: Document, start: int, end: int) -> Iterator[Part]:
    """The parts that begin in a piece, after the one that goes on in it."""
    for part, following in zip_longest(document.parts, document.parts[1:]):
        if part.start < end and (following is None or following.start > start):
            yield part._replace(start=max(part.start - start, 0))


def _end(text: str, start: int, pages: Sequence[int]) -> int:
    end, middle = start + PIECE, start + PIECE // 2
    if end >= len(text):
        return len(text)
    if pages and (at := bisect_left(pages, end)) and pages[at - 1] > middle:
        return pages[at - 1]
    for mark in _BREAKS:
        if (found := text.rfind(mark, middle, end)) >= 0:
            return found + len(mark)
    return end
