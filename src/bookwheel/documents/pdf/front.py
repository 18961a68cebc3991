"""Title, metadata and outline of a PDF."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..document import Scalar
from ..encoding import clean
from .chars import Words
from .layout import Line
from .strings import utf16

__all__ = ["Heading", "Placed", "labels_of", "metadata_of", "outline_of", "placed_headings", "title_from"]

MAX_HEADINGS = 5_000
MAX_DEPTH = 5
"""Levels of the outline that are sections."""

_DATE = re.compile(r"\s*(?:D:)?\s*(\d{4})(\d\d)?(\d\d)?")
_YEARS = range(1400, 2101)
_JUNK = re.compile(
    r"""\s*(?:
        (?:untitled|no\ title|title|none|null|unknown|anonymous|document|book|article|report|paper|print|output|main|draft|test
           |new\ document|presentation|powerpoint\ presentation
           |pdf\ document|slide|blank|scan(?:ned)?(?:\ (?:image|document))?|binder|template|temp|tmp)
           [\s\d_.()-]*
        |\(?(?:anonymous|unspecified|untitled|title)\)?
        |(?:microsoft|ms|open|libre)\s*-?\s*(?:office|word|excel|powerpoint|publisher|writer|calc|impress)\b.*
        |untitled.*
        |paper\ title.*
        |title\ of\b.*|your\ title.*|insert\ title.*
        |.*\.(?:pdf|docx?|odt|dvi|ps|eps|tex|ltx|qxd|qxp|indd|fm|pptx?|xlsx?|rtf|txt|html?|xml|wpd|pmd|p65|sxw|dtx|md|rst|cdr|ai|pages|key|tif|jpg|png|sgml?|texi|texinfo|bmp|xps|lwp|pub|mif|book|roff|man|ms)
        |[a-z]:\\.*|\\\\.*|(?:file|https?|ftp)://\S*|/(?:home|tmp|users|var|usr)/.*
        |[\W\d_]*
        |[0-9a-f-]{16,}
        |.?
    )\s*\Z""",
    re.VERBOSE | re.IGNORECASE,
)
_JUNK_AUTHOR = re.compile(
    r"\s*(?:\(?(?:anonymous|unknown|unspecified|author|user|admin(?:istrator)?|root|none|null)\)?|(?:ARRAY|HASH|SCALAR)\(0x\w+\)|[\W\d_]*)\s*\Z",
    re.IGNORECASE,
)
_NO_TITLE = re.compile(
    r"(?:version|table of contents|contents|index|abstract|preface|chapter|page|draft|part)?[\W\d_]*\Z", re.IGNORECASE
)
_FOOTNOTE = "∗*†‡§ "
"""Marks of a title's footnote."""
_LABEL = 40
"""Characters of a page's label."""
_LONGEST = 200
"""Characters of a title; what is longer is text in large type."""
_HIGHER = 1.08
_RAISED = 0.2
"""Part of a line's width that words with raised signs take at most."""
_WORDLESS = re.compile(r"[\W\d_]*\Z")


def _one_line(text: str, limit: int = 300) -> str:
    return " ".join(text[: limit * 4].split())[:limit]


class Heading(NamedTuple):
    """An entry of the outline."""

    title: str
    page: int
    """From 0."""
    top: float
    """Where on the page it points to; -1 if it does not say."""
    level: int = 1
    """1 for the highest."""


class Placed(NamedTuple):
    """A heading at a line of its page."""

    line: int
    level: int
    title: str
    begins: bool
    """Whether the line says it, so that a section begins there."""


def metadata_of(pdf: Any, failure: type[Exception]) -> tuple[dict[str, Scalar], str]:
    """The file's properties and title, without what a program made up."""
    try:
        found: dict[str, str] = pdf.get_metadata_dict(skip_empty=True)
    except (failure, UnicodeError):
        return {}, ""
    metadata: dict[str, Scalar] = {}
    for key in ("Author", "Subject", "Keywords"):
        value = _one_line(clean(found.get(key, "")).replace("\0", " "), 1000)
        if value and not (key == "Author" and _JUNK_AUTHOR.match(value)):
            metadata[key.lower()] = value
    date = _DATE.match(found.get("CreationDate", ""))
    if date and int(date.group(1)) in _YEARS:
        year, month, day = date.groups()
        if not (month and "01" <= month <= "12"):
            month = day = None
        elif not (day and "01" <= day <= "31"):
            day = None
        metadata["date"] = "-".join(part for part in (year, month, day) if part)
        metadata["year"] = int(year)
    title = _one_line(clean(found.get("Title", "")))
    return metadata, "" if _is_junk(title) else title


def _is_junk(title: str) -> bool:
    """Whether a title is a file's name or what a program writes where there is none."""
    if _JUNK.match(title):
        return True
    controls = sum(1 for character in title if not character.isprintable() or character == "�")
    # a program's internal name
    return controls * 5 > len(title) or (
        " " not in title and ("_" in title or (any(map(str.isdigit, title)) and len(title) > 12))
    )


def title_from(lines: list[Line], words: Words) -> str:
    """The words in the largest type of a page; ``""`` if it has no type larger than its text. ``words``: those of the page."""
    sized = [(_size(line, words), line) for line in lines if line.box[3] > line.box[1]]
    sized = [(size, line) for size, line in sized if len(line.text) > 2 and line.box[2] - line.box[0] > size]
    if not sized:
        return ""
    sizes = sorted(size for size, line in sized for _ in range(min(len(line.text), 200)))
    body = sizes[len(sizes) // 2]
    worded = [(size, at) for at, (size, line) in enumerate(sized) if not _WORDLESS.match(line.text)]
    for size in sorted({round(size, 1) for size, _ in worded}, reverse=True)[:3]:
        if size < body * 1.12:
            return ""
        first = next(at for at, (other, _) in enumerate(sized) if abs(other - size) < 0.06 and (other, at) in worded)
        parts: list[str] = []
        bottom = sized[first][1].box[1]
        for other, line in sized[first : first + 6]:
            near = bottom - line.box[3] < 1.3 * size
            if abs(other - size) > 0.06 * size + 0.06 or not near:
                break
            parts.append(line.text)
            bottom = line.box[1]
        title = _one_line(" ".join(parts).replace("￾ ", "").replace("￾", ""))
        title = title.rstrip(_FOOTNOTE)
        if (
            3 < len(title) <= _LONGEST
            and not _NO_TITLE.match(title)
            and sum(map(str.isalpha, title)) * 2 > len(title.replace(" ", ""))
        ):
            return title
    return ""


def _size(line: Line, words: Words) -> float:
    """How high the type of a line is: of most of its width, since a raised sign makes the whole line higher."""
    left, bottom, right, top = line.box
    boxes = words.boxes
    inside = boxes[(boxes[:, 0] >= left) & (boxes[:, 1] >= bottom) & (boxes[:, 2] <= right) & (boxes[:, 3] <= top)]
    if len(inside) < 2:
        return top - bottom
    heights, widths = inside[:, 3] - inside[:, 1], np.maximum(inside[:, 2] - inside[:, 0], 0)
    order = np.argsort(heights)
    reached = np.cumsum(widths[order])
    usual = float(heights[order[np.searchsorted(reached, reached[-1] / 2)]])
    raised = float(widths[heights > _HIGHER * usual].sum())
    # Letters differ a little in height, and signs of another font more: only a few words higher than the rest are raised.
    return usual if top - bottom > _HIGHER * usual and raised < _RAISED * reached[-1] else top - bottom


def outline_of(pdf: Any) -> list[Heading]:
    """The entries of the outline, as far as they point to pages; loops and great depth are left out."""
    import ctypes

    import pypdfium2.raw as raw

    found: list[Heading] = []
    pages = len(pdf)
    seen: set[int | None] = set()
    stack = [raw.FPDFBookmark_GetFirstChild(pdf, None)]
    while stack and len(seen) < MAX_HEADINGS:
        level = len(stack)
        entry = stack.pop()
        address = ctypes.cast(entry, ctypes.c_void_p).value
        if not address or address in seen:
            continue
        seen.add(address)
        stack.append(raw.FPDFBookmark_GetNextSibling(pdf, entry))
        if len(stack) <= MAX_DEPTH:
            stack.append(raw.FPDFBookmark_GetFirstChild(pdf, entry))
        title = _one_line(clean(utf16(partial(raw.FPDFBookmark_GetTitle, entry))))
        target = raw.FPDFBookmark_GetDest(pdf, entry)
        number = raw.FPDFDest_GetDestPageIndex(pdf, target) if target else -1
        if not title or not 0 <= number < pages:
            continue
        flags = [ctypes.c_int() for _ in range(3)]
        floats = [ctypes.c_float() for _ in range(3)]
        given = raw.FPDFDest_GetLocationInPage(target, *flags, *floats)
        found.append(Heading(title, number, floats[1].value if given and flags[1].value else -1.0, level))
    return found


def placed_headings(headings: list[Heading], lines: list[Line]) -> list[Placed]:
    """The ``headings`` of a page at the lines that say them, or at those next to where they point; in the order of the lines."""
    words = [_letters(line.text) for line in lines]
    found: list[Placed] = []
    for heading in headings:
        wanted = _letters(heading.title)
        fits = [
            at
            for at, text in enumerate(words)
            if len(wanted) > 2
            and len(text) > 2
            and ((text.endswith(wanted) and len(text) < len(wanted) + 20) or (len(text) > 5 and wanted.startswith(text)))
        ]
        if heading.top >= 0:
            fits.sort(key=lambda at: abs(lines[at].box[3] - heading.top))
        if fits:
            found.append(Placed(fits[0], heading.level, heading.title, fits[0] > 0))
        else:
            found.append(Placed(_nearest(heading.top, lines), heading.level, heading.title, False))
    return sorted(found, key=lambda one: one.line)


def _nearest(top: float, lines: list[Line]) -> int:
    """The line whose top is nearest to ``top``; the first where that is not known."""
    known = [at for at, line in enumerate(lines) if line.box[3] > line.box[1]]
    return min(known, key=lambda at: abs(lines[at].box[3] - top), default=0) if top >= 0 else 0


def labels_of(pdf: Any) -> tuple[str, ...]:
    """What is printed as the number of each page, ``""`` where it is the page's number; none where it always is."""
    import pypdfium2.raw as raw

    if not raw.FPDF_GetPageLabel(pdf, 0, None, 0):
        return ()
    found: list[str] = []
    for index in range(len(pdf)):
        label = _one_line(clean(utf16(partial(raw.FPDF_GetPageLabel, pdf, index))), _LABEL)
        found.append("" if label == str(index + 1) else label)
    return tuple(found) if any(found) else ()


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))
