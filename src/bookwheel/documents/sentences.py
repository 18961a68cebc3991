"""Where a text can be cut: sentences, paragraphs, headings, pages, lines of
code. By rules, in linear time.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from .document import Document
from .headings import fences, heading_starts
from .parts import HEADINGS, part_cuts

__all__ = ["BLOCK", "INDENTED", "PARAGRAPH", "SECTION", "SENTENCE", "UNINDENTED", "cuts"]

SECTION, PARAGRAPH, SENTENCE, BLOCK, UNINDENTED, INDENTED = range(6)
"""Kinds of cuts, from best to worst. In code: a definition (as a paragraph), a
block after a blank line, a line.
"""

_CLOSERS = "\"'’”»)\\]」』）】"
_ENDS = ".!?…。！？｡"
_IDEOGRAPHIC = frozenset("。！？｡")
# It begins with a character set, which the re module searches fast, and no
# part of it can fail: linear time.
_CANDIDATE = re.compile(rf"[{_ENDS}\n][{_ENDS}\r\n]*[{_CLOSERS}]*\s*")
_ITEM = re.compile(r"(?:[-*+•‣◦▪·–—]|\d{1,3}[.)]|[A-Za-z][.)]|\(\w{1,3}\))[ \t]|\|")
_LINES = re.compile(r"\n(?:[ \t\r\f]*\n)*")
_OPENERS = "\"'“‘«„([{「『（【*_-–—•"

_ABBREVIATIONS = frozenset(
    """mr mrs ms mx dr prof st sr jr rev hon gen col maj capt cmdr lt sgt gov sen rep pres supt vs viz cf al ca approx resp incl
    excl fig figs eq eqs refs nos vol vols pp ed eds trans ser cit ibid inc ltd corp dept univ avg std jan feb apr jun jul aug
    sept oct nov dec tue tues thu thur thurs fri mt ft ave blvd bzw ggf evtl usw vgl nr str abb abs bd hrsg sog mio mrd mme
    mlle mgr sra srta dott sig pág núm tel ph.d""".split()  # noqa: SIM905
)
_BEFORE_NUMBERS = frozenset(
    ("no", "p", "ch", "chap", "sec", "sect", "art", "par", "para", "ref", "op", "max", "min", "mar", "co", "table")
)
"""Words that are abbreviations only before a number."""


def cuts(document: Document, fence: str = "") -> tuple[list[int], list[int]]:
    """Offsets (code points) at which a passage may begin, ascending, the
    first 0, and the kind of each cut.

    Depending on ``document.kind``, prose is cut after sentences, markup also
    before headings, code before lines. ``fence``: the mark of a block of code that goes on at the
    beginning, where the document is a piece of another.
    """
    text = document.text
    if document.kind == "code":
        found = dict(_code_cuts(text))
    else:
        marks = fences(text, fence)[0] if document.kind == "markup" else []
        found = dict(_text_cuts(text, marks))
        if document.kind == "markup":
            known = 0 < len(document.headings) <= HEADINGS
            starts = (heading.start for heading in document.headings) if known else heading_starts(text, marks)
            found.update((start, SECTION) for start in starts)
    found.update((start, SECTION) for start in document.sections)
    for start in document.pages[1:]:
        if _runs_on(text, start):
            found.pop(start, None)
        else:
            found[start] = SECTION
    for start, whole in part_cuts(document.parts, text):
        found[start] = SECTION if whole else PARAGRAPH
    found.pop(len(text), None)
    found[0] = SECTION
    ordered = sorted(found)
    return ordered, [found[start] for start in ordered]


def _text_cuts(text: str, fences: Sequence[int]) -> Iterator[tuple[int, int]]:
    for match in _CANDIDATE.finditer(text):
        run = match.group()
        end = match.end()
        lines = run.count("\n")
        if lines > 1:
            yield end, PARAGRAPH
        elif run[0] == "\n":
            if _ITEM.match(text, end) or (fences and bisect_right(fences, end) % 2):
                yield end, SENTENCE
        elif not _IDEOGRAPHIC.isdisjoint(run) or (run[-1].isspace() and _ends_sentence(text, match.start(), run, end)):
            yield end, SENTENCE


def _ends_sentence(text: str, start: int, run: str, end: int) -> bool:
    """Whether ``run`` (stops, closing quotes, white space) at ``start`` ends a
    sentence, judged by the text around it.
    """
    following = text[end : end + 2].lstrip(_OPENERS)[:1]
    if following.islower():
        return False
    if run[0] != "." or run.startswith(".."):
        return True
    word = text[max(0, start - 16) : start].rsplit(None, 1)
    before = word[-1].lstrip(_OPENERS) if word and not text[start - 1].isspace() else ""
    if len(before) == 1 and before.isalpha():  # an initial
        return False
    if before.isdigit() and len(before) < 4 and "\n" not in run:
        # "… in 12. The": ends; "12. The" at the head of a line: a numbered item
        head = text[max(0, start - len(before) - 2) : start - len(before)]
        return bool(head) and not head.endswith("\n")
    if "." in before and len(before) < 8 and before.replace(".", "").isalpha():  # U.S., e.g.
        return False
    lower = before.lower()
    return lower not in _ABBREVIATIONS and not (lower in _BEFORE_NUMBERS and following.isdigit())


def _code_cuts(text: str) -> Iterator[tuple[int, int]]:
    for match in _LINES.finditer(text):
        end = match.end()
        inside = text[end : end + 1] in " \t)}]"
        if match.end() - match.start() > 1:
            yield end, BLOCK if inside else PARAGRAPH
        else:
            yield end, INDENTED if inside else UNINDENTED


def _runs_on(text: str, start: int) -> bool:
    """Whether a sentence seems to continue across the page break at ``start``."""
    before = text[max(0, start - 40) : start].rstrip()
    return bool(before) and before[-1] not in ".!?…:;。！？" + "\"'’”»)]" and text[start : start + 40].lstrip()[:1].islower()
