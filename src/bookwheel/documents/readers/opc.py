"""Open Packaging Conventions, the container of DOCX, PPTX and XLSX: parts are found by their relationships, not by name.

Source: ECMA-376, part 2.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from ..._errors import InputError
from ..document import Scalar
from ..encoding import clean
from ..source import Source
from .archive import Archive
from .values import one_line, year_of
from .xml import local, parse_xml

__all__ = ["Related", "chart_texts", "core_properties", "main_part", "related", "texts_of"]

_CORE = {"creator": "author", "created": "date", "subject": "subject", "keywords": "keywords", "language": "language"}
_JUNK_TITLES = frozenset(("powerpoint presentation", "microsoft word", "untitled", "presentation", "document", "slide 1"))


@dataclass(frozen=True, slots=True)
class Related:
    """A part that another one refers to."""

    id: str
    type: str
    """The last word of the relationship's type: ``slide``, ``comments`` …"""
    part: str


def related(archive: Archive, source: Source, part: str) -> list[Related]:
    """The parts in the package that ``part`` (``""``: the package itself) refers to."""
    folder, name = posixpath.split(part)
    listing = archive.find(posixpath.join(folder, "_rels", f"{name}.rels"))
    found: list[Related] = []
    if listing is None:
        return found
    for element in parse_xml(archive.read(listing), source.label):
        target = element.get("Target") or ""
        if element.get("TargetMode") == "External" or not target:
            continue
        path = posixpath.normpath(posixpath.join("/" + folder, target)).lstrip("/")
        if (real := archive.find(path)) is not None:
            found.append(Related(element.get("Id") or "", (element.get("Type") or "").rpartition("/")[2], real))
    return found


def main_part(archive: Archive, source: Source, usual: str) -> str:
    """The part with the document, by its relationship; else by its ``usual`` name."""
    for one in related(archive, source, ""):
        if one.type == "officeDocument":
            return one.part
    if (found := archive.find(usual)) is not None:
        return found
    raise InputError(f"{source.label} is damaged: {usual} is missing")


def core_properties(archive: Archive, source: Source) -> tuple[dict[str, Scalar], str]:
    """Metadata and title; a title that a program made up counts as none."""
    part = next((one.part for one in related(archive, source, "") if one.type == "core-properties"), None)
    part = part or archive.find("docProps/core.xml")
    if part is None:
        return {}, ""
    metadata: dict[str, Scalar] = {}
    title = ""
    for element in parse_xml(archive.read(part), source.label):
        name, value = local(element.tag), one_line(clean(element.text or ""), 1000)
        if name == "title":
            title = one_line(value)
        elif value and name in _CORE:
            metadata[_CORE[name]] = value
    if "date" in metadata and (year := year_of(str(metadata["date"]))) is not None:
        metadata["year"] = year
    return metadata, "" if title.lower() in _JUNK_TITLES else title


def texts_of(root: Element) -> list[str]:
    """The paragraphs (DrawingML's ``a:p``) below an element."""
    found: list[str] = []
    for paragraph in root.iter():
        if local(paragraph.tag) == "p":
            parts: list[str] = []
            for element in paragraph.iter():
                name = local(element.tag)
                if name == "t":
                    parts.append(element.text or "")
                elif name == "br":
                    parts.append("\n")
                elif name == "tab":
                    parts.append("\t")
            if text := "".join(parts).strip():
                found.append(text)
    return found


def chart_texts(root: Element) -> list[str]:
    """The title and labels of a chart, and the names of its series and categories; not its numbers."""
    found = texts_of(root)
    for element in root.iter():
        if local(element.tag) in ("strCache", "multiLvlStrCache"):
            found += [value.text for value in element.iter() if local(value.tag) == "v" and value.text]
    return list(dict.fromkeys(found))
