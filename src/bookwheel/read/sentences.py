"""The sentences of the evidence: what can be quoted, each an exact span of the text of its passage."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .evidence import Evidence
from .protocols import Collection
from .sentence_cuts import ENDED, sentence_cuts

__all__ = ["LONGEST", "Sentence", "Word", "header_of", "is_heading", "sentences_of", "whole"]

LONGEST = 400
"""Characters of a quote. What goes on for longer without the end of a sentence (code, tables, lists, extracted text) is cut at
lines, then at marks between clauses, then between words."""
MARGIN = 1000
"""Characters around a passage in which a sentence that the passage cuts is looked for."""
_PLACES = (re.compile(r"\n\s*"), re.compile(r"[;:,、，；：–—]\s*"), re.compile(r"\s+"))
_ENDED = re.compile(rf"[{ENDED}][\"'’”»)\]」』）】*_]*\s*$")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s|[^\n]*\n\s*([=\-~^\"'`#*+.])\1{2,}\s*$")
_RULES = re.compile(r"(?:[ \t]*([-=_*~#+.\u2500-\u257f])\1{2,}[ \t]*\n\s*)+(?=\S)")
_ROW = re.compile(r"\s*\|.*\|\s*$|[^\t\n]+\t[^\t\n]+")

Word = tuple[int, int, tuple[str, ...]]
"""Start and end in the text, and the terms of the index."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A piece of a passage that can be quoted."""

    at: int
    """Position of its passage in the evidence, from 0."""
    start: int
    """Code points into the passage's text."""
    end: int
    text: str
    words: tuple[Word, ...]
    """Its words that are no stop words."""


def sentences_of(
    evidence: Sequence[Evidence], terms: Callable[[str], Sequence[Word]], *, hidden: bool = False
) -> list[Sentence]:
    """The sentences of all of ``evidence``, in its order; those that touch hidden text only with ``hidden``."""
    return [
        Sentence(at, start, end, one.text[start:end], tuple(terms(one.text[start:end])))
        for at, one in enumerate(evidence)
        for start, end in spans(one.text)
        if hidden or not any(start < last and first < end for first, last in one.hidden)
    ]


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of the sentences of ``text``, without white space around them and drawn lines before them; together they
    have all of its words.
    """
    starts, _ = sentence_cuts(text)
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        for first, last in _pieces(text, start, end):
            piece = text[first:last]
            if piece.strip():
                first += len(piece) - len(piece.lstrip())
                if rules := _RULES.match(text, first, last):
                    first = rules.end()
                yield first, first + len(text[first:last].rstrip())


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A span in pieces of at most `LONGEST` characters."""
    while end - start > LONGEST:
        least = start + LONGEST // 3
        for place in _PLACES:
            found = [match.end() for match in place.finditer(text, least, start + LONGEST)]
            if found:
                cut = found[-1]
                break
        else:
            cut = start + LONGEST
        yield start, cut
        start = cut
    yield start, end


def is_heading(text: str) -> bool:
    """Whether ``text`` is marked as a heading."""
    return _HEADING.match(text) is not None


def whole(collection: Collection, one: Evidence, start: int, end: int, *, hidden: bool = False) -> tuple[int, int, str]:
    """Start and end in the document, and text, of a sentence of the passage ``one``: all of it, where the passage cuts it.

    ``start`` and ``end`` are of the part within the passage. Nothing ``hidden`` is added unless asked for.
    """
    first, last = one.start + start, one.start + end
    text = one.text[start:end]
    ahead = start == 0 and one.start > 0 and not text[:1].isupper()
    behind = end >= len(one.text.rstrip()) and _ENDED.search(text) is None and not is_heading(text)
    if len(text) >= LONGEST or not (ahead or behind):
        return first, last, text
    low = max(0, first - MARGIN)
    around = collection.text(one.id, one.passage, low, last + MARGIN)
    if around[first - low : last - low] != text:  # another generation's
        return first, last, text
    for begin, finish in spans(around):
        if not (begin <= first - low and last - low <= finish and finish - begin <= LONGEST):
            continue
        cut = (begin == 0 and low > 0) or (finish == len(around) and len(around) == last - low + MARGIN)
        if not cut and (hidden or not collection.hidden(one.passage, low + begin, low + finish)):
            return low + begin, low + finish, around[begin:finish]
        break
    return first, last, text


def header_of(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Start and end of the first row of the table that the row ``text[start:end]`` stands in; None for other text, or itself."""
    row = text[start:end]
    if ("|" not in row and "\t" not in row) or "\n" in row.strip() or _ROW.match(row) is None:
        return None
    found = None
    lines = text[:start].rstrip("\n").split("\n")
    at = start
    for line in reversed(lines):
        at = text.rfind(line, 0, at) if line else at - 1
        if not line.strip() or _ROW.match(line) is None:
            break
        found = (at, at + len(line))
    if found is None:
        return None
    first, last = found
    stripped = text[first:last].strip()
    first += len(text[first:last]) - len(text[first:last].lstrip())
    return first, first + len(stripped)
