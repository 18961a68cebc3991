"""What of a document can be worked out by itself, in any process: its text as it is stored, its passages, and their checksums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from ..analysis.languages import language_of
from ..analysis.library_analyzer import UNDECIDED
from ..analysis.variety import with_breaks
from ..documents.document import Document, Span
from ..documents.headings import with_headings
from ..documents.noise import without_noise
from ..documents.passages import indexed_text, spans_of_document
from .row_sums import text_sum
from .settings import Settings
from .storable import storable

__all__ = ["WHOLE", "Passage", "Prepared", "as_stored_text", "passages_of", "prepared", "spans_of"]

WHOLE = 1 << 20
"""Characters of a passage from which on it is looked at before it is analysed: it is a whole document."""
UNSAID = 1 << 16
"""Characters of a text of which nothing is indexed, up to which it is a passage all the same."""


class Passage(NamedTuple):
    """A passage of a document."""

    start: int
    end: int
    crc: int
    """`text_sum` of its text."""
    indexed: str
    """What of it is indexed, with its document's title."""


class Prepared(NamedTuple):
    """A document as it is stored, and what is asked of it."""

    document: Document
    """With the text and title that are stored, and with its headings."""
    said: str
    """What of its text is indexed, in its places: the text `without_noise`."""
    language: str | None
    """What it is written in: `UNDECIDED` where that is not clear, None where nobody asked."""


def prepared(given: Document, noise: Counter[str], *, ask: bool) -> Prepared:
    """``given`` prepared; what is left out of the index is counted in ``noise``. ``ask`` for its language."""
    said = without_noise(given.text, noise)
    language = (language_of(said, given.title) or UNDECIDED) if ask else None
    text, title = as_stored_text(given), storable(given.title)
    said = text if said is given.text or not given.text.strip() else storable(said)
    if text is not given.text or title is not given.title:
        given = replace(given, text=text, title=title)
    return Prepared(with_headings(given), said, language)


def as_stored_text(document: Document) -> str:
    """The text of ``document`` that is stored: the title is text where there is no other."""
    said = document.text if document.text.strip() or not document.title.strip() else document.title
    return storable(said)


def spans_of(ready: Prepared, settings: Settings) -> Sequence[Span]:
    """Its passages, by the library's unit."""
    document = ready.document
    if ready.said is not document.text:
        if document.title.strip() and len(ready.said) <= UNSAID and ready.said.isspace():
            return [Span(0, len(document.text))]  # so that its title is found
        document = replace(document, text=ready.said)
    return spans_of_document(document, settings.unit, settings.words)  # type: ignore[arg-type]


def passages_of(ready: Prepared, spans: Sequence[Span], crc: int) -> Iterator[Passage]:
    """The passages ``spans`` of a document, whose text has the `text_sum` ``crc``, one by one."""
    text, title, said = ready.document.text, ready.document.title, ready.said
    for at, span in enumerate(spans):
        shown = text[span.start : span.end]
        body = said if len(spans) == 1 else shown if said is text else said[span.start : span.end]
        indexed = indexed_text(title, body, first=at == 0)
        if len(indexed) > WHOLE:
            indexed = with_breaks(indexed)
        yield Passage(span.start, span.end, crc if shown is text else text_sum(shown), indexed)
