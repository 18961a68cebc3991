"""A query that was made from a library, and what must be taken out of the library for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["Draft", "MadeQuery", "Taken"]


@dataclass(frozen=True, slots=True)
class Taken:
    """What is taken out of one document before it is searched, since the query was made from it."""

    title: bool = False
    """Its title, in the field and wherever the text repeats it."""
    spans: tuple[tuple[int, int], ...] = ()
    """Start and end, in code points of its text."""
    phrases: tuple[str, ...] = ()
    """Word for word, wherever they occur in its text or title, whatever stands between the words."""
    whole: bool = False
    """All of it: the document is left out."""

    def plus(self, other: Taken) -> Taken:
        """Both together."""
        return Taken(
            self.title or other.title,
            tuple(sorted({*self.spans, *other.spans})),
            tuple(dict.fromkeys((*self.phrases, *other.phrases))),
            self.whole or other.whole,
        )


@dataclass(frozen=True, slots=True)
class Draft:
    """A query that a way proposes; it is checked before it is used."""

    text: str
    relevant: Mapping[int, int]
    """Number of a document to its grade."""
    taken: Mapping[int, Taken]
    """Number of a document to what is taken out of it."""
    source: str
    """Where the query is from, for people: ``title of ID``, ``ID 120-184``."""


@dataclass(frozen=True, slots=True)
class MadeQuery:
    """A query that is used."""

    id: str
    text: str
    way: str
    """The name of the way that made it, see `WAYS`."""
    source: str
    """Where it is from."""
    documents: tuple[str, ...]
    """Ids of the documents that answer it."""

    def columns(self) -> dict[str, object]:
        """The line of a BEIR folder's ``queries.jsonl``, with way and source as columns of its own."""
        return {"_id": self.id, "text": self.text, "way": self.way, "source": self.source}


def merged(parts: Iterable[tuple[int, Taken]]) -> dict[int, Taken]:
    """What is taken out of each document for several queries together."""
    found: dict[int, Taken] = {}
    for number, taken in parts:
        found[number] = found[number].plus(taken) if number in found else taken
    return found
