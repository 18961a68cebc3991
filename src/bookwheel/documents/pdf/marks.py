"""What people wrote into a PDF: values of its form, free text, notes and comments."""

from __future__ import annotations

import ctypes
import html
import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any, NamedTuple

from .attached import Files
from .strings import utf16

__all__ = ["Mark", "marks_of"]

MAX_MARKS = 2_000
"""Annotations of one page that are read."""

_HIDDEN, _PRINTED, _NOT_ON_SCREEN = 2, 4, 32
"""Flags of annotations. What is only printed is seen."""
_PASSWORD = 1 << 13
"""Flag of a field: what is typed shows as stars."""
_PARAGRAPH = re.compile(r"<(?:br|/p)\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


class Mark(NamedTuple):
    """An annotation with text."""

    text: str
    field: bool
    """Whether it is a value of a form, which belongs to the text beside it."""
    box: tuple[float, float, float, float]
    """Left, bottom, right, top."""


def marks_of(page: Any, form: Any, files: Files | None = None) -> Iterator[Mark]:
    """The texts of the annotations of a page, in order; links and pop-ups, which repeat others', left out.

    ``page``: what PDFium's ``FPDF_LoadPage`` gave. ``form``: the handle of the document's form, None if it has none. Files that
    are attached to the page go to ``files``.
    """
    import pypdfium2.raw as raw

    pointer = ctypes.cast(page, ctypes.c_void_p).value or 0
    get, kind_of, close = _functions()
    for index in range(min(raw.FPDFPage_GetAnnotCount(page), MAX_MARKS)):
        address = get(pointer, index)
        if not address:
            continue
        kind = kind_of(address)
        if kind in (raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP):
            close(address)
            continue
        annotation = ctypes.cast(address, raw.FPDF_ANNOTATION)
        try:
            flags = raw.FPDFAnnot_GetFlags(annotation)
            if flags & _HIDDEN or flags & (_NOT_ON_SCREEN | _PRINTED) == _NOT_ON_SCREEN:
                continue
            if files is not None and kind == raw.FPDF_ANNOT_FILEATTACHMENT:
                files.take(raw.FPDFAnnot_GetFileAttachment(annotation))
            field = kind == raw.FPDF_ANNOT_WIDGET
            text = _value(raw, form, annotation) if field else _string(raw, annotation, b"Contents") or _rich(raw, annotation)
            text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
            if text:
                yield Mark(text, field, _box(raw, annotation))
        finally:
            raw.FPDFPage_CloseAnnot(annotation)


@cache
def _functions() -> tuple[Callable[..., int], Callable[..., int], Callable[..., int]]:
    """PDFium's functions by prototypes of our own: most annotations are links, which are passed over fast."""
    import pypdfium2.raw as raw

    def own(name: str, result: Any, *arguments: Any) -> Callable[..., int]:
        address = ctypes.cast(getattr(raw, name), ctypes.c_void_p).value
        return ctypes.PYFUNCTYPE(result, *arguments)(address or 0)

    return (
        own("FPDFPage_GetAnnot", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int),
        own("FPDFAnnot_GetSubtype", ctypes.c_int, ctypes.c_void_p),
        own("FPDFPage_CloseAnnot", None, ctypes.c_void_p),
    )


def _box(raw: Any, annotation: Any) -> tuple[float, float, float, float]:
    rectangle = raw.FS_RECTF()
    if not raw.FPDFAnnot_GetRect(annotation, rectangle):
        return 0.0, 0.0, 0.0, 0.0
    left, right = sorted((rectangle.left, rectangle.right))
    bottom, top = sorted((rectangle.bottom, rectangle.top))
    return left, bottom, right, top


def _string(raw: Any, annotation: Any, key: bytes) -> str:
    return utf16(partial(raw.FPDFAnnot_GetStringValue, annotation, key))


def _number(raw: Any, annotation: Any, key: bytes) -> int:
    value = ctypes.c_float()
    return int(value.value) if raw.FPDFAnnot_GetNumberValue(annotation, key, value) else 0


def _rich(raw: Any, annotation: Any) -> str:
    """What an annotation says in XHTML, of which its plain contents should be a copy but sometimes are missing."""
    text = html.unescape(_TAG.sub("", _PARAGRAPH.sub("\n", _string(raw, annotation, b"RC"))))
    return "\n".join(filter(None, (" ".join(line.split()) for line in text.split("\n"))))


def _value(raw: Any, form: Any, annotation: Any) -> str:
    """What a field of a form holds, as its reader sees it; of a ticked box its name."""
    if not form:
        return "" if _number(raw, annotation, b"Ff") & _PASSWORD else _string(raw, annotation, b"V")
    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in (raw.FPDF_FORMFIELD_PUSHBUTTON, raw.FPDF_FORMFIELD_SIGNATURE):
        return ""
    if kind == raw.FPDF_FORMFIELD_TEXTFIELD and raw.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD:
        return ""
    if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
        if not raw.FPDFAnnot_IsChecked(form, annotation):
            return ""
        name = utf16(partial(raw.FPDFAnnot_GetFormFieldAlternateName, form, annotation))
        value = utf16(partial(raw.FPDFAnnot_GetFormFieldExportValue, form, annotation))
        return name or ("" if value in ("Yes", "On", "1", "Off", "true") else value) or "[x]"
    if kind in (raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX):
        chosen = [
            utf16(partial(raw.FPDFAnnot_GetOptionLabel, form, annotation, at))
            for at in range(min(raw.FPDFAnnot_GetOptionCount(form, annotation), MAX_MARKS))
            if raw.FPDFAnnot_IsOptionSelected(form, annotation, at)
        ]
        if any(chosen):
            return ", ".join(filter(None, chosen))
    value = utf16(partial(raw.FPDFAnnot_GetFormFieldValue, form, annotation))
    return value or _string(raw, annotation, b"V")
