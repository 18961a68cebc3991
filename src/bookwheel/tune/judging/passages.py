"""What a judge is shown of a document: the passage with most of the query's words, and where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...library.library import Library

__all__ = ["Shown", "shown", "text_of"]

LONGEST = 1 << 14
"""Characters of a passage that are shown; of a longer one, those around the first matching word."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage to judge."""

    query: str
    """The query's id."""
    question: str
    """Its text."""
    document: str
    title: str
    place: str
    text: str
    highlights: tuple[tuple[int, int], ...]
    """Start and end, in ``text``, of the words that match the query's."""
    start: int
    """Where the text starts in the document, in code points."""
    passages: int
    """Of the document; more than this one may have to be read."""
    missing: bool = False
    """Whether the library no longer has the document."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "missing"} | {
            "highlights": [list(span) for span in self.highlights]
        }


def shown(library: Library, query: str, question: str, document: str) -> Shown:
    """The passage of ``document`` to show. One that is gone has no text."""
    found = library.get(document, 1)
    if not found:
        return Shown(query, question, document, "", "", "", (), 0, 0, missing=True)
    stored = found[0]
    spans = library.highlights(stored.number, question) if question.strip() else []
    best, most = (0, len(stored.text)), -1
    for start, end in stored.passages:
        words = {stored.text[a:b].casefold() for a, b in spans if start <= a and b <= end}
        if len(words) > most:
            best, most = (start, end), len(words)
    start, end = best
    if end - start > LONGEST:
        first = next((a for a, b in spans if start <= a and b <= end), start)
        start = max(start, min(first - LONGEST // 4, end - LONGEST))
        end = start + LONGEST
    inside = tuple((a - start, b - start) for a, b in spans if start <= a and b <= end)
    place = stored.place(start, end).text(stored.id if stored.source == "-" else stored.source)
    return Shown(
        query, question, document, stored.title, place, stored.text[start:end], inside, start, max(1, len(stored.passages))
    )


def text_of(library: Library, document: str, question: str) -> str:
    """Title and passage as one text, for a judge that is a model; empty for a document that is gone."""
    found = shown(library, "", question, document)
    head = found.title.strip()
    return f"{head}\n{found.text}" if head and not found.text.startswith(head) and head not in found.place else found.text
