"""PDF, by pypdfium2 (PDFium): text page by page, so that a passage knows its page."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from dataclasses import fields as fields_of
from typing import Any, BinaryIO

from ..._errors import InputError
from ..._system import anonymous_bytes
from ...memory.heap import trim_heap
from ..document import Document
from ..document import Heading as Section
from ..encoding import clean
from ..failures import Note
from ..parts import with_hidden
from ..pdf.attached import Files
from ..pdf.chars import words_of
from ..pdf.decoded import is_decoded
from ..pdf.emphasis import Emphasis
from ..pdf.front import Heading, Placed, labels_of, metadata_of, outline_of, placed_headings, title_from
from ..pdf.hidden import REASONS, hidden_words
from ..pdf.layout import Line, lines_of
from ..pdf.marks import marks_of
from ..pdf.repair import Hyphens, Margin, margins_of, running_heads, without_leaders
from ..pdf.scans import DRAWN, SCAN, STAMPED, unread_kind
from ..pdf.tables import Tables
from ..pdf.xfa import is_placeholder, xfa_of
from ..source import Fields, Source
from .base import Attachment, Format, Items, Letter
from .values import one_line

__all__ = ["PDF"]

_REOPEN = 50
"""Pages after which the file is opened anew if it took much memory: PDFium keeps what each page used."""
_STEP = 10
"""Pages between two looks at the memory."""
_MUCH = 24 << 20
"""Bytes that PDFium may keep."""
_UNPACKED = 4
"""How many times a PDF's own size its attachments may have where it is itself an attachment."""
_ABSENT = 1_000
"""Pages at the end that cannot be opened from which on they are none."""
_SAMPLE = 10
"""One page in so many is looked at character by character, for spaces that are missing."""


def _read(source: Source, fields: Fields) -> Items:
    with source.open_seekable() as stream:
        yield from _Reader(source, stream).items()


@dataclass(slots=True)
class _Page:
    """What is kept of a page until the whole document is known."""

    lines: list[str] = field(default_factory=list)
    margins: list[Margin] = field(default_factory=list)
    headings: list[Placed] = field(default_factory=list)
    hidden: list[tuple[str, str]] = field(default_factory=list)
    """Why its readers do not see a text, and the text."""
    whole: bool = False
    """Whether every character's place was looked at."""
    lost: str = ""
    """``font``, or what `unread_kind` says, where there is text that cannot be read."""


class _Reader:
    """Reads one file: first every page, then the document from all of them."""

    def __init__(self, source: Source, stream: BinaryIO) -> None:
        self._source, self._stream = source, stream
        self._pages: list[_Page] = []
        self._glued = False
        """Whether spaces are missing in this document, so that every page is looked at closely."""
        self._title = ""
        self._tables = Tables()
        self._xfa = 0
        self._damaged: list[int] = []
        """The numbers of pages that cannot be opened; of a file that says that it has far more than it has, they are many."""
        # What is unpacked from a PDF that was itself unpacked is bounded by its size, or a few bytes could keep a reader busy.
        self._files = Files(source.max_bytes if source.data is None else min(source.max_bytes, _UNPACKED * source.size))

    def items(self) -> Items:
        count, length = 1, 0
        while len(self._pages) < count:
            with self._open() as (pdf, form):
                begin, held = len(self._pages), anonymous_bytes()
                if not begin:
                    count = len(pdf)
                    metadata, title = metadata_of(pdf, self._failure)
                    labels = labels_of(pdf)
                    self._files.take_all(pdf)
                    headings: dict[int, list[Heading]] = defaultdict(list)
                    for heading in outline_of(pdf):
                        headings[heading.page].append(heading)
                    self._xfa = xfa_of(pdf)
                while (index := len(self._pages)) < count and not _is_full(index - begin, held):
                    was = self._glued
                    self._pages.append(self._page(pdf, form, index, headings.get(index, [])))
                    if self._glued and not was:  # pages since the last that was looked at closely
                        self._tables = Tables()
                        for before in range(max(begin, index - _SAMPLE), index):
                            if not self._pages[before].whole:
                                self._pages[before] = self._page(pdf, form, before, headings.get(before, []))
                    length += sum(map(len, self._pages[-1].lines))
                    if length > self._source.max_bytes:
                        raise InputError(
                            f"{self._source.label} has more than {self._source.max_bytes:,} characters of text in its first "
                            f"{index + 1} pages; split it"
                        )
        if (absent := _run_at_end(self._damaged, count)) > _ABSENT:  # the file says that it has more pages than it has
            count -= absent
            del self._pages[count:]
            labels = labels[:count]
        if self._damaged:
            are = "is damaged and was" if len(self._damaged) == 1 else "are damaged and were"
            yield InputError(f"{self._source.label} p. {_ranges(self._damaged)} {are} skipped")
        yield from (Note(f"{self._source.label}: {said}") for said in self._files.all_notes())
        lost = self._lost()
        text, starts, sections, headings_found = self._text()
        if is_placeholder(self._xfa, text):
            yield Note(
                f"{self._source.label} is an XFA form, of which only the page that stands for it was read; print it to a PDF with a "
                "program that shows it (Adobe Reader), and index that"
            )
        text, parts, hidden = with_hidden(
            text,
            ((reason, words, number) for number, page in enumerate(self._pages, 1) for reason, words in page.hidden),
        )
        files = tuple(Attachment(name, data) for name, data in self._files.found)
        if not text and not files:
            raise InputError(self._said_empty(count))
        yield from lost
        metadata["pages"] = count
        if files:
            metadata["attachments"] = one_line(", ".join(file.name for file in files), 1000)
        made = Document(
            self._source.path,
            text,
            title or self._title or self._source.stem,
            metadata,
            pages=tuple(starts),
            line=0,
            sections=tuple(sections),
            parts=parts,
            labels=labels,
            headings=(*headings_found, Section(parts[0].start, 0, "")) if parts and headings_found else tuple(headings_found),
            hidden=hidden,
        )
        if files:
            given = {entry.name: getattr(made, entry.name) for entry in fields_of(made)}
            yield Letter(**given, attachments=files, is_mail=False)
        else:
            yield made

    def _said_empty(self, count: int) -> str:
        pages = "1 page" if count == 1 else f"{count} pages"
        if any(page.lost == "font" for page in self._pages):
            return (
                f"{self._source.label} has no text that can be decoded in its {pages}; run text recognition (OCR) on it first"
            )
        return f"{self._source.label} has no text in its {pages} (scanned images?); run text recognition (OCR) on it first"

    @contextmanager
    def _open(self) -> Iterator[tuple[Any, Any]]:
        """The document, and the handle of its form (None if it has none)."""
        import pypdfium2
        import pypdfium2.raw as raw

        self._failure = pypdfium2.PdfiumError
        label = self._source.label
        self._stream.seek(0)
        try:
            pdf = pypdfium2.PdfDocument(self._stream)
        except pypdfium2.PdfiumError as error:
            if "password" in str(error).lower():
                raise InputError(f"{label} is protected by a password; index a copy saved without one") from error
            raise InputError(f"{label} is damaged or not a PDF ({str(error).rstrip('.')})") from error
        form = None
        try:
            if raw.FPDF_GetFormType(pdf) != raw.FORMTYPE_NONE:
                info = raw.FPDF_FORMFILLINFO(version=2)
                form = raw.FPDFDOC_InitFormFillEnvironment(pdf, info)
            yield pdf, form
        finally:
            if form:
                raw.FPDFDOC_ExitFormFillEnvironment(form)
            pdf.close()
            if len(self._pages) >= _STEP:  # what PDFium has freed, glibc would keep for itself
                trim_heap()

    def _page(self, pdf: Any, form: Any, index: int, headings: list[Heading]) -> _Page:
        import pypdfium2.raw as raw

        found = _Page(whole=self._glued or index % _SAMPLE == 0)
        page = raw.FPDF_LoadPage(pdf, index)
        content = raw.FPDFText_LoadPage(page) if page else None
        try:
            if not content:
                self._damaged.append(index + 1)
                return found
            words = words_of(content, every=found.whole)
            if words.glued > 2:
                self._glued = True
            crop, seen = _shown(page), len(words.starts)
            if is_decoded(words):
                reasons = hidden_words(page, content, words, crop)
                lines = lines_of(words, None if reasons is None else reasons == 0)
                if reasons is not None:
                    seen = int((reasons == 0).sum())
                    found.hidden = [
                        (REASONS[reason], clean("\n".join(line.text for line in lines_of(words, reasons == reason))))
                        for reason in sorted(set(reasons.tolist()) - {0})
                    ]
            else:
                lines = []
                found.lost = "font"
            if not index:
                self._title = clean(title_from(lines, words))
            _add_marks(lines, marks_of(page, form, self._files))
            if not found.lost:
                bare = not lines and not found.hidden
                found.lost = unread_kind(page, content, words, seen, crop, bare=bare)
            lines = self._tables.named(lines, Emphasis(page, content, words).is_apart)
        finally:
            if content:
                raw.FPDFText_ClosePage(content)
            if page:
                raw.FPDF_ClosePage(page)
        found.lines = [line.text for line in lines]
        found.margins = margins_of(lines)
        if headings:
            found.headings = placed_headings(headings, lines)
        return found

    def _lost(self) -> Iterator[Note]:
        for reason, said in (
            (SCAN, "no text (scanned images?)"),
            (STAMPED, "hardly any text on a picture that fills the page (a scanned image with a stamp?)"),
            (DRAWN, "hardly any text, but drawings (letters as outlines?)"),
            ("font", "text in fonts that cannot be decoded, which was left out"),
        ):
            numbers = [number for number, page in enumerate(self._pages, 1) if page.lost == reason]
            if numbers:
                has = "has" if len(numbers) == 1 else "have"
                yield Note(
                    f"{self._source.label} p. {_ranges(numbers)} {has} {said}; run text recognition (OCR) on a copy to find it"
                )

    def _text(self) -> tuple[str, list[int], list[int], list[Section]]:
        """The text, the offsets of pages and sections, and the headings."""
        dropped = running_heads([page.margins for page in self._pages])
        pieces: list[list[str]] = []
        for number, page in enumerate(self._pages):
            gone = dropped.get(number, set())
            bounds = [*sorted({0, *(heading.line for heading in page.headings)}), len(page.lines)]
            pieces.append(
                [
                    "\n".join(line for at, line in enumerate(page.lines[a:b], a) if at not in gone)
                    for a, b in itertools.pairwise(bounds)
                ]
            )
            page.lines = []
        hyphens = Hyphens(piece for page in pieces for piece in page)
        texts: list[str] = []
        starts: list[int] = []
        sections: list[int] = []
        headings: list[Section] = []
        length = 0
        for page, page_pieces in zip(self._pages, pieces, strict=True):
            starts.append(length)
            inside = False
            lines = sorted({0, *(heading.line for heading in page.headings)})
            for line, piece in zip(lines, page_pieces, strict=True):
                text = clean(without_leaders(hyphens.join(piece))).strip("\n ")
                here = [heading for heading in page.headings if heading.line == line]
                if text and inside:
                    texts.append("\n")
                    length += 1
                headings += [Section(length, heading.level, heading.title) for heading in here]
                if not text:
                    continue
                if any(heading.begins for heading in here):
                    sections.append(length)
                texts.append(text)
                length += len(text)
                inside = True
            if inside:
                texts.append("\n\n")
                length += 2
        return "".join(texts), starts, sections, headings


def _add_marks(lines: list[Line], marks: Iterator[Any]) -> None:
    """Puts values of a form behind the text beside them, and all other marks behind the page's text."""
    for mark in marks:
        text = clean(mark.text)
        left, bottom, _, top = mark.box
        beside = [
            (left - line.box[2], at)
            for at, line in enumerate(lines)
            if mark.field
            and min(top, line.box[3]) - max(bottom, line.box[1]) > 0.4 * min(top - bottom, line.box[3] - line.box[1])
        ]
        before = [(gap, at) for gap, at in beside if gap > -5]
        if before and "\n" not in text:
            line = lines[min(before)[1]]
            lines[min(before)[1]] = Line(f"{line.text} {text}", (*line.box[:2], max(line.box[2], mark.box[2]), line.box[3]))
        else:
            lines.append(Line(text, (0.0, 0.0, 0.0, 0.0)))


def _is_full(pages: int, before: int | None) -> bool:
    """Whether PDFium has taken much memory since it opened the file, ``pages`` ago, with ``before`` bytes in use."""
    if not pages or pages % _STEP:
        return False
    now = anonymous_bytes()
    return pages >= _REOPEN if now is None or before is None else now - before > _MUCH


def _shown(page: Any) -> tuple[float, float, float, float] | None:
    """Left, bottom, right and top of what a viewer shows of a page."""
    import pypdfium2.raw as raw

    box = raw.FS_RECTF()
    return (box.left, box.bottom, box.right, box.top) if raw.FPDF_GetPageBoundingBox(page, box) else None


def _run_at_end(numbers: list[int], last: int) -> int:
    """How many of ``numbers``, which rise, count up to ``last`` without a gap."""
    found = 0
    while found < len(numbers) and numbers[-1 - found] == last - found:
        found += 1
    return found


def _ranges(numbers: list[int]) -> str:
    """``[2, 3, 4, 7]`` -> ``"2-4, 7"``; at most ten of them."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number])
    shown = ", ".join("-".join(map(str, run)) for run in runs[:10])
    return shown if len(runs) <= 10 else f"{shown} and {len(numbers)} in all"


PDF = Format("pdf", (".pdf",), _read, container=True)
