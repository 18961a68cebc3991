"""PPTX: slide by slide in the order of the show, with tables, charts, diagrams, notes and comments."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from ..._errors import InputError
from ..document import Document
from ..encoding import clean
from ..parts import hidden_parts, joined
from ..source import Fields, Source
from .archive import Archive, open_archive
from .base import Format, Items
from .grid import table_lines
from .opc import chart_texts, core_properties, main_part, related, texts_of
from .values import one_line
from .xml import attribute, local, parse_xml

__all__ = ["PPTX"]

_FURNITURE = frozenset(("sldNum", "dt", "ftr", "hdr", "sldImg"))
"""Placeholders that say the same on every slide, or nothing."""
_TITLES = frozenset(("title", "ctrTitle"))
_DRAWN = frozenset(("chart", "diagramData", "comments"))


def _read(source: Source, fields: Fields) -> Items:
    pieces: list[tuple[str, str]] = []
    left_out: set[str] = set()
    """Slides that a show passes over."""
    first = ""
    with open_archive(source) as archive:
        main = main_part(archive, source, "ppt/presentation.xml")
        for number, slide in enumerate(_slides(archive, source, main), 1):
            if isinstance(slide, InputError):
                yield slide
                continue
            try:
                title, text, shown = _slide(archive, source, slide)
            except InputError as error:
                yield InputError(f"{source.label}: slide {number} was skipped: {error}")
                continue
            first = first or title
            pieces.append((f"slide {number}", clean(text)))
            if not shown:
                left_out.add(f"slide {number}")
        metadata, title = core_properties(archive, source)
    text, parts = joined(pieces)
    if text:
        metadata["slides"] = len(pieces)
        hidden = hidden_parts(parts, text, left_out, "hidden slide")
        yield Document(source.path, text, title or first or source.stem, metadata, parts=parts, hidden=hidden, line=0)


def _slides(archive: Archive, source: Source, main: str) -> Iterator[str | InputError]:
    targets = {one.id: one.part for one in related(archive, source, main)}
    for element in parse_xml(archive.read(main), source.label).iter():
        if local(element.tag) == "sldId":
            # Its plain attribute "id" is another one than the relationship's.
            given = next((value for key, value in element.attrib.items() if key.endswith("}id")), "")
            part = targets.get(given)
            yield part if part is not None else InputError(f"{source.label}: a slide ({given}) is missing and was skipped")


def _slide(archive: Archive, source: Source, part: str) -> tuple[str, str, bool]:
    """The title and the text of a slide, and whether a show shows it."""
    titles: list[str] = []
    blocks: list[str] = []
    root = parse_xml(archive.read(part), source.label)
    _shapes(root, titles, blocks)
    for one in related(archive, source, part):
        if one.type == "notesSlide":
            inner: list[str] = []
            _shapes(parse_xml(archive.read(one.part), source.label), inner, inner)
            blocks += [f"Notes: {text}" for text in inner]
        elif one.type in _DRAWN:
            found = parse_xml(archive.read(one.part), source.label)
            texts = chart_texts(found) if one.type == "chart" else texts_of(found) or _old_comments(found)
            if texts:
                blocks.append("\n".join(texts))
    shown = root.get("show", "1") not in ("0", "false")
    return one_line(" ".join(titles)), "\n\n".join([*titles, *blocks]), shown


def _shapes(root: Element, titles: list[str], blocks: list[str]) -> None:
    """Adds the text of each shape below ``root``, in drawing order."""
    stack = [root]
    while stack:
        element = stack.pop()
        name = local(element.tag)
        if name == "sp":
            kind = next((attribute(item, "type") for item in element.iter() if local(item.tag) == "ph"), "")
            text = "\n".join(texts_of(element))
            if text and kind not in _FURNITURE:
                (titles if kind in _TITLES else blocks).append(text)
        elif name == "tbl":
            rows = [
                [" ".join(texts_of(cell)) for cell in row if local(cell.tag) == "tc"]
                for row in element
                if local(row.tag) == "tr"
            ]
            blocks.append("\n".join(table_lines(rows)))
        elif name != "Fallback":
            stack.extend(reversed(element))


def _old_comments(root: Element) -> list[str]:
    return [element.text for element in root.iter() if local(element.tag) == "text" and element.text]


PPTX = Format("pptx", (".pptx", ".pptm", ".ppsx", ".ppsm", ".potx", ".potm"), _read, container=True)
