"""Part of a document's text, however large it is, with its place: what is shown where a whole text would be too much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._errors import LibraryDamaged
from ..documents.places import Place
from .document_rows import document_rows
from .snapshot import Snapshot
from .store import Store
from .whole_texts import DamagedText, called, windows

__all__ = ["Piece", "lines_of", "piece_of"]


@dataclass(frozen=True, slots=True)
class Piece:
    """The code points ``start`` to ``end`` of a document's text."""

    number: int
    """The document's number in the library."""
    id: str
    title: str
    source: str
    """Path of the file that the document was read from (``-`` for what `Library.add` was given)."""
    language: str | None
    metadata: Mapping[str, Any]
    text: str
    start: int
    end: int
    length: int
    """Code points of the whole text."""
    line: int
    """The line of the text that the piece begins in, from 1."""
    lines: int
    """Lines of the whole text."""
    where: Place

    @property
    def place(self) -> str:
        """The place for people: path, page, slide, line, headings."""
        return self.where.text(called(self.source, self.id))

    @property
    def hidden(self) -> tuple[tuple[int, int, str], ...]:
        """Start, end (in ``text``) and reason of what the document's readers are not shown."""
        return tuple((span.start - self.start, span.end - self.start, span.reason) for span in self.where.hidden)


def piece_of(snapshot: Snapshot, number: int, start: int, characters: int) -> Piece:
    """At most ``characters`` of the document ``number`` from the code point ``start``. Raises `LibraryDamaged`."""
    return _piece(snapshot, number, start, start + characters, 0, 0)


def lines_of(snapshot: Snapshot, number: int, first: int, count: int, characters: int) -> Piece:
    """At most ``count`` lines of the document from line ``first`` (from 1), and ``characters``. Raises `LibraryDamaged`."""
    return _piece(snapshot, number, 0, characters, first, count)


def _piece(snapshot: Snapshot, number: int, start: int, end: int, first: int, count: int) -> Piece:
    """The piece from ``start`` to ``end``; where ``first`` is a line, of ``count`` lines and ``end`` characters from there."""
    store: Store = snapshot.store
    row = next(document_rows(store, [number]), None)
    if row is None:
        raise LibraryDamaged(f"a document of {snapshot.library} is damaged or gone; search again")
    found: list[str] = []
    length = lines = 0
    line = 1
    wanted = not first or first == 1  # false while the line is still to come
    last = first + count if first else None  # the line after the last one
    try:
        for _, text, until in windows(store, number):
            fresh = text[:until]
            at = 0
            if not wanted:
                while lines + 1 < first and (next_line := fresh.find("\n", at)) >= 0:
                    at, lines = next_line + 1, lines + 1
                if lines + 1 == first:
                    wanted, start, end, line = True, length + at, length + at + end, first
            if wanted:
                low, high = max(start - length, 0), max(min(end - length, len(fresh)), 0)
                if not first and length <= start < length + len(fresh):
                    line = lines + fresh.count("\n", 0, start - length) + 1
                if last is not None and low < high:
                    left = last - (line + sum(part.count("\n") for part in found))
                    cut = low
                    while left > 0 and (next_line := fresh.find("\n", cut, high)) >= 0:
                        cut, left = next_line + 1, left - 1
                    if left <= 0:
                        high = cut
                        end = length + high
                if low < high:
                    found.append(fresh[low:high])
            lines += fresh.count("\n", at)
            length += len(fresh)
            last_character = fresh[-1:]
    except DamagedText:
        raise LibraryDamaged(store.damage(number, "the text")) from None
    if length and last_character != "\n":
        lines += 1
    if not wanted:
        start, line = length, lines + 1
    said = "".join(found)
    start = min(start, length)
    where = store.places([(number, start, start + len(said))])[0]
    return Piece(
        number,
        row.name,
        row.title,
        row.source,
        row.language,
        row.metadata,
        said,
        start,
        start + len(said),
        length,
        line,
        lines,
        where,
    )
