"""XLSX: the values that cells show, formulas by their last result, dates as dates, sheet by sheet and row by row.

Source: ECMA-376, part 1, SpreadsheetML.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping

from ..._errors import InputError
from ..document import Document
from ..encoding import clean
from ..source import Fields, Source
from .archive import Archive, open_archive
from .base import Format, Items
from .number_formats import Figure, Layout, layouts, written
from .opc import core_properties, main_part, related, texts_of, without_escapes
from .runs import Place, Runs
from .sheets import Sheet, workbook
from .xml import attribute, local, parse_xml, stream_xml

__all__ = ["XLSX", "cell_date", "cell_elapsed", "cell_percent", "number_kind", "shown_number"]

_CELL = re.compile(r"([A-Z]{1,3})(\d{1,7})\Z")
_DATES = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
"""Built-in number formats of dates and times."""
_PERCENT = frozenset((9, 10))
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_WORDS = re.compile(r'"[^"]*"|\\.|_.|\*.')
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_DATE_LETTERS = re.compile(r"[ymdhs]", re.IGNORECASE)
_PLACES: dict[str, Place] = {"superscript": "raised", "subscript": "lowered"}
_WHOLE = re.compile(r"-?[0-9]{1,40}\Z")
_EXACT = 1 << 53
"""Whole numbers below it are exact in a cell."""
_BOOLEANS = {"1": "TRUE", "0": "FALSE"}
_MOST_COLUMNS = 16_384


def _read(source: Source, fields: Fields) -> Items:
    failures: list[InputError] = []
    with open_archive(source) as archive:
        text, parts, hidden = workbook(_sheets(archive, source, failures))
        metadata, title = core_properties(archive, source)
    yield from failures
    if text:
        yield Document(source.path, text, title or source.stem, metadata, parts=parts, hidden=hidden, line=0)


def _sheets(archive: Archive, source: Source, failures: list[InputError]) -> Iterator[Sheet]:
    main = main_part(archive, source, "xl/workbook.xml")
    listed = related(archive, source, main)
    targets = {one.id: one for one in listed}
    by_type = {one.type: one.part for one in listed}
    strings = _strings(archive, source, by_type.get("sharedStrings"))
    styles = _styles(archive, source, by_type.get("styles"))
    root = parse_xml(archive.read(main), source.label)
    since_1904 = any(attribute(item, "date1904") in ("1", "true") for item in root.iter() if local(item.tag) == "workbookPr")
    for item in root.iter():
        if local(item.tag) != "sheet":
            continue
        name = clean(item.get("name") or "")
        one = targets.get(next((value for key, value in item.attrib.items() if key.endswith("}id")), ""))
        if one is None:
            failures.append(InputError(f"{source.label}: sheet {name!r} is missing and was skipped"))
            continue
        sheet = Sheet(name, hidden=(item.get("state") or "visible") != "visible")
        try:
            if one.type == "worksheet":
                _Cells(sheet, strings, styles, since_1904).read(archive.read(one.part), source.label)
            _attached(archive, source, one.part, sheet)
        except InputError as error:
            failures.append(InputError(f"{source.label}: sheet {name!r} was read in part: {error}"))
        yield sheet


def _strings(archive: Archive, source: Source, part: str | None) -> list[str]:
    """The texts that cells share, by number."""
    found: list[str] = []
    if part is None:
        return found
    runs = Runs()
    place: Place = "line"
    reading = phonetic = False

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal reading, phonetic, place
        name = local(tag)
        if name == "si":
            runs.clear()
        elif name == "r":
            place = "line"
        elif name == "vertAlign":
            place = _PLACES.get(attributes.get("val", ""), "line")
        elif name == "rPh":
            phonetic = True
        reading = name == "t" and not phonetic

    def end(tag: str) -> None:
        nonlocal reading, phonetic, place
        name = local(tag)
        reading = False
        if name == "si":
            found.append(without_escapes(runs.text()))
        elif name == "r":
            place = "line"
        elif name == "rPh":
            phonetic = False

    def text(data: str) -> None:
        if reading:
            runs.add(data, place)

    stream_xml(archive.read(part), source.label, start, end, text)
    return found


def _styles(archive: Archive, source: Source, part: str | None) -> dict[int, tuple[str, tuple[Layout, ...]]]:
    """The cell styles that show a number as something else (``date``, ``elapsed`` or ``percent``), or with more than digits."""
    if part is None:
        return {}
    root = parse_xml(archive.read(part), source.label)
    codes = {item.get("numFmtId"): item.get("formatCode") or "" for item in root.iter() if local(item.tag) == "numFmt"}
    styles = next((item for item in root if local(item.tag) == "cellXfs"), None)
    found: dict[int, tuple[str, tuple[Layout, ...]]] = {}
    for number, style in enumerate(styles if styles is not None else ()):
        given = style.get("numFmtId") or "0"
        code = codes.get(given)
        kind = number_kind(code) if code is not None else _built_in(int(given)) if given.isdecimal() else ""
        layout = layouts(code) if code and not kind else ()
        if kind or layout:
            found[number] = kind, layout
    return found


def _built_in(number: int) -> str:
    if number == 46:
        return "elapsed"
    return "date" if number in _DATES else "percent" if number in _PERCENT else ""


def number_kind(code: str) -> str:
    """What a number format shows, by the part of it that is for positive numbers."""
    if _ELAPSED.search(_WORDS.sub("", code)):
        return "elapsed"
    shown = _QUOTED.sub("", code.split(";")[0])
    if _DATE_LETTERS.search(shown) is not None and "general" not in code.lower():
        return "date"
    return "percent" if "%" in shown else ""


class _Cells:
    """Reads the cells of one sheet from its XML, without a tree of it."""

    def __init__(
        self, sheet: Sheet, strings: list[str], styles: Mapping[int, tuple[str, tuple[Layout, ...]]], since_1904: bool
    ) -> None:
        self._sheet, self._strings, self._styles, self._since_1904 = sheet, strings, styles, since_1904
        self._row = self._column = 0
        self._is_hidden = False
        self._cells: dict[int, str] = {}
        self._type = ""
        self._style = 0
        self._runs = Runs()
        self._place: Place = "line"
        self._reading = self._phonetic = False

    def read(self, data: bytes, label: str) -> None:
        try:
            stream_xml(data, label, self._start, self._end, self._text)
        finally:
            self._close_row()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local(tag)
        if name == "c":
            self._type = attributes.get("t", "n")
            style = attributes.get("s", "0")
            self._style = int(style) if style.isdecimal() else 0
            self._column += 1
            if place := _CELL.match(attributes.get("r", "")):
                self._column = column_number(place.group(1))
            self._runs.clear()
        elif name == "r":
            self._place = "line"
        elif name == "vertAlign":
            self._place = _PLACES.get(attributes.get("val", ""), "line")
        elif name == "row":
            self._close_row()
            given = attributes.get("r", "")
            self._row = int(given) if given.isdecimal() and len(given) < 9 else self._row + 1
            self._is_hidden = attributes.get("hidden", "0") in ("1", "true")
            self._column = 0
        elif name == "rPh":
            self._phonetic = True
        elif name == "col" and attributes.get("hidden", "0") in ("1", "true"):
            first, last = (attributes.get(end, "") for end in ("min", "max"))
            if first.isdecimal() and last.isdecimal():
                self._sheet.hidden_columns.update(range(int(first[:6]), min(int(last[:6]), _MOST_COLUMNS) + 1))
        elif name == "mergeCell":
            ends = [_CELL.match(part) for part in attributes.get("ref", "").split(":")]
            if len(ends) == 2 and ends[0] and ends[1]:
                self._sheet.merged.append(
                    (
                        column_number(ends[0].group(1)),
                        int(ends[0].group(2)),
                        column_number(ends[1].group(1)),
                        int(ends[1].group(2)),
                    )
                )
        self._reading = (name == "v" or name == "t") and not self._phonetic

    def _end(self, tag: str) -> None:
        self._reading = False
        name = local(tag)
        if name == "c" and self._runs and self._column <= _MOST_COLUMNS:
            if value := self._value(self._runs.text()):
                self._cells[self._column] = value
        elif name == "r":
            self._place = "line"
        elif name == "rPh":
            self._phonetic = False

    def _text(self, data: str) -> None:
        if self._reading:
            self._runs.add(data, self._place)

    def _close_row(self) -> None:
        if self._cells:
            rows = self._sheet.rows
            if rows and rows[-1][0] >= self._row:  # rows out of order, or numbered twice
                self._row = rows[-1][0] + 1
            rows.append((self._row, self._cells))
            if self._is_hidden:
                self._sheet.hidden_rows.add(self._row)
            self._cells = {}

    def _value(self, text: str) -> str:
        if self._type == "n":
            return self._number(text.strip())
        if self._type == "s":
            text = self._strings[int(text)] if text.strip().isdecimal() and int(text) < len(self._strings) else ""
        elif self._type == "b":
            text = _BOOLEANS.get(text, text)
        elif self._type == "d":
            text = text.replace("T00:00:00", "").replace("T", " ")
        else:
            text = without_escapes(text)
        return clean(text).strip()

    def _number(self, text: str) -> str:
        kind, layout = self._styles.get(self._style, ("", ()))
        if kind == "date":
            return cell_date(text, self._since_1904)
        if kind == "elapsed":
            return cell_elapsed(text)
        if kind == "percent":
            return cell_percent(text)
        shown = shown_number(text)
        return Figure(clean(written(shown, layout)).strip()) if layout else clean(shown).strip()


def column_number(letters: str) -> int:
    """``"A"`` -> 1, ``"AB"`` -> 28."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def shown_number(text: str) -> str:
    """A number as a spreadsheet shows it: a whole one with all its digits, others with fifteen, so that 0.1 + 0.2 is 0.3."""
    if _WHOLE.match(text):
        return str(int(text))
    try:
        value = float(text)
    except ValueError:
        return text
    return str(int(value)) if value.is_integer() and abs(value) < _EXACT else f"{value:.15g}"


def cell_percent(text: str) -> str:
    """A share in percent, with all its digits."""
    try:
        return f"{shown_number(repr(float(f'{float(text) * 100:.13g}')))}%"
    except ValueError:
        return text


def cell_elapsed(text: str) -> str:
    """How long something took, in hours, minutes and seconds, from days."""
    try:
        seconds = round(float(text) * 86_400)
    except (ValueError, OverflowError):
        return text
    hours, rest = divmod(abs(seconds), 3600)
    return f"{'-' if seconds < 0 else ''}{hours}:{rest // 60:02}:{rest % 60:02}"


def cell_date(text: str, since_1904: bool = False) -> str:
    """A date or time in ISO 8601, from the days since 1900 (or 1904)."""
    try:
        days = float(text)
        if days < 0 or days >= 2_958_466:
            return text
        if not since_1904 and days < 60:
            days += 1  # the 29th of February 1900, which never was, is day 60
        if days < 1 + (not since_1904):
            seconds = round(float(text) % 1 * 86_400)
            return str(datetime.time(seconds // 3600 % 24, seconds // 60 % 60, seconds % 60))
        epoch = datetime.datetime(1904, 1, 1) if since_1904 else datetime.datetime(1899, 12, 30)
        when = epoch + datetime.timedelta(days=int(days), seconds=round(days % 1 * 86_400))
    except (ValueError, OverflowError):
        return text
    return when.date().isoformat() if not (when.hour or when.minute or when.second) else when.isoformat(" ")


def _attached(archive: Archive, source: Source, part: str, sheet: Sheet) -> None:
    """Comments on cells, and what drawings and charts say."""
    for one in related(archive, source, part):
        if one.type == "comments":
            for element in parse_xml(archive.read(one.part), source.label).iter():
                place = _CELL.match(element.get("ref") or "") if local(element.tag) == "comment" else None
                if place is not None:
                    text = "".join(item.text or "" for item in element.iter() if local(item.tag) == "t")
                    text = clean(without_escapes(text))
                    if text.strip():
                        sheet.notes.append((column_number(place.group(1)), int(place.group(2)), text))
        elif one.type == "drawing":
            sheet.texts += map(clean, texts_of(parse_xml(archive.read(one.part), source.label)))
            for inner in related(archive, source, one.part):
                if inner.type == "chart":
                    sheet.texts += map(clean, texts_of(parse_xml(archive.read(inner.part), source.label)))


XLSX = Format("xlsx", (".xlsx", ".xlsm", ".xltx", ".xltm"), _read, container=True)
