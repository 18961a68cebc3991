"""What of a document can be worked out by itself, in any process: its text as it is stored, its passages, and their checksums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from ..analysis.variety import with_breaks
from ..documents.document import Document, Span
from ..documents.headings import with_headings
from ..documents.passages import indexed_text, spans_of_document
from .pending import storable
from .row_sums import text_sum
from .settings import Settings

__all__ = ["WHOLE", "Passage", "as_stored", "as_stored_text", "passages_of", "spans_of"]

WHOLE = 1 << 20
"""Characters of a passage from which on it is looked at before it is analysed: it is a whole document."""


class Passage(NamedTuple):
    """A passage of a document."""

    start: int
    end: int
    crc: int
    """`text_sum` of its text."""
    indexed: str
    """What of it is indexed, with its document's title."""


def as_stored(document: Document) -> Document:
    """``document`` with the text and title that are stored, and with its headings."""
    text, title = as_stored_text(document), storable(document.title)
    if text is not document.text or title is not document.title:
        document = replace(document, text=text, title=title)
    return with_headings(document)


def as_stored_text(document: Document) -> str:
    """The text of `as_stored`, without the rest: the title is text where there is no other."""
    said = document.text if document.text.strip() or not document.title.strip() else document.title
    return storable(said)


def spans_of(document: Document, settings: Settings) -> Sequence[Span]:
    """Its passages, by the library's unit."""
    return spans_of_document(document, settings.unit, settings.words)  # type: ignore[arg-type]


def passages_of(document: Document, spans: Sequence[Span], crc: int) -> Iterator[Passage]:
    """The passages ``spans`` of ``document``, whose `text_sum` is ``crc``, one by one."""
    text, title = document.text, document.title
    for at, span in enumerate(spans):
        shown = text[span.start : span.end]
        indexed = indexed_text(title, text if len(spans) == 1 else shown, first=at == 0)
        if len(indexed) > WHOLE:
            indexed = with_breaks(indexed)
        yield Passage(span.start, span.end, crc if shown is text else text_sum(shown), indexed)
