"""Where the sentences of stored text begin, for those who quote: as passages are cut, and behind headings, which are no part of one.

A sentence that goes on behind the end of a page is one: between pages stands an empty line, as between paragraphs.
"""

from __future__ import annotations

import re
from bisect import insort

from ..documents.document import Document
from ..documents.sentences import PARAGRAPH, SECTION, SENTENCE, cuts

__all__ = ["ENDED", "sentence_cuts"]

ENDS = "।॥؟۔።"
"""Marks at the end of a sentence that passages are not cut at: of Hindi and other Indic languages, Arabic, Urdu, Amharic."""
ENDED = ".!?…。！？｡" + ENDS
_ENDING = re.compile(rf"[{ENDS}]+[\"'’”»)\]]*\s+(?=\S)")
RUNNING = 400
"""Characters of a sentence that may go on behind an empty line."""
_OPENERS, _CLOSERS = "\"'“‘«„([{「『（【*_", "\"'’”»)]」』）】*_"
_HEADING = re.compile(
    r"^[ ]{0,3}(?:\#{1,6}[ \t][^\n]*|[^\s|][^\n]*\n[ \t]*(?:={3,}|-{3,}|~{3,}|\^{3,})[ \t]*)\n+(?=[ \t]*\S)", re.MULTILINE
)
"""A line with # before it, or with a line drawn under it, and more text behind."""


def sentence_cuts(text: str) -> tuple[list[int], list[int]]:
    """Offsets at which a sentence of ``text`` begins, ascending, the first 0, and the kind of each cut (`documents.sentences`)."""
    starts, kinds = cuts(Document("", text))
    found = dict(zip(starts, kinds, strict=True))
    for match in _HEADING.finditer(text):
        for at in (match.start(), match.end()):
            if found.get(at, SENTENCE) != SECTION:
                if at not in found:
                    insort(starts, at)
                found[at] = SECTION
    for match in _ENDING.finditer(text):
        if match.end() not in found:
            insort(starts, match.end())
            found[match.end()] = SENTENCE
    kept: list[int] = []
    for at, start in enumerate(starts):
        end = starts[at + 1] if at + 1 < len(starts) else len(text)
        if not (kept and found[start] == PARAGRAPH and _goes_on(text[kept[-1] : start], text[start:end])):
            kept.append(start)
    return kept, [found[start] for start in kept]


def _goes_on(before: str, behind: str) -> bool:
    """Whether what stands ``behind`` an empty line ends the sentence that begins ``before`` it: it begins in lower case, and
    only it has an end."""
    before, behind = before.strip(), behind.strip()
    if len(before) + len(behind) > RUNNING or before.startswith(("#", "|")):
        return False
    return (
        before.lstrip(_OPENERS)[:1].isupper()
        and (before[-1].isalnum() or before[-1] in ",;-")
        and behind[:1].islower()
        and behind.rstrip(_CLOSERS)[-1:] in ENDED
    )
