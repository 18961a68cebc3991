"""What a document consists of: named parts (slides, sheets, chapters, attachments), headings, and text that is not shown."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

__all__ = [
    "Headed",
    "Heading",
    "Hidden",
    "Part",
    "blocks_text",
    "bounded",
    "column_name",
    "hidden_parts",
    "joined",
    "moved_headings",
    "part_cuts",
    "with_hidden",
]


class Part(NamedTuple):
    """What begins at ``start`` of the text (a code point)."""

    start: int
    name: str
    """As people say it: ``slide 3``, ``chapter 2``, ``attachment plan.pdf``; of a sheet its name."""
    columns: str = ""
    """Of rows of cells, which are a line each: their first and last column (``A:F``)."""
    row: int = 0
    """The number of the first of these rows."""
    page: int = 0
    """The number of the page that it is from, where that is not told by its place in the text."""
    rows: int = 0
    """How many of these rows there are; 0 where they go on to the next part."""


class Heading(NamedTuple):
    """A heading at ``start`` of the text, which holds up to the next one of its level or a higher one."""

    start: int
    level: int
    """1 for the highest; 0 ends all headings before, as at the beginning of an attachment."""
    title: str


HEADINGS = 20_000
"""Headings of a document that are kept; what comes after the last has none, since it would be told a wrong one."""


def bounded(headings: Iterable[Heading]) -> tuple[Heading, ...]:
    """The first `HEADINGS` of ``headings``, and an end of them where there are more."""
    every = iter(headings)
    found = tuple(islice(every, HEADINGS))
    following = next(every, None)
    return found if following is None else (*found, Heading(following.start, 0, ""))


class Hidden(NamedTuple):
    """Text from ``start`` to ``end`` (exclusive) that is in the file and that its readers are not shown."""

    start: int
    end: int
    reason: str
    """Such as ``white text`` or ``hidden sheet``."""


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


def hidden_parts(parts: Sequence[Part], text: str, names: Container[str], reason: str) -> tuple[Hidden, ...]:
    """The parts of these ``names`` as hidden spans."""
    ends = (*(part.start for part in parts[1:]), len(text))
    return tuple(Hidden(part.start, end, reason) for part, end in zip(parts, ends, strict=bool(parts)) if part.name in names)


def moved_headings(found: Sequence[Sequence[Heading]], parts: Sequence[Part]) -> tuple[Heading, ...]:
    """The headings of each of ``parts``, found in its own text, by their places in the whole; those without words left out."""
    return tuple(
        heading._replace(start=part.start + heading.start)
        for part, headings in zip(parts, found, strict=True)
        for heading in headings
        if heading.level
    )


class Headed(str):
    """The text of a block that is a heading."""

    level: int

    def __new__(cls, text: str, level: int) -> Headed:
        """Of this level, from 1."""
        made = super().__new__(cls, text)
        made.level = level
        return made


def blocks_text(blocks: Iterable[str], between: str = "\n\n", *, strip: bool = True) -> tuple[str, tuple[Heading, ...]]:
    """The text of blocks, if ``strip`` without white space around each, and the headings: the blocks that are `Headed`."""
    texts: list[str] = []
    headings: list[Heading] = []
    length = 0
    for block in blocks:
        text = block.strip() if strip else str(block)
        if not text:
            continue
        if texts:
            length += len(between)
        if isinstance(block, Headed):
            headings.append(Heading(length, block.level, " ".join(text[:600].split())[:300]))
        texts.append(text)
        length += len(text)
    return between.join(texts), bounded(headings)


def column_name(number: int) -> str:
    """``1`` -> ``"A"``, ``28`` -> ``"AB"``."""
    name = ""
    while number > 0:
        number, letter = divmod(number - 1, 26)
        name = chr(65 + letter) + name
    return name


def with_hidden(
    text: str, pieces: Iterable[tuple[str, str, int]], between: str = "\n\n"
) -> tuple[str, tuple[Part, ...], tuple[Hidden, ...]]:
    """``text`` with hidden ``pieces`` (reason, text, page or 0) behind it, each a part of its own, and which spans are hidden."""
    texts: list[str] = []
    parts: list[Part] = []
    hidden: list[Hidden] = []
    length = 0
    for reason, piece, page in pieces:
        piece = piece.strip()
        if not piece:
            continue
        if not texts:
            texts.append(text.rstrip("\n"))
            length = len(texts[0])
        if length:
            texts.append(between)
            length += len(between)
        parts.append(Part(length, "hidden text", page=page))
        hidden.append(Hidden(length, length + len(piece), reason))
        texts.append(piece)
        length += len(piece)
    return "".join(texts) if texts else text, tuple(parts), tuple(hidden)
