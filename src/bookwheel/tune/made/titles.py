"""A document's title as a query that the rest of the document answers."""

from __future__ import annotations

from collections.abc import Iterator

from .drawn import Drawn
from .query import Draft, Taken
from .wording import is_name, one_line

__all__ = ["Titles"]


class Titles:
    """The title is taken out of the document: of the field, and of the text where it says it again."""

    name = "titles"
    summary = "a title; its document, without the title"
    source = "Jin, Hauptmann and Zhai, Title Language Model for Information Retrieval (SIGIR 2002)"
    needs = ""

    def drafts(self, drawn: Drawn) -> Iterator[Draft]:
        """See `Way.drafts`. No titles that are names of files, or the beginning of the text for want of one."""
        for document in drawn.documents():
            title = one_line(document.title)
            if is_name(title, document.id, document.source) or not drawn.wording.usable(title):
                continue
            yield Draft(title, {document.number: 1}, {document.number: Taken(title=True)}, f"title of {document.id}")
