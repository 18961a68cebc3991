"""Office files before 2007: Word's and PowerPoint's text, and Excel's cells by xlrd, from OLE containers.

Sources: [MS-DOC], [MS-PPT].
"""

from __future__ import annotations

import datetime
import re
import struct
from collections.abc import Iterator
from typing import Any

from ..._errors import InputError
from ..document import Document, Scalar
from ..encoding import clean
from ..parts import joined
from ..source import Fields, Source
from .base import Format, Items
from .sheets import Sheet, workbook
from .values import one_line
from .xlsx import shown_number

__all__ = ["DOC", "PPT", "XLS"]

_FIELD = re.compile("\x13[^\x13\x14\x15]*\x14([^\x13\x14\x15]*)\x15|\x13[^\x13\x14\x15]*\x15")
_MAX_PIECES = 1_000_000


def _opened(source: Source, stream: Any) -> Any:
    import olefile

    try:
        return olefile.OleFileIO(stream)
    except Exception as error:
        raise InputError(
            f"{source.label} is damaged or not a {source.format} file ({' '.join(str(error).split())[:200]})"
        ) from error


def _metadata(file: Any) -> tuple[dict[str, Scalar], str]:
    try:
        found = file.get_metadata()
    except Exception:  # whatever is wrong with it, the text counts
        return {}, ""

    def text(value: Any) -> str:
        if isinstance(value, bytes):
            value = value.decode("utf-8" if found.codepage == 65001 else "cp1252", "replace")
        return one_line(clean(value), 1000) if isinstance(value, str) else ""

    given = {"author": text(found.author), "subject": text(found.subject), "keywords": text(found.keywords)}
    metadata: dict[str, Scalar] = {name: value for name, value in given.items() if value}
    if isinstance(found.create_time, datetime.datetime) and found.create_time.year > 1980:
        metadata["date"], metadata["year"] = found.create_time.date().isoformat(), found.create_time.year
    return metadata, one_line(text(found.title))


def _stream(source: Source, file: Any, name: str) -> bytes:
    if not file.exists(name):
        raise InputError(f"{source.label} is damaged: its part {name!r} is missing")
    data: bytes = file.openstream(name).read()
    return data


def _read_doc(source: Source, fields: Fields) -> Items:
    with source.open_seekable() as stream, _opened(source, stream) as file:
        main = _stream(source, file, "WordDocument")
        if len(main) < 426 or main[:2] != b"\xec\xa5":
            raise InputError(f"{source.label} is of Word 95 or older, which is not read; save it as DOCX")
        (flags,) = struct.unpack_from("<H", main, 10)
        if flags & 0x100:
            raise InputError(f"{source.label} is protected by a password; index a copy saved without one")
        table = _stream(source, file, "1Table" if flags & 0x200 else "0Table")
        text = _text_of_pieces(source, main, table)
        metadata, title = _metadata(file)
    if text:
        yield Document(source.path, text, title or source.stem, metadata, line=0)


def _text_of_pieces(source: Source, main: bytes, table: bytes) -> str:
    start, size = struct.unpack_from("<II", main, 0x1A2)
    data = table[start : start + size]
    at = 0
    while at < len(data) and data[at] == 1:  # formatting
        at += 3 + int.from_bytes(data[at + 1 : at + 3], "little")
    if at + 5 > len(data) or data[at] != 2:
        raise InputError(f"{source.label} is damaged: its list of pieces is missing")
    length = int.from_bytes(data[at + 1 : at + 5], "little")
    pieces = data[at + 5 : at + 5 + length]
    count = min((len(pieces) - 4) // 12, _MAX_PIECES)
    parts: list[str] = []
    left = source.max_bytes
    for number in range(count):
        first, last = struct.unpack_from("<II", pieces, 4 * number)
        (place,) = struct.unpack_from("<I", pieces, 4 * (count + 1) + 8 * number + 2)
        characters = min(max(0, last - first), left)
        left -= characters
        if place & 0x40000000:
            begin = (place & 0x3FFFFFFF) // 2
            parts.append(main[begin : begin + characters].decode("cp1252", "replace"))
        else:
            parts.append(main[place : place + 2 * characters].decode("utf-16-le", "replace"))
    text = "".join(parts)
    for _ in range(20):  # fields inside fields
        text, changed = _FIELD.subn(lambda match: match.group(1) or "", text)
        if not changed:
            break
    text = text.replace("\x07\x07", "\r").replace("\x07", "\t").replace("\x0b", "\n").replace("\x1e", "-").replace("\xa0", " ")
    text = re.sub("[\x00-\x08\x0e-\x1f]", "", text.replace("\x0c", "\r"))
    return clean("\n\n".join(block.strip() for block in text.split("\r") if block.strip()))


def _read_ppt(source: Source, fields: Fields) -> Items:
    with source.open_seekable() as stream, _opened(source, stream) as file:
        data = _stream(source, file, "PowerPoint Document")
        metadata, title = _metadata(file)
    slides: list[list[str]] = []
    outline: list[str] = []
    for kind, instance, body in _records(data):
        if kind == 0x03F3 and instance == 0:  # SlidePersistAtom: what follows in the outline is the next slide's
            slides.append([])
        elif kind in (0x0FA0, 0x0FA8):
            text = body.decode("utf-16-le" if kind == 0x0FA0 else "cp1252", "replace").replace("\x0b", "\n").replace("\r", "\n")
            (slides[-1] if slides else outline).append(clean(text).strip())
    seen: set[str] = set()
    pieces: list[tuple[str, str]] = []
    for number, texts in enumerate(slides, 1):
        fresh = [text for text in texts if text and text not in ("*", "‹#›")]
        seen.update(fresh)
        pieces.append((f"slide {number}", "\n\n".join(fresh)))
    rest = [text for text in dict.fromkeys(outline) if text and text not in seen and text not in ("*", "‹#›")]
    text, parts = joined([*pieces, ("text boxes", "\n\n".join(rest))])
    if text:
        yield Document(source.path, text, title or source.stem, metadata, parts=parts, line=0)


def _records(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The records that hold no others."""
    at = 0
    while at + 8 <= len(data):
        version, kind, length = struct.unpack_from("<HHI", data, at)
        at += 8
        if version & 0xF == 0xF:
            # The masters' containers hold prompts ("Click to edit"), no text.
            if kind in (0x03F8, 0x03F2):
                at += length
            continue
        yield kind, version >> 4, data[at : at + length]
        at += length


def _read_xls(source: Source, fields: Fields) -> Items:
    import io

    import xlrd

    with source.open_seekable() as stream:
        data = stream.read()
    try:
        book = xlrd.open_workbook(file_contents=data, logfile=io.StringIO(), on_demand=True)
    except xlrd.XLRDError as error:
        if "encrypted" in str(error).lower():
            raise InputError(f"{source.label} is protected by a password; index a copy saved without one") from error
        raise InputError(f"{source.label} is damaged or not an xls file ({' '.join(str(error).split())[:200]})") from error
    text, parts, hidden = workbook(_sheets(book, xlrd))
    if text:
        yield Document(source.path, text, source.stem, {}, parts=parts, hidden=hidden, line=0)


def _sheets(book: Any, xlrd: Any) -> Iterator[Sheet]:
    for number, name in enumerate(book.sheet_names()):
        found = book.sheet_by_index(number)
        sheet = Sheet(clean(name), hidden=found.visibility != 0)
        for row in range(found.nrows):
            cells = {
                column + 1: shown
                for column, (kind, value) in enumerate(zip(found.row_types(row), found.row_values(row), strict=True))
                if (shown := _shown(kind, value, book, xlrd))
            }
            if cells:
                sheet.rows.append((row + 1, cells))
        yield sheet
        book.unload_sheet(number)


def _shown(kind: int, value: Any, book: Any, xlrd: Any) -> str:
    if kind == xlrd.XL_CELL_TEXT:
        return clean(str(value)).strip()
    if kind == xlrd.XL_CELL_NUMBER:
        return shown_number(repr(value))
    if kind == xlrd.XL_CELL_BOOLEAN:
        return "TRUE" if value else "FALSE"
    if kind == xlrd.XL_CELL_DATE:
        try:
            when = xlrd.xldate_as_datetime(value, book.datemode)
        except (ValueError, OverflowError, xlrd.XLDateError):
            return shown_number(repr(value))
        if value < 1:
            return str(when.time().isoformat())
        return str(when.date().isoformat() if when.time() == datetime.time() else when.isoformat(" "))
    if kind == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(value, ""))
    return ""


DOC = Format("doc", (".doc", ".dot"), _read_doc, container=True)
PPT = Format("ppt", (".ppt", ".pps"), _read_ppt, container=True)
XLS = Format("xls", (".xls", ".xlt"), _read_xls, container=True)
