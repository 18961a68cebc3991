"""Where the sentences of stored text begin, for those who quote: as passages are cut, and behind headings, which are no part of one."""

from __future__ import annotations

import re
from bisect import insort

from ..documents.document import Document
from ..documents.sentences import SECTION, SENTENCE, cuts

__all__ = ["ENDED", "sentence_cuts"]

ENDS = "।॥؟۔።"
"""Marks at the end of a sentence that passages are not cut at: of Hindi and other Indic languages, Arabic, Urdu, Amharic."""
ENDED = ".!?…。！？｡" + ENDS
_ENDING = re.compile(rf"[{ENDS}]+[\"'’”»)\]]*\s+(?=\S)")
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
    return starts, [found[start] for start in starts]
