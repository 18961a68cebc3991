"""A heading as a query that the text of its section answers."""

from __future__ import annotations

from collections.abc import Iterator

from ...library.results import StoredDocument
from .drawn import Drawn
from .masking import left_of, plain_words
from .query import Draft, Taken
from .wording import is_name, one_line

__all__ = ["Headings"]

SECTION = 20
"""Words below a heading, at least."""
ROUNDS = 4
"""Headings of one document."""


class Headings:
    """The heading's line is taken out of the text, and its words wherever else the document has them in a row.

    One heading of each document in turn, so that a long one does not give most of the queries.
    """

    name = "headings"
    summary = "a heading; the document of its section, without the heading"
    source = "Nanni, Mitra, Magnusson and Dietz, Benchmark for Complex Answer Retrieval (ICTIR 2017; TREC CAR)"
    needs = ""

    def drafts(self, drawn: Drawn) -> Iterator[Draft]:
        """See `Way.drafts`."""
        for turn in range(ROUNDS):
            found = False
            for document in drawn.documents():
                headings = self._headings(document, drawn)
                if turn < len(headings):
                    found = True
                    yield self._draft(document, headings[turn])
            if not found:
                return

    @staticmethod
    def _headings(document: StoredDocument, drawn: Drawn) -> list[tuple[int, int, str]]:
        """Start and end of the lines of the headings that can be queries, and their words; in an order drawn with the seed."""
        headings, text = document.layout.headings, document.text
        title = plain_words(document.title)
        found: dict[str, tuple[int, int, str]] = {}
        ends = [*(one.start for one in headings[1:]), len(text)]
        for one, after in zip(headings, ends, strict=False):
            words = one_line(one.title)
            if not one.level or plain_words(words) == title or is_name(words, document.id, document.source):
                continue
            end = text.find("\n", one.start)
            end = len(text) if end < 0 else end
            if drawn.wording.usable(words) and left_of(text[end:after]) >= SECTION:
                found.setdefault(plain_words(words), (one.start, max(one.start, end), words))
        return sorted(found.values(), key=lambda one: drawn.chance(document.number, one[0]))

    @staticmethod
    def _draft(document: StoredDocument, heading: tuple[int, int, str]) -> Draft:
        start, end, words = heading
        taken = Taken(spans=((start, end),))
        return Draft(words, {document.number: 1}, {document.number: taken}, f"heading of {document.id} {start}-{end}")
