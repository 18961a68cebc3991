"""OpenDocument: texts (ODT), sheets (ODS), slides (ODP) and drawings, in zip files or as one XML file.

Source: OASIS OpenDocument 1.3, part 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from ..._errors import InputError
from ..document import Document, Heading, Hidden, Part, Value
from ..encoding import clean
from ..parts import Headed, blocks_text, hidden_parts, joined, with_hidden
from ..source import Fields, Source
from .archive import open_archive
from .base import Format, Items
from .grid import table_lines
from .number_formats import as_shown
from .odf_hidden import hidden_columns, hidden_styles, is_hidden_row, take_hidden
from .odf_places import note_places, place_of
from .runs import Place, Runs
from .sheets import Sheet, workbook
from .symbol_fonts import in_font
from .values import one_line, one_or_several, year_of
from .xlsx import shown_number
from .xml import attribute, local, parse_xml

__all__ = ["ODF"]

_META = {
    "initial-creator": "author",
    "creator": "author",
    "creation-date": "date",
    "subject": "subject",
    "language": "language",
}
_SKIPPED = frozenset(
    ("tracked-changes", "sequence-decls", "variable-decls", "forms", "note-citation", "ruby-text", "desc", "title")
)
_SPACE = re.compile(r"[ \t\r\n]+")
_BLOCKS = frozenset(("p", "h"))
_MOST_SPACES = 100
_MOST_COPIES = 100
"""Times that a repeated row or cell is written."""


def _read(source: Source, fields: Fields) -> Items:
    content, others = _parts(source)
    body = next((item for item in content.iter() if local(item.tag) == "body"), None)
    if body is None or not len(body):
        raise InputError(f"{source.label} is damaged: it has no body")
    metadata, title = _metadata(others)
    kind = local(body[0].tag)
    styles = hidden_styles([content, *others])
    unseen = take_hidden(body[0], styles) if kind == "text" else ""
    note_places([content, *(root for root in others if root is not content)])
    parts: tuple[Part, ...] = ()
    headings: tuple[Heading, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    heading = ""
    if kind == "spreadsheet":
        text, parts, hidden = workbook(_sheets(body[0], styles))
    elif kind in ("presentation", "drawing"):
        word = "slide" if kind == "presentation" else "page"
        pages = [item for item in body[0] if local(item.tag) == "page"]
        text, parts = joined((f"{word} {number}", clean("\n\n".join(_blocks(page)[0]))) for number, page in enumerate(pages, 1))
        left_out = {f"{word} {number}" for number, page in enumerate(pages, 1) if attribute(page, "style-name") in styles}
        hidden = hidden_parts(parts, text, left_out, f"hidden {word}")
        heading = one_line(text.split("\n")[0]) if text else ""
    else:
        blocks, heading = _blocks(body[0])
        blocks += _margins(others)
        text, headings = blocks_text(block if isinstance(block, Headed) else clean(block) for block in blocks)
        text, parts, hidden = with_hidden(text, [("hidden text", clean(unseen), 0)])
    if text:
        yield Document(
            source.path,
            text,
            title or heading or source.stem,
            metadata,
            sections=tuple(one.start for one in headings),
            parts=parts,
            headings=(*headings, Heading(parts[0].start, 0, "")) if unseen and parts and headings else headings,
            hidden=hidden,
            line=0,
        )


def _parts(source: Source) -> tuple[Element, list[Element]]:
    """The root with the body, and those with metadata and styles."""
    with source.open() as stream:
        flat = not stream.read(2).startswith(b"PK")
    if flat:
        root = parse_xml(source.read_bytes(), source.label)
        return root, [root]
    with open_archive(source) as archive:
        if "META-INF/manifest.xml" in archive.names and b"encryption-data" in archive.read("META-INF/manifest.xml"):
            raise InputError(f"{source.label} is protected by a password; index a copy saved without one")
        content = parse_xml(archive.read("content.xml"), source.label)
        others = [parse_xml(archive.read(name), source.label) for name in ("meta.xml", "styles.xml") if name in archive.names]
    return content, others


def _metadata(roots: list[Element]) -> tuple[dict[str, Value], str]:
    metadata: dict[str, Value] = {}
    title = ""
    keywords: list[str] = []
    for root in roots:
        for meta in (item for item in root.iter() if local(item.tag) == "meta" and len(item)):
            for item in meta:
                name, value = local(item.tag), one_line(clean("".join(item.itertext())), 1000)
                if name == "title":
                    title = one_line(value)
                elif name == "keyword" and value:
                    keywords.append(value)
                elif value and name in _META:
                    metadata[_META[name]] = value if name != "creator" else metadata.get("author") or value
    if keywords:
        metadata["keywords"] = one_or_several(keywords)
    if "date" in metadata and (year := year_of(str(metadata["date"]))) is not None:
        metadata["year"] = year
    return metadata, title


def _margins(roots: list[Element]) -> list[str]:
    """Headers and footers, each once."""
    found: list[str] = []
    for root in roots:
        for item in root.iter():
            if local(item.tag) in ("header", "footer", "header-left", "footer-left", "header-first", "footer-first"):
                found += _blocks(item)[0]
    return list(dict.fromkeys(found))


def _blocks(root: Element) -> tuple[list[str], str]:
    """The text of each paragraph and table row below ``root``, and the first title or heading."""
    blocks: list[str] = []
    heading = ""
    stack = [root]
    while stack:
        element = stack.pop()
        name = local(element.tag)
        if name in _BLOCKS:
            inner: list[Element] = []
            text = _paragraph(element, inner).strip()
            if text:
                level = attribute(element, "outline-level") or "1"
                level_number = int(level) if level.isdecimal() and len(level) < 3 else 1
                blocks.append(Headed(clean(text), max(1, level_number)) if name == "h" else text)
                styled = attribute(element, "style-name").lower() in ("title", "p_title")
                if not heading and (name == "h" or styled):
                    heading = one_line(text)
            stack.extend(reversed(inner))
        elif name == "table":
            rows = [[" ".join(_blocks(cell)[0]) for cell in row] for row in _rows(element)]
            blocks += table_lines(rows)
        elif name == "notes":  # of a slide
            blocks += [f"Notes: {text}" for part in element if local(part.tag) == "frame" for text in _blocks(part)[0]]
        elif name == "annotation":
            blocks += [text for item in element if local(item.tag) == "p" for text in _blocks(item)[0]]
        elif name not in _SKIPPED:
            stack.extend(reversed(element))
    return blocks, heading


def _rows(table: Element) -> Iterator[list[Element]]:
    """The cells of each row of a table, header rows included, those of inner tables left to their cells."""
    stack = list(reversed(table))
    while stack:
        element = stack.pop()
        name = local(element.tag)
        if name == "table-row":
            yield [cell for cell in element if local(cell.tag) == "table-cell"]
        elif name in ("table-rows", "table-header-rows", "table-row-group"):
            stack.extend(reversed(element))


def _paragraph(paragraph: Element, inner: list[Element]) -> str:
    """The text of a paragraph; notes, comments and frames anchored in it go to ``inner``, to come after it."""
    runs = Runs()
    stack: list[tuple[Element | str, Place, str]] = [(paragraph, "line", "")]
    while stack:
        element, place, font = stack.pop()
        if isinstance(element, str):
            runs.add(in_font(element, font), place)
            continue
        name = local(element.tag)
        if element is not paragraph and element.tail:
            stack.append((_SPACE.sub(" ", element.tail), place, font))
        if name == "s":
            count = attribute(element, "c")
            runs.add(" " * min(int(count) if count.isdecimal() and len(count) < 5 else 1, _MOST_SPACES))
        elif name == "tab":
            runs.add("\t")
        elif name == "line-break":
            runs.add("\n")
        elif name in ("note", "annotation", "frame", "custom-shape", "text-box"):
            inner.append(element)
        elif name not in _SKIPPED:
            if name == "span":
                place, font = place_of(element, place, font)
            stack.extend((child, place, font) for child in reversed(element))
            if element.text:
                # White space is one space in XML; s, tab and line-break stand for others.
                stack.append((_SPACE.sub(" ", element.text), place, font))
    return "\n".join(line.strip() for line in runs.text().split("\n"))


def _sheets(body: Element, styles: frozenset[str]) -> Iterator[Sheet]:
    for table in body:
        if local(table.tag) == "table":
            sheet = Sheet(clean(attribute(table, "name")), hidden=attribute(table, "style-name") in styles)
            sheet.hidden_columns = hidden_columns(table)
            number = 0
            for row in _sheet_rows(table):
                repeated = _times(row, "number-rows-repeated")
                cells = _cells(row, number + 1, sheet)
                if cells:
                    copies = range(number + 1, number + min(repeated, _MOST_COPIES) + 1)
                    sheet.rows += [(copy, dict(cells)) for copy in copies]
                    if is_hidden_row(row):
                        sheet.hidden_rows.update(copies)
                number += repeated
            yield sheet


def _sheet_rows(table: Element) -> Iterator[Element]:
    stack = list(reversed(table))
    while stack:
        element = stack.pop()
        name = local(element.tag)
        if name == "table-row":
            yield element
        elif name in ("table-rows", "table-header-rows", "table-row-group"):
            stack.extend(reversed(element))


def _cells(row: Element, number: int, sheet: Sheet) -> dict[int, str]:
    cells: dict[int, str] = {}
    column = 0
    for cell in row:
        if local(cell.tag) not in ("table-cell", "covered-table-cell"):
            continue
        repeated = _times(cell, "number-columns-repeated")
        value = _value(cell)
        if value:
            for copy in range(1, min(repeated, _MOST_COPIES) + 1):
                cells[column + copy] = value
            down = _times(cell, "number-rows-spanned")
            if down > 1:
                across = _times(cell, "number-columns-spanned")
                sheet.merged.append((column + 1, number, column + across, number + down - 1))
        for note in cell:
            if local(note.tag) == "annotation":
                text = " ".join(text for item in note if local(item.tag) == "p" for text in _blocks(item)[0])
                if text:
                    sheet.notes.append((column + 1, number, clean(text)))
        column += repeated
    return cells


def _times(element: Element, name: str) -> int:
    given = attribute(element, name)
    return max(1, int(given)) if given.isdecimal() and len(given) < 9 else 1


def _value(cell: Element) -> str:
    """What a cell shows; dates in ISO 8601, numbers with all their digits."""
    kind = attribute(cell, "value-type")
    if kind == "date" and (date := attribute(cell, "date-value")):
        return clean(date.replace("T00:00:00", "").replace("T", " "))
    shown = " ".join(text for item in cell if local(item.tag) in _BLOCKS for text in _blocks(item)[0])
    if kind == "float" and (value := attribute(cell, "value")):
        return clean(as_shown(shown_number(value), shown))
    return clean(shown or attribute(cell, "value") or attribute(cell, "string-value")).strip()


ODF = Format(
    "odf",
    (".odt", ".ods", ".odp", ".odg", ".ott", ".ots", ".otp", ".fodt", ".fods", ".fodp", ".sxw", ".sxc", ".sxi"),
    _read,
    container=True,
)
