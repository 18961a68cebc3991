"""DOCX (Office Open XML): paragraphs, tables, foot- and endnotes; deleted
text and field codes are left out.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from ..document import Document, Scalar
from ..encoding import clean
from ..source import Fields, Source
from .archive import Archive, open_archive
from .base import Format, Items
from .values import one_line, year_of
from .xml import local, parse_xml

__all__ = ["DOCX"]

_SKIPPED = frozenset(("instrText", "delText", "del", "moveFrom", "pPr", "rPr", "tblPr", "sectPr", "Fallback"))
_SIGNS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_CORE = {"creator": "author", "created": "date", "subject": "subject", "keywords": "keywords", "language": "language"}


def _read(source: Source, fields: Fields) -> Items:
    with open_archive(source) as archive:
        body = parse_xml(archive.read("word/document.xml"), source.label)
        blocks: list[str] = []
        heading = _blocks(body, blocks)
        for name in ("word/footnotes.xml", "word/endnotes.xml"):
            if name in archive.names:
                _blocks(parse_xml(archive.read(name), source.label), blocks)
        metadata, title = _core(archive, source)
    text = clean("\n\n".join(blocks)).strip()
    if text:
        yield Document(source.path, text, title or heading or source.stem, metadata, line=0)


def _blocks(root: Element, blocks: list[str]) -> str:
    """Appends the text of each paragraph and table row; returns the first title or heading."""
    heading = ""
    # A stack of our own: documents nest tables in text boxes in
    # tables, deeper than Python recurses.
    stack: list[Element] = [root]
    while stack:
        element = stack.pop()
        name = local(element.tag)
        if name == "p":
            text = _paragraph(element).strip()
            if text:
                blocks.append(text)
                heading = heading or (one_line(text) if _is_heading(element) else "")
        elif name == "tr":
            cells: list[str] = []
            for cell in element:
                inner: list[str] = []
                if local(cell.tag) == "tc":
                    _blocks(cell, inner)
                    cells.append(" ".join(inner))
            row = "\t".join(cells).strip()
            if row:
                blocks.append(row)
        elif name not in _SKIPPED:
            stack.extend(reversed(element))
    return heading


def _paragraph(paragraph: Element) -> str:
    parts: list[str] = []
    stack: list[Element] = [paragraph]
    while stack:
        element = stack.pop()
        name = local(element.tag)
        if name == "t":
            parts.append(element.text or "")
        elif name in _SIGNS:
            parts.append(_SIGNS[name])
        elif name not in _SKIPPED:
            if name == "p" and parts:
                parts.append("\n")  # a text box inside the paragraph
            stack.extend(reversed(element))
    return "".join(parts)


def _is_heading(paragraph: Element) -> bool:
    for properties in paragraph:
        if local(properties.tag) == "pPr":
            for item in properties:
                if local(item.tag) == "pStyle":
                    style = next((value for key, value in item.attrib.items() if local(key) == "val"), "")
                    return style.lower().startswith(
                        ("title", "heading", "berschrift", "titre", "titel", "titolo", "überschrift")
                    )
    return False


def _core(archive: Archive, source: Source) -> tuple[dict[str, Scalar], str]:
    if "docProps/core.xml" not in archive.names:
        return {}, ""
    metadata: dict[str, Scalar] = {}
    title = ""
    for element in parse_xml(archive.read("docProps/core.xml"), source.label):
        name, value = local(element.tag), one_line(clean(element.text or ""), 1000)
        if name == "title":
            title = one_line(value)
        elif value and name in _CORE:
            metadata[_CORE[name]] = value
    if "date" in metadata and (year := year_of(str(metadata["date"]))) is not None:
        metadata["year"] = year
    return metadata, title


DOCX = Format("docx", (".docx", ".docm", ".dotx"), _read, container=True)
