"""Named parts of a document (slides, sheets, chapters, attachments), and which of them a passage begins in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

__all__ = ["Part", "column_name", "joined", "part_cuts", "part_names"]


class Part(NamedTuple):
    """What begins at ``start`` of the text (a code point)."""

    start: int
    name: str
    """As people say it: ``slide 3``, ``chapter 2``, ``attachment plan.pdf``; of a sheet its name."""
    columns: str = ""
    """Of rows of cells, which are a line each: their first and last column (``A:F``)."""
    row: int = 0
    """The number of the first of these rows."""


def part_names(parts: Sequence[Part], text: str, spans: Iterable[tuple[int, int]]) -> Iterator[str]:
    """The name of the part that each span (start, end) begins in, of cells the range: ``Sales!A2:F9``.

    The spans must be in order; the text is gone through once.
    """
    starts = [part.start for part in parts]
    at, row, counted = -1, 0, 0
    for start, end in spans:
        here = bisect_right(starts, start) - 1
        if here < 0:
            yield ""
            continue
        part = parts[here]
        if not part.columns:
            yield part.name
            continue
        if here != at:
            at, row, counted = here, part.row, part.start
        row += text.count("\n", counted, start)
        counted = start
        last = bisect_right(starts, max(start, end - 1)) - 1
        end_part = parts[last]
        if end_part.name == part.name and end_part.columns:
            begins = start if last == here else end_part.start
            last_row = (row if last == here else end_part.row) + text.count("\n", begins, end)
            first_column, last_column = _wider(part.columns, end_part.columns)
        else:
            last_row = row + text.count("\n", start, starts[here + 1] - 1 if here + 1 < len(starts) else end)
            first_column, last_column = _wider(part.columns, part.columns)
        yield f"{part.name}!{first_column}{row}:{last_column}{last_row}"


def part_cuts(parts: Sequence[Part], text: str) -> Iterator[tuple[int, bool]]:
    """Where a passage may begin for a part's sake: its start, and each row's; True for what is no row but the first."""
    for number, part in enumerate(parts):
        yield part.start, True
        if part.columns:
            end = parts[number + 1].start if number + 1 < len(parts) else len(text)
            at = text.find("\n", part.start, end)
            while at >= 0:
                yield at + 1, False
                at = text.find("\n", at + 1, end)


def joined(pieces: Iterable[tuple[str, str]], between: str = "\n\n") -> tuple[str, tuple[Part, ...]]:
    """The text of named pieces (name, text), and its parts; pieces without text are left out."""
    texts: list[str] = []
    parts: list[Part] = []
    length = 0
    for name, text in pieces:
        if not text or text.isspace():
            continue
        if texts:
            length += len(between)
        if name:
            parts.append(Part(length, name))
        texts.append(text)
        length += len(text)
    return between.join(texts), tuple(parts)


def column_name(number: int) -> str:
    """``1`` -> ``"A"``, ``28`` -> ``"AB"``."""
    name = ""
    while number > 0:
        number, letter = divmod(number - 1, 26)
        name = chr(65 + letter) + name
    return name


def _wider(one: str, other: str) -> tuple[str, str]:
    """The first and last column of two ranges together."""
    columns = [column for found in (one, other) for column in found.split(":")]
    ordered = sorted(columns, key=lambda column: (len(column), column))
    return ordered[0], ordered[-1]
