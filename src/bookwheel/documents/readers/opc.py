"""Open Packaging Conventions, the container of DOCX, PPTX and XLSX: parts are found by their relationships, not by name.

Source: ECMA-376, part 2.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from ..._errors import InputError
from ..document import Scalar
from ..encoding import clean
from ..source import Source
from .archive import Archive
from .omml import math_line
from .runs import Place, Runs
from .symbol_fonts import in_font
from .values import one_line, year_of
from .xml import attribute, local, parse_xml

__all__ = ["Related", "chart_texts", "core_properties", "main_part", "related", "texts_of", "without_escapes"]

_CORE = {"creator": "author", "created": "date", "subject": "subject", "keywords": "keywords", "language": "language"}
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
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
    texts = (_paragraph(item).strip() for item in root.iter() if local(item.tag) == "p")
    return [text for text in texts if text]


def _paragraph(paragraph: Element) -> str:
    runs = Runs()
    stack: list[tuple[Element, Place, str]] = [(paragraph, "line", "")]
    while stack:
        element, place, font = stack.pop()
        name = local(element.tag)
        if name == "t":
            runs.add(in_font(without_escapes(element.text or ""), font), place)
        elif name == "br":
            runs.add("\n")
        elif name == "tab":
            runs.add("\t")
        elif name in ("oMath", "oMathPara"):
            runs.add(math_line(element), "formula")
        elif name not in ("pPr", "Fallback"):
            for properties in element:
                if local(properties.tag) == "rPr":
                    place, font = _look(properties)
            stack.extend((child, place, font) for child in reversed(element))
    return runs.text()


def _look(properties: Element) -> tuple[Place, str]:
    """Where a run with these properties (``a:rPr``) stands on its line, and the font of its symbols."""
    rise = attribute(properties, "baseline").rstrip("%")  # thousandths of a percent of the type's height
    place: Place = "line"
    if rise.removeprefix("-").isdecimal() and rise.strip("-0"):
        place = "lowered" if rise.startswith("-") else "raised"
    fonts = {local(item.tag): attribute(item, "typeface") for item in properties}
    return place, fonts.get("sym") or fonts.get("latin") or ""


def without_escapes(text: str) -> str:
    """``text`` with what Office writes as ``_x000D_`` as the characters meant (ECMA-376, part 1, 22.9.2.19)."""
    if "_x" not in text or _ESCAPE.search(text) is None:
        return text
    text = clean(_ESCAPE.sub(lambda found: chr(int(found[1], 16)), text))
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0b", "\n")


def chart_texts(root: Element) -> list[str]:
    """The title and labels of a chart, and the names of its series and categories; not its numbers."""
    found = texts_of(root)
    for element in root.iter():
        if local(element.tag) in ("strCache", "multiLvlStrCache"):
            found += [value.text for value in element.iter() if local(value.tag) == "v" and value.text]
    return list(dict.fromkeys(found))
