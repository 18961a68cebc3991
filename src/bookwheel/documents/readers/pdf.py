"""PDF, by pypdfium2 (PDFium): text page by page, so that a passage knows its page."""

from __future__ import annotations

import re
from typing import Any

from ..._errors import InputError
from ..document import Document, Scalar
from ..encoding import clean
from ..source import Fields, Source
from .base import Format, Items
from .values import one_line

__all__ = ["PDF"]

# PDFium marks a word broken at a line's end by U+FFFE (or U+0002) in place of the hyphen.
_HYPHEN = re.compile("[\ufffe\x02](?:\r?\n)?")
_CONTROL = re.compile("[\x00\x01\x03-\x08\x0b\x0e-\x1f\ufffe\uffff]")
_DATE = re.compile(r"(?:D:)?(\d{4})(\d\d)?(\d\d)?")


def _read(source: Source, fields: Fields) -> Items:
    import pypdfium2

    with source.open_seekable() as stream:
        try:
            pdf = pypdfium2.PdfDocument(stream)
        except pypdfium2.PdfiumError as error:
            if "password" in str(error).lower():
                raise InputError(f"{source.label} is protected by a password; index a copy saved without one") from error
            raise InputError(f"{source.label} is damaged or not a PDF ({str(error).rstrip('.')})") from error
        try:
            yield from _document(source, pdf, pypdfium2.PdfiumError)
        finally:
            pdf.close()


def _document(source: Source, pdf: Any, failure: type[Exception]) -> Items:
    parts: list[str] = []
    starts: list[int] = []
    length = 0
    count = len(pdf)
    for index in range(count):
        starts.append(length)
        try:
            text = _page(pdf, index)
        except failure as error:
            yield InputError(f"{source.label} p. {index + 1} is damaged and was skipped ({str(error).rstrip('.')})")
            text = ""
        if text:
            text += "\n\n"
            length += len(text)
            parts.append(text)
        if length > source.max_bytes:
            raise InputError(
                f"{source.label} has more than {source.max_bytes:,} characters of text in its first {index + 1} pages; split it"
            )
    whole = "".join(parts)
    if not whole:
        pages = "1 page" if count == 1 else f"{count} pages"
        raise InputError(f"{source.label} has no text in its {pages} (scanned images?); run text recognition (OCR) on it first")
    metadata, title = _metadata(pdf, failure)
    metadata["pages"] = count
    yield Document(source.path, whole, title or source.stem, metadata, pages=tuple(starts), line=0)


def _page(pdf: Any, index: int) -> str:
    page = pdf[index]
    try:
        content = page.get_textpage()
        try:
            text: str = content.get_text_bounded()
        finally:
            content.close()
    finally:
        page.close()
    text = _HYPHEN.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return clean(_CONTROL.sub(" ", text)).rstrip()


def _metadata(pdf: Any, failure: type[Exception]) -> tuple[dict[str, Scalar], str]:
    try:
        found: dict[str, str] = pdf.get_metadata_dict(skip_empty=True)
    except (failure, UnicodeError):
        return {}, ""
    metadata: dict[str, Scalar] = {}
    for key in ("Author", "Subject", "Keywords"):
        if value := one_line(clean(found.get(key, "")), 1000):
            metadata[key.lower()] = value
    date = _DATE.match(found.get("CreationDate", ""))
    if date:
        year, month, day = date.groups()
        metadata["date"] = "-".join(part for part in (year, month, day) if part)
        metadata["year"] = int(year)
    return metadata, one_line(clean(found.get("Title", "")))


PDF = Format("pdf", (".pdf",), _read, container=True)
