"""What people wrote into a PDF: values of its form, free text, notes and comments."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from .strings import utf16

__all__ = ["Mark", "marks_of"]

MAX_MARKS = 2_000
"""Annotations of one page that are read."""

_HIDDEN = 2


class Mark(NamedTuple):
    """An annotation with text."""

    text: str
    field: bool
    """Whether it is a value of a form, which belongs to the text beside it."""
    box: tuple[float, float, float, float]
    """Left, bottom, right, top."""


def marks_of(page: Any, form: Any) -> Iterator[Mark]:
    """The texts of the annotations of a pypdfium2 ``PdfPage``, in order; links and pop-ups, which repeat others', left out.

    ``form``: the handle of the document's form, None if it has none.
    """
    import pypdfium2.raw as raw

    count = min(raw.FPDFPage_GetAnnotCount(page), MAX_MARKS)
    for index in range(count):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            if kind in (raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP) or raw.FPDFAnnot_GetFlags(annotation) & _HIDDEN:
                continue
            field = kind == raw.FPDF_ANNOT_WIDGET
            text = _value(raw, form, annotation) if field else _string(raw, annotation, b"Contents")
            text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
            if text:
                yield Mark(text, field, _box(raw, annotation))
        finally:
            raw.FPDFPage_CloseAnnot(annotation)


def _box(raw: Any, annotation: Any) -> tuple[float, float, float, float]:
    rectangle = raw.FS_RECTF()
    if not raw.FPDFAnnot_GetRect(annotation, rectangle):
        return 0.0, 0.0, 0.0, 0.0
    left, right = sorted((rectangle.left, rectangle.right))
    bottom, top = sorted((rectangle.bottom, rectangle.top))
    return left, bottom, right, top


def _string(raw: Any, annotation: Any, key: bytes) -> str:
    return utf16(partial(raw.FPDFAnnot_GetStringValue, annotation, key))


def _value(raw: Any, form: Any, annotation: Any) -> str:
    """What a field of a form holds, as its reader sees it; of a ticked box its name."""
    if not form:
        return _string(raw, annotation, b"V")
    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in (raw.FPDF_FORMFIELD_PUSHBUTTON, raw.FPDF_FORMFIELD_SIGNATURE):
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
