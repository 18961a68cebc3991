"""DOCX: what a reader of the printed page reads, and comments; deleted text, field codes and prompts are left out,
hidden text is kept apart.

Source: ECMA-376, part 1, WordprocessingML.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from ..._errors import InputError
from ..document import Document, Heading
from ..encoding import clean, decode
from ..parts import Headed, blocks_text, with_hidden
from ..source import Fields, Source
from .archive import Archive, open_archive
from .base import Format, Items
from .grid import table_lines
from .html import parse_html, visible_text
from .omml import math_line
from .opc import chart_texts, core_properties, main_part, related
from .runs import Place, Runs
from .symbol_fonts import in_font, sign
from .values import one_line
from .word_numbers import Numbering, hides
from .word_runs import RunStyles
from .xml import attribute, local, parse_xml

__all__ = ["DOCX"]

_SKIPPED = frozenset(
    ("instrText", "delText", "delInstrText", "del", "moveFrom", "pPr", "rPr", "tblPr", "sectPr", "sdtPr", "Fallback", "rt")
)
_APART = frozenset(("txbxContent", "chart"))
_SIGNS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_NOTES = ("footnotes", "endnotes", "comments")
_MARGINS = ("header", "footer")
_MOST_COLUMNS = 1000


def _read(source: Source, fields: Fields) -> Items:
    with open_archive(source) as archive:
        main = main_part(archive, source, "word/document.xml")
        others = related(archive, source, main)
        reader = _Reader(archive, source, {one.id: (one.type, one.part) for one in others})
        numbering = next((one.part for one in others if one.type == "numbering"), None)
        styles = next((one.part for one in others if one.type == "styles"), None)
        lists, named = (parse_xml(archive.read(part), source.label) if part else None for part in (numbering, styles))
        reader.numbers, reader.runs = Numbering(lists, named), RunStyles(named)
        root = parse_xml(archive.read(main), source.label)
        blocks = reader.blocks(root)
        by_type: dict[str, list[str]] = {}
        for one in others:
            by_type.setdefault(one.type, []).append(one.part)
        for name in _NOTES:
            usual = archive.find(f"word/{name}.xml")
            for part in by_type.get(name) or ([usual] if usual else []):
                blocks += reader.blocks(parse_xml(archive.read(part), source.label))
        margins = [part for name in _MARGINS for part in by_type.get(name, [])]
        seen = set(blocks)
        for block in (block for part in margins for block in reader.blocks(parse_xml(archive.read(part), source.label))):
            if block not in seen:  # the first page, the even and the odd ones often have the same
                seen.add(block)
                blocks.append(block)
        metadata, title = core_properties(archive, source)
    yield from reader.failures
    text, headings = blocks_text(block if isinstance(block, Headed) else clean(block) for block in blocks)
    hidden_pieces = [(reason, clean("".join(texts)), 0) for reason, texts in reader.hidden.items()]
    text, parts, hidden = with_hidden(text, hidden_pieces)
    if text:
        if parts and headings:
            headings = (*headings, Heading(parts[0].start, 0, ""))
        yield Document(
            source.path,
            text,
            title or reader.heading or source.stem,
            metadata,
            sections=tuple(heading.start for heading in headings),
            parts=parts,
            headings=headings,
            hidden=hidden,
            line=0,
        )


class _Reader:
    def __init__(self, archive: Archive, source: Source, parts: dict[str, tuple[str, str]]) -> None:
        self._archive, self._source, self._parts = archive, source, parts
        self.numbers = Numbering(None, None)
        self.runs = RunStyles(None)
        self.heading = ""
        """The first title or heading met."""
        self.failures: list[InputError] = []
        self.hidden: dict[str, list[str]] = {}
        """Text that is not shown, by reason."""
        self._initial = ""
        """The large first letter of the paragraph to come."""

    def blocks(self, root: Element) -> list[str]:
        """The text of each paragraph and table row; text boxes and charts come after the paragraph that they hang on."""
        blocks: list[str] = []
        # A stack of our own: documents nest tables in text boxes in
        # tables, deeper than Python recurses.
        stack: list[Element] = [root]
        while stack:
            element = stack.pop()
            name = local(element.tag)
            if name == "p":
                stack.extend(reversed(self._paragraph(element, blocks)))
            elif name == "chart":
                blocks += self._chart(element)
            elif name == "tbl":
                blocks += table_lines(self._rows(element))
            elif name == "altChunk":
                blocks += self._chunk(element)
            elif name == "sdt" and _is_prompt(element):
                continue
            elif name not in _SKIPPED:
                stack.extend(reversed(element))
        if self._initial:
            blocks.append(self._initial)
            self._initial = ""
        return blocks

    def _paragraph(self, paragraph: Element, blocks: list[str]) -> list[Element]:
        """Adds a paragraph to ``blocks``; the text boxes and charts in it are left to the caller."""
        properties = next((item for item in paragraph if local(item.tag) == "pPr"), None)
        apart: list[Element] = []
        text = self._text(paragraph, apart, hidden=self.numbers.is_hidden(properties)).strip()
        for texts in self.hidden.values():
            if texts and not texts[-1].endswith("\n"):
                texts.append("\n")
        if properties is not None and any(
            local(item.tag) == "framePr" and attribute(item, "dropCap") in ("drop", "margin") for item in properties
        ):
            self._initial += text
            return apart
        if text:
            number = self.numbers.next(properties)
            text = f"{number} {self._initial}{text}" if number else self._initial + text
            self._initial = ""
            level = self.numbers.heading_level(properties)
            blocks.append(Headed(clean(text), level) if level else text)
            if not self.heading and self.numbers.is_heading(properties):
                self.heading = one_line(text)
        return apart

    def _text(self, paragraph: Element, apart: list[Element], *, hidden: bool) -> str:
        if hidden:
            self.hidden.setdefault("hidden text", []).append(self._letters(paragraph, None))
            return ""
        return self._letters(paragraph, apart)

    def _letters(self, root: Element, apart: list[Element] | None) -> str:
        """The text of a paragraph or run; of a hidden one, with all that is in it, where ``apart`` is None."""
        runs = Runs()
        stack: list[tuple[Element, Place, str]] = [(root, "line", "")]
        while stack:
            element, place, font = stack.pop()
            name = local(element.tag)
            if name == "t":
                runs.add(in_font(element.text or "", font), place)
            elif name == "sym":
                runs.add(_symbol(element), place)
            elif name in _SIGNS:
                runs.add(_SIGNS[name])
            elif name in ("oMath", "oMathPara"):
                runs.add(math_line(element), "formula")
            elif name in _APART and apart is not None:
                apart.append(element)
            elif name == "r" and apart is not None and (reason := self._hides(element)):
                self.hidden.setdefault(reason, []).append(self._letters(element, None))
            elif name not in _SKIPPED and not (name == "sdt" and _is_prompt(element)):
                if name == "r":
                    place, font = self.runs.look(element)
                stack.extend((child, place, font) for child in reversed(element))
        return runs.text()

    def _chart(self, element: Element) -> list[str]:
        part = self._parts.get(attribute(element, "id"), ("", ""))[1]
        return ["\n".join(chart_texts(parse_xml(self._archive.read(part), self._source.label)))] if part else []

    def _hides(self, run: Element) -> str:
        """Why a run is not seen; ``""`` if it is."""
        for properties in run:
            if local(properties.tag) == "rPr":
                shown = any(
                    local(item.tag) == "vanish" and attribute(item, "val") in ("0", "false", "off") for item in properties
                )
                return hides(properties) or ("hidden text" if not shown and self.numbers.is_hidden(properties) else "")
        return ""

    def _rows(self, table: Element) -> list[list[str]]:
        """The rows of a table, cells under each other at the same place; merged ones say the same in each row."""
        rows: list[list[str]] = []
        for row in _found(table, "tr"):
            cells: list[str] = []
            for cell in _found(row, "tc"):
                text = " ".join(self.blocks(cell))
                wide = 1
                for properties in cell:
                    if local(properties.tag) != "tcPr":
                        continue
                    for item in properties:
                        name, value = local(item.tag), attribute(item, "val")
                        if name == "gridSpan" and value.isdecimal() and len(value) < 4:
                            wide = min(int(value), _MOST_COLUMNS)
                        elif name == "vMerge" and value != "restart" and not text and rows and len(cells) < len(rows[-1]):
                            text = rows[-1][len(cells)]
                cells += [text, *[""] * (wide - 1)][: max(1, _MOST_COLUMNS - len(cells))]
            rows.append(cells)
        return rows

    def _chunk(self, element: Element) -> list[str]:
        """The text of a file in another format that is part of the document."""
        kind, part = self._parts.get(attribute(element, "id"), ("", ""))
        if kind != "aFChunk":
            return []
        data = self._archive.read(part)
        if part.lower().endswith((".htm", ".html", ".xhtml")):
            text = visible_text(parse_html(data, self._source.label).body)
        elif part.lower().endswith(".txt"):
            text = decode(data)
        else:
            self.failures.append(InputError(f"{self._source.label}: an inserted file ({part}) was not read"))
            return []
        return [text] if text.strip() else []


def _found(root: Element, name: str) -> list[Element]:
    """The elements ``name`` below ``root``, not those inside others, also where controls and markup wrap them."""
    found: list[Element] = []
    stack = list(reversed(root))
    while stack:
        element = stack.pop()
        tag = local(element.tag)
        if tag == name:
            found.append(element)
        elif tag in ("sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag"):
            stack.extend(reversed(element))
    return found


def _symbol(element: Element) -> str:
    """A sign that was inserted by its font and number."""
    code = attribute(element, "char")
    try:
        return sign(int(code, 16), attribute(element, "font"))
    except ValueError:
        return "\ufffd"


def _is_prompt(control: Element) -> bool:
    """Whether a content control shows only what is to be filled in."""
    return any(local(item.tag) == "sdtPr" and any(local(one.tag) == "showingPlcHdr" for one in item) for item in control)


DOCX = Format("docx", (".docx", ".docm", ".dotx", ".dotm"), _read, container=True)
