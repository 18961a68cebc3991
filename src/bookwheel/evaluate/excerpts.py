"""The part of a long text that has most of a query's words, to be shown beside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from .._errors import BookwheelError
from ..documents.document import Document
from .collection import Collection as Judged

if TYPE_CHECKING:
    from ..library.library import Library

__all__ = ["Excerpt", "Texts", "excerpt", "texts_of"]

LENGTH = 420
"""Characters that are shown."""
LOOKED = 100_000
"""Characters of a text that are looked at."""

Texts = Callable[[Collection[str]], Mapping[str, Document]]
"""Documents by id; those that cannot be had are not in it."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of a text, and the spans of it (start, end) that are words of the query."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()
    before: bool = False
    """Whether there is more before it."""
    after: bool = False


def excerpt(text: str, query: str, length: int = LENGTH) -> Excerpt:
    """About ``length`` characters of ``text`` where most different words of ``query`` are, with those marked."""
    from ..analysis.analyzer import Analyzer, languages
    from ..analysis.highlight import Highlighter
    from ..analysis.languages import language_of

    head = text[:LOOKED]
    asked = query[:LOOKED]
    language = language_of(asked) or ("english" if asked.isascii() else None)
    analyzer = Analyzer.for_language(language if language in languages() else None)
    spans = Highlighter({term for term in analyzer(asked) if len(term) > 1 or not term.isascii()}, analyzer)(head)
    start = _best(head, spans, length)
    if start:
        start = head.find(" ", max(0, start - 40), start) + 1 or start
    end = min(len(head), start + length)
    if end < len(text) and (space := head.rfind(" ", start + length // 2, end)) > 0:
        end = space
    marks = tuple((low - start, high - start) for low, high in spans if start <= low and high <= end)
    return Excerpt(head[start:end], marks, start > 0, end < len(text))


def _best(text: str, spans: list[tuple[int, int]], length: int) -> int:
    """The start of the first span from which on most different words are in ``length`` characters; 0 where that is no gain."""
    words = [text[low:high].casefold() for low, high in spans]
    best, most, first = 0, len({word for word, (_, high) in zip(words, spans, strict=True) if high <= length}), 0
    counts: dict[str, int] = {}
    for (_, high), word in zip(spans, words, strict=True):
        counts[word] = counts.get(word, 0) + 1
        while high - spans[first][0] > length - 60:
            gone = words[first]
            counts[gone] -= 1
            if not counts[gone]:
                del counts[gone]
            first += 1
        if len(counts) > most:
            best, most = spans[first][0], len(counts)
    return best


def texts_of(collection: Judged, library: Library | None = None) -> Texts | None:
    """Where the texts of documents can be had: from ``library``, else from the collection; None where from neither."""
    if library is not None:
        return partial(_from_library, library)
    return None if collection.read is None else partial(_from_collection, collection)


def _from_library(library: Library, ids: Collection[str]) -> dict[str, Document]:
    found = {}
    for name in ids:
        try:
            for stored in library.get(name, 1):
                found[name] = Document(id=name, text=stored.text, title=stored.title)
        except BookwheelError:  # a report is made also where a text cannot be read any more
            continue
    return found


def _from_collection(collection: Judged, ids: Collection[str]) -> dict[str, Document]:
    wanted = set(ids)
    found: dict[str, Document] = {}
    try:
        for document in collection.documents():
            if len(found) == len(wanted):
                break
            if document.id in wanted:
                found.setdefault(str(document.id), document)
    except BookwheelError:  # as above: what was read so far is shown
        pass
    return found
