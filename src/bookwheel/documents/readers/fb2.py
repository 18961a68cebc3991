"""FictionBook: the chapters of a book, with its notes; pictures are left out."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from ..document import Document, Heading, Value
from ..encoding import clean
from ..parts import Headed, blocks_text, joined, moved_headings
from ..source import Fields, Source
from .base import Format, Items
from .values import one_line, one_or_several, year_of
from .xml import line_of, local, parse_xml

__all__ = ["FB2"]

_LINES = frozenset(("p", "v", "subtitle", "text-author", "tr", "date"))


def _read(source: Source, fields: Fields) -> Items:
    root = parse_xml(source.read_bytes(), source.label)
    pieces: list[tuple[str, str]] = []
    found: list[tuple[Heading, ...]] = []
    metadata: dict[str, Value] = {}
    title = ""
    for part in root:
        name = local(part.tag)
        if name == "description":
            title = _describe(part, metadata)
        elif name == "body":
            for section in part:
                text, headings = blocks_text(_blocks(section))
                if text:
                    found.append(headings)
                    pieces.append((f"chapter {len(pieces) + 1}" if local(section.tag) == "section" else "", text))
                    if not pieces[-1][0]:  # the title page and epigraphs
                        pieces[-1] = ("title page", text)
    numbered = 0
    for at, (name, text) in enumerate(pieces):
        if name != "title page":
            numbered += 1
            pieces[at] = (f"chapter {numbered}", text)
    text, parts = joined(pieces)
    if text:
        headings = moved_headings(found, parts)
        sections = tuple(heading.start for heading in headings)
        yield Document(
            source.path, text, title or source.stem, metadata, parts=parts, headings=headings, sections=sections, line=0
        )


def _describe(description: Element, metadata: dict[str, Value]) -> str:
    title = ""
    for info in description:
        if local(info.tag) != "title-info":
            continue
        authors: list[str] = []
        for item in info:
            name, value = local(item.tag), one_line(clean(" ".join(part.strip() for part in item.itertext())), 1000)
            if name == "book-title":
                title = one_line(value)
            elif name == "author" and value:
                authors.append(value)
            elif name == "lang" and value:
                metadata["language"] = value
            elif name == "date" and value:
                metadata["date"] = value
                if (year := year_of(value)) is not None:
                    metadata["year"] = year
            elif name == "annotation" and value:
                metadata["description"] = value
        if authors:
            metadata["author"] = one_or_several(authors)
    return title


def _blocks(root: Element) -> list[str]:
    """Its lines; of titles they are headings, by how deep their sections are."""
    found: list[str] = []
    stack = [(root, 1)]
    while stack:
        element, level = stack.pop()
        name = local(element.tag)
        if name in _LINES:
            if text := clean(line_of(element)):
                found.append(text)
        elif name == "title":
            if text := clean("\n\n".join(filter(None, map(line_of, element)))):
                found.append(Headed(text, level))
        elif name not in ("binary", "image"):
            stack.extend((inner, level + (local(inner.tag) == "section")) for inner in reversed(element))
    return found


FB2 = Format("fb2", (".fb2",), _read)
