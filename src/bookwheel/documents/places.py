"""Where a span of a document is: its page with the printed label, slide, cells, chapter or attachment, its headings, its line.

This is the one owner of that question: for documents as readers yield them (`PlaceMap.of`), and for those that a library keeps,
which stores each document's map in a few bytes beside its text (`PlaceMap.cell`, `PlaceMap.load`).
"""

from __future__ import annotations

import json
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from operator import sub
from typing import Any, cast

from .document import Document, Heading, Hidden, Part, Span
from .headings import with_headings

__all__ = ["Cell", "Place", "PlaceMap"]

Cell = int | bytes | None
"""A map as a database keeps it: nothing, a line alone, or all."""

_PACKED = 96
"""Bytes from which on a map is compressed."""
_LARGEST = 1 << 28
"""Bytes of a map that is read."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a span of a document is, as far as the document's format has it."""

    page: int | None = None
    """The page that it begins on, from 1."""
    last_page: int | None = None
    """The page that it ends on."""
    label: str = ""
    """What is printed as the number of the first page (``iv``, ``A-3``) where that is another than the page's number."""
    last_label: str = ""
    part: str = ""
    """``slide 3``, ``Sales!A2:F9``, ``chapter 2``, ``attachment plan.pdf p. 3``, ``hidden text``."""
    heading: tuple[str, ...] = ()
    """The headings that it stands under, from the highest down."""
    line: int | None = None
    """The line of the file that it begins in, from 1."""
    hidden: tuple[Hidden, ...] = ()
    """What of it the document's readers are not shown, within the span."""

    def text(self, source: str = "", *, heading: bool = True) -> str:
        """For people: ``paper.pdf p. iv (4)``, ``talk.pptx slide 3``, ``book.xlsx Sales!A2:F9``, ``notes.md:12 > Setup``."""
        said = f"{source}:{self.line}" if self.line is not None and source else source
        if self.line is not None and not source:
            said = f"line {self.line}"
        if self.page is None and not self.part and said and not (heading and self.heading):
            return said
        places = [self.pages, self.part] if self.page is not None and self.part else [self.pages or self.part]
        said = " ".join(part for part in (said, ", ".join(places)) if part)
        return " > ".join([said, *self.heading] if said else self.heading) if heading else said

    @property
    def pages(self) -> str:
        """``p. 3``, ``p. 3-4``, ``p. iv (4)``, ``p. iv-v (4-5)``; ``""`` where it has no pages."""
        if self.page is None:
            return ""
        first, last = self.page, self.page if self.last_page is None else self.last_page
        numbers = str(first) if first == last else f"{first}-{last}"
        if not self.label and not self.last_label:
            return f"p. {numbers}"
        labels = [self.label or str(first), self.last_label or str(last)]
        return f"p. {labels[0] if first == last else '-'.join(labels)} ({numbers})"

    def shown(self, start: int, end: int) -> list[tuple[int, int]]:
        """The span from ``start`` to ``end``, of which this is the place, without what is hidden: pieces in order."""
        found: list[tuple[int, int]] = []
        for span in self.hidden:
            if start < span.start:
                found.append((start, min(span.start, end)))
            start = max(start, span.end)
        if start < end:
            found.append((start, end))
        return found

    def to_dict(self) -> dict[str, Any]:
        """For JSON: what there is of it."""
        given: dict[str, Any] = {
            "page": self.page,
            "last_page": self.last_page,
            "label": self.label,
            "last_label": self.last_label,
            "part": self.part,
            "heading": list(self.heading),
            "line": self.line,
            "hidden": [list(span) for span in self.hidden],
        }
        return {name: value for name, value in given.items() if value not in (None, "", [])}

    def __str__(self) -> str:
        return self.text()


@dataclass(slots=True)
class PlaceMap:
    """What tells the place of each span of one document."""

    line: int = 0
    """The line that the document begins at; 0 if its format has none."""
    lines: bool = False
    """Whether its lines are the file's own."""
    pages: Sequence[int] = ()
    labels: Sequence[str] = ()
    headings: Sequence[Heading] = ()
    parts: Sequence[Part] = ()
    hidden: Sequence[Hidden] = ()
    offsets: Sequence[int] = ()
    """Offsets before which the line ends were counted …"""
    counts: Sequence[int] = ()
    """… and how many there are before each."""
    _above: list[int] | None = field(default=None, repr=False, compare=False)
    """Of each heading the one that it stands under; -1 for none. Made when first asked for."""

    @classmethod
    def of(cls, document: Document, spans: Iterable[Span] = ()) -> PlaceMap:
        """The map of ``document``, by which the places of ``spans``, which must be in order, are told without its text."""
        document = with_headings(document)
        found = cls(
            document.line,
            document.lines,
            document.pages,
            document.labels,
            document.headings,
            document.parts,
            document.hidden,
        )
        if any(part.columns for part in document.parts):
            found._count(document.text, sorted(set(found._points((span.start, span.end) for span in spans))))
        elif document.lines:
            found._count(document.text, (span.start for span in spans))
        return found

    def _points(self, spans: Iterable[tuple[int, int]]) -> Iterator[int]:
        """Where line ends must have been counted to tell the cells of ``spans``."""
        for start, end in spans:
            yield start
            yield max(start, end - 1)
        for part in self.parts:
            yield part.start
            yield max(part.start - 1, 0)

    def _count(self, text: str, points: Iterable[int]) -> None:
        """Count the line ends before each of ``points``."""
        offsets, counts = array("Q"), array("Q")
        at = count = 0
        for point in points:
            if point:
                count += text.count("\n", at, point)
                at = point
                offsets.append(point)
                counts.append(count)
        self.offsets, self.counts = offsets, counts

    # -- as a database keeps it ----------------------------------------------------------------------------------------

    def cell(self) -> Cell:
        """The map for a database: nothing where it tells nothing, the line where that is all (negative: of the file's lines)."""
        told = (self.pages, self.labels, self.headings, self.parts, self.hidden, self.offsets)
        if not any(map(len, told)) and (self.line or not self.lines):
            return (-self.line if self.lines else self.line) or None
        said = [
            self.line,
            int(self.lines),
            _steps(self.pages),
            [_sound(label) for label in self.labels],
            _flat(self.headings),
            _flat(self.parts),
            _flat(self.hidden),
        ]
        told_bytes = json.dumps(said, separators=(",", ":")).encode()
        numbers = b"".join(array("Q", _steps(some)).tobytes() for some in (self.offsets, self.counts))
        data = len(told_bytes).to_bytes(4, "little") + told_bytes + numbers
        return b"\1" + zlib.compress(data) if len(data) >= _PACKED else b"\0" + data

    @classmethod
    def load(cls, cell: Cell) -> PlaceMap:
        """The map of which `cell` is. Raises `ValueError` for what is none."""
        if cell is None:
            return cls()
        if isinstance(cell, int):
            return cls(abs(cell), cell < 0)
        if not isinstance(cell, bytes):
            raise ValueError("it is no map")
        data = cell[1:]
        if cell[:1] == b"\1":
            unpacking = zlib.decompressobj()
            try:
                data = unpacking.decompress(data, _LARGEST)
            except zlib.error as error:
                raise ValueError(str(error)) from error
            if unpacking.unconsumed_tail:
                raise ValueError("it is too large")
        end = 4 + int.from_bytes(data[:4], "little")
        try:
            line, lines, pages, labels, headings, parts, hidden = json.loads(data[4:end])
            numbers = array("Q", data[end:])
            half = len(numbers) // 2
            return cls(
                line,
                bool(lines),
                list(accumulate(pages)),
                labels,
                _unflat(Heading, headings),
                _unflat(Part, parts),
                _unflat(Hidden, hidden),
                array("Q", accumulate(numbers[:half])),
                array("Q", accumulate(numbers[half:])),
            )
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(str(error)) from error

    # -- places --------------------------------------------------------------------------------------------------------

    def needs_text(self, spans: Iterable[tuple[int, int]]) -> bool:
        """Whether line ends must be counted in the document's text to tell the places of ``spans`` (start, end)."""
        if any(part.columns for part in self.parts):
            return not all(map(self._is_counted, self._points(spans)))
        return self.lines and not all(self._is_counted(start) for start, _ in spans)

    def places(self, spans: Iterable[tuple[int, int]], text: str = "") -> Iterator[Place]:
        """The `place` of each of ``spans`` (start, end)."""
        return (self.place(start, end, text) for start, end in spans)

    def place(self, start: int, end: int, text: str = "") -> Place:
        """Where the code points ``start`` to ``end`` (exclusive) are. ``text``: the document's, if `needs_text`."""
        if not (self.parts or self.pages or self.headings or self.hidden or self.lines):  # most documents of a table
            return Place(line=self.line or None)
        last = max(start, end - 1)
        here = self._part(start)
        part = "" if here < 0 else self._named(here, start, last, text)
        page = last_page = None
        if here >= 0 and self.parts[here].page:
            page, last_page = self.parts[here].page, self.parts[max(here, self._part(last))].page or None
        elif self.pages and not part:
            page, last_page = self._page(start), self._page(last)
        line = None
        if not part:
            line = self.line + (self._newlines(start, text) if self.lines else 0) or None
        return Place(
            page,
            page if last_page is None else last_page,
            self._label(page),
            self._label(page if last_page is None else last_page),
            part,
            self._path(start),
            line,
            tuple(self.hidden_in(start, end)),
        )

    def hidden_in(self, start: int, end: int) -> Iterator[Hidden]:
        """What from ``start`` to ``end`` is hidden, no more than that."""
        hidden = self.hidden
        for at in range(max(0, bisect_left(hidden, (start, 0, "")) - 1), len(hidden)):
            span = hidden[at]
            if span.start >= end:
                return
            if span.end > start:
                yield Hidden(max(start, span.start), min(end, span.end), span.reason)

    def said(self, page: int) -> str:
        """A page as people say it: ``p. iv (4)``."""
        return Place(page, page, self._label(page), self._label(page)).pages

    def _page(self, at: int) -> int:
        return max(1, bisect_right(self.pages, at))

    def _label(self, page: int | None) -> str:
        label = self.labels[page - 1] if page is not None and page <= len(self.labels) else ""
        return "" if label == str(page) else label

    def _part(self, at: int) -> int:
        """The number of the part that ``at`` is in; -1 before the first."""
        return bisect_right(self.parts, at, key=_start) - 1

    def _path(self, at: int) -> tuple[str, ...]:
        headings = self.headings
        here = bisect_right(headings, at, key=_start) - 1
        if here < 0:
            return ()
        if self._above is None:
            self._above = _parents(headings)
        path: list[str] = []
        while here >= 0 and headings[here].level > 0:
            path.append(headings[here].title)
            here = self._above[here]
        return tuple(path[::-1])

    def _is_counted(self, at: int) -> bool:
        index = bisect_left(self.offsets, at)
        return not at or (index < len(self.offsets) and self.offsets[index] == at)

    def _newlines(self, at: int, text: str) -> int:
        """How many line ends are before ``at``."""
        index = bisect_right(self.offsets, at) - 1
        begin, count = (self.offsets[index], self.counts[index]) if index >= 0 else (0, 0)
        return count if begin == at else count + text.count("\n", begin, at)

    def _named(self, here: int, start: int, last: int, text: str) -> str:
        """The part ``here`` of a span as people say it: of cells the range, of several numbered parts all (``slide 3-4``)."""
        parts = self.parts
        part, there = parts[here], self._part(last)
        final = parts[max(here, there)]
        if not part.columns:
            return _both(part.name, final.name)
        while parts[there].name != part.name or not parts[there].columns:
            there -= 1
        final = parts[there]
        first, final_column = _wider((part.columns, final.columns))
        end = last if there + 1 == len(parts) else max(final.start, min(last, parts[there + 1].start - 1))
        return f"{part.name}!{first}{self._row(part, start, text)}:{final_column}{self._row(final, end, text)}"

    def _row(self, part: Part, at: int, text: str) -> int:
        """The number of the row of cells that ``at`` is in; of what is between two parts, the last one's."""
        after = self._newlines(at, text) - self._newlines(part.start, text)
        return part.row + (min(after, part.rows - 1) if part.rows else after)


def _start(item: Any) -> int:
    return cast(int, item.start)


def _steps(numbers: Sequence[int]) -> list[int]:
    """Each number less the one before."""
    return list(map(sub, numbers, chain((0,), numbers)))


def _flat(rows: Sequence[Any]) -> list[Any]:
    """Named tuples that begin with a start, in one list, with the distance to the row before as the start."""
    found: list[Any] = []
    before = 0
    for start, *rest in rows:
        found.append(start - before)
        found += [_sound(value) if isinstance(value, str) else value for value in rest]
        before = start
    if found and rows and isinstance(rows[0], Hidden):
        found[1::3] = [row.end - row.start for row in rows]
    return found


def _unflat(kind: Any, flat: list[Any]) -> list[Any]:
    width = len(kind._fields)
    starts = accumulate(flat[::width])
    found = [
        kind(start, *rest)
        for start, rest in zip(starts, zip(*(flat[at::width] for at in range(1, width)), strict=True), strict=True)
    ]
    return [Hidden(start, start + length, reason) for start, length, reason in found] if kind is Hidden else found


def _sound(text: str) -> str:
    """``text`` without halves of characters."""
    return text.encode("utf-8", "replace").decode()


def _parents(headings: Sequence[Heading]) -> list[int]:
    """Of each heading the nearest one before it of a higher level; -1 for none."""
    found: list[int] = []
    open_ones: list[int] = []
    for number, heading in enumerate(headings):
        while open_ones and headings[open_ones[-1]].level >= heading.level:
            open_ones.pop()
        found.append(open_ones[-1] if open_ones else -1)
        open_ones.append(number)
    return found


def _both(first: str, last: str) -> str:
    """``slide 3`` and ``slide 5`` are ``slide 3-5``; of names that do not go on like this, the first."""
    if first == last:
        return first
    name, _, number = first.rpartition(" ")
    other, _, end = last.rpartition(" ")
    same = name == other and number.isdecimal() and end.isdecimal() and int(number) < int(end)
    return f"{first}-{end}" if same else first


def _wider(ranges: Sequence[str]) -> tuple[str, str]:
    """The first and last column of some ranges together."""
    columns = [column for found in ranges for column in found.split(":")]
    ordered = sorted(columns, key=lambda column: (len(column), column))
    return ordered[0], ordered[-1]
