"""Splitting documents into passages: whole sentences, of about the same length.

With the unit ``sentence`` each is found by itself and leads back to its place in the text: Chen et al., "Dense X Retrieval: What
Retrieval Granularity Should We Use?" (2023); in part: sentences, not propositions that a model wrote. And each has a vector and words
to be found by, so that one search is the answer: Seo et al., "Real-Time Open-Domain Question Answering with Dense-Sparse Phrase Index"
(2019); in part: not every phrase of a sentence, and no encoder of phrases.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from math import ceil
from typing import Literal

from ..analysis.scripts import UNSPACED, has_unspaced
from .document import Document, Span
from .pieces import Spans, pieces_of
from .sentences import BLOCK, INDENTED, PARAGRAPH, SECTION, SENTENCE, UNINDENTED, cuts

__all__ = [
    "TARGET_WORDS",
    "TITLE",
    "Unit",
    "indexed_text",
    "spans_of_document",
    "split_document",
]

Unit = Literal["sentence", "passage", "document"]

TARGET_WORDS = 120
"""Target length of a passage in words. 120 English words and a title are about 190 word pieces,
within the 256 of small encoders; retrieval benchmarks use about 100 words (DPR's Wikipedia),
and most paragraphs stay whole.
"""

TITLE = 1000
"""Characters of its document's title that are indexed with each passage; with the first one all of them."""

SLACK = 1.25
"""A text or section of up to this many times the target stays whole."""

_TINY = 0.25
"""A section shorter than this fraction of the target is joined to the next."""
_CHARACTERS_PER_WORD = 16
"""Text without spaces (encoded data, rows of numbers) counts as one word per 16 code
points; English has 6.5 per word.
"""
_UNSPACED_PER_WORD = 2
"""Chinese, Japanese, Thai: about two characters per word."""
# The cost of a cut of each kind, as a fraction of the target by which a
# better cut may be farther away.
_PENALTY = {SECTION: 0.0, PARAGRAPH: 0.0, SENTENCE: 0.12, BLOCK: 0.25, UNINDENTED: 0.35, INDENTED: 0.5}
_FORCED = 0.5
_PIECE = 1 << 16

_WORD = re.compile(r"\w")


def split_document(document: Document, unit: Unit = "passage", words: int = TARGET_WORDS) -> list[Span]:
    """The spans of ``document`` to index, in order, without overlap or surrounding white space.

    Together they cover every character of the text that is not white space. ``sentence``: one span
    per sentence; ``document``: one span; ``passage``: whole sentences of about ``words`` words, of
    even length, across headings or pages only if a section is very short. A sentence of more than
    1.25 times ``words`` is cut between words, or anywhere if it has no spaces.
    """
    return list(spans_of_document(document, unit, words))


def spans_of_document(document: Document, unit: Unit = "passage", words: int = TARGET_WORDS) -> Sequence[Span]:
    """The spans of :func:`split_document`; those of a large document, which is split piece by
    piece, in eight bytes each. No passage goes from one piece to the next.
    """
    if unit == "document" or (pieces := pieces_of(document)) is None:
        return _split(document, unit, words)
    spans = Spans()
    for start, piece, fence in pieces:
        spans.extend(_split(piece, unit, words, fence), start)
    return spans


def indexed_text(title: str, text: str, *, first: bool) -> str:
    """What is indexed of a passage: the title of its document in the first line, and its text.

    A title is put before every passage, so of a very long one only the ``first`` gets all. A text that is the title is not
    said twice.
    """
    if not title or title == text:
        return text
    return f"{title if first or len(title) <= TITLE else title[:TITLE]}\n{text}"


def _split(document: Document, unit: Unit, words: int, fence: str = "") -> list[Span]:
    text = document.text
    if not text or text.isspace():
        return []
    if unit == "document" or (unit == "passage" and _is_short(text, words * SLACK)):
        if text[0].isspace() or text[-1].isspace():
            return [_trimmed(text, 0, len(text))]
        return [Span(0, len(text))]
    starts, kinds = cuts(document, fence)
    if unit == "sentence":
        chosen = [start for start, kind in zip(starts, kinds, strict=True) if kind <= BLOCK]
        ends = [*chosen[1:], len(text)]
        spans = [span for start, end in zip(chosen, ends, strict=True) for span in _sentence(text, start, end, words)]
        return _without_wordless(text, spans)
    return _passages(text, starts, kinds, words)


def _is_short(text: str, limit: float) -> bool:
    """Whether ``text`` has at most ``limit`` words. Fast, because it is called for every
    record; it never underestimates.
    """
    if len(text) > limit * _CHARACTERS_PER_WORD:
        return False
    spaces = text.count(" ") + text.count("\n") + text.count("\t") + 1
    if spaces > limit:
        return _weight(text, True) <= limit
    if text.isascii() or spaces + len(text) / _UNSPACED_PER_WORD <= limit or not has_unspaced(text):
        return True
    return _weight(text, True) <= limit


def _weight(text: str, unspaced: bool) -> float:
    """The length of ``text`` in words; a very long text is counted in pieces, to bound the memory."""
    if len(text) > _PIECE:
        return sum(_weight(text[at : at + _PIECE], unspaced) for at in range(0, len(text), _PIECE))
    weight = max(len(text.split()), len(text) / _CHARACTERS_PER_WORD)
    if unspaced and has_unspaced(text):
        weight += len(UNSPACED.findall(text)) / _UNSPACED_PER_WORD
    return weight


def _trimmed(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return Span(end - len(piece.lstrip()), start + len(piece.rstrip()))


def _sentence(text: str, start: int, end: int, words: int) -> Iterator[Span]:
    piece = text[start:end]
    if not piece or piece.isspace():
        return
    weight = _weight(piece, True)
    if weight <= words * SLACK:
        yield _trimmed(text, start, end)
        return
    inner = [start, *_forced(text, start, end, weight, words)]
    for first, last in zip(inner, [*inner[1:], end], strict=True):
        span = _trimmed(text, first, last)
        if span.start < span.end:
            yield span


def _without_wordless(text: str, spans: list[Span]) -> list[Span]:
    """Joins rules, bullets and table frames, which have no words, to the sentence before."""
    kept: list[Span] = []
    for span in spans:
        if kept and _WORD.search(text, span.start, span.end) is None:
            kept[-1] = Span(kept[-1].start, span.end)
        else:
            kept.append(span)
    return kept


def _passages(text: str, starts: list[int], kinds: list[int], words: int) -> list[Span]:
    atoms, costs, weights, sections = _atoms(text, starts, kinds, words)
    total = [0.0, *accumulate(weights)]
    ends = [*atoms[1:], len(text)]
    spans: list[Span] = []
    for first, last in _joined(sections, len(atoms), total, words):
        begin = first
        for stop in (*_balanced(total, costs, first, last, words), last):
            spans.append(_trimmed(text, atoms[begin], ends[stop - 1]))
            begin = stop
    return [span for span in spans if span.start < span.end]


def _atoms(text: str, starts: list[int], kinds: list[int], words: int) -> tuple[list[int], list[float], list[float], list[int]]:
    """The pieces that are never cut: their starts, the cost of a cut before each, their
    weights, and which begin a section.
    """
    unspaced = has_unspaced(text)
    atoms: list[int] = []
    costs: list[float] = []
    weights: list[float] = []
    sections: list[int] = []
    for index, start in enumerate(starts):
        end = starts[index + 1] if index + 1 < len(starts) else len(text)
        if kinds[index] == SECTION:
            sections.append(len(atoms))
        piece = text[start:end]
        weight = _weight(piece, unspaced) if piece and not piece.isspace() else 0.0
        atoms.append(start)
        costs.append(_PENALTY[kinds[index]])
        if weight <= words * SLACK:
            weights.append(weight)
            continue
        inner = _forced(text, start, end, weight, words)
        atoms.extend(inner)
        costs.extend([_FORCED] * len(inner))
        bounds = [start, *inner, end]
        weights.extend(_weight(text[a:b], unspaced) for a, b in pairwise(bounds))
    return atoms, costs, weights, sections


def _joined(sections: list[int], count: int, total: list[float], words: int) -> Iterator[tuple[int, int]]:
    """Sections as ranges of atoms; a tiny one is joined to the next, a
    tiny last one to the previous.
    """
    ranges: list[tuple[int, int]] = []
    begin = 0
    for stop in (*sections[1:], count):
        if total[stop] - total[begin] >= words * _TINY:
            ranges.append((begin, stop))
            begin = stop
    if begin < count:
        if ranges:
            ranges[-1] = (ranges[-1][0], count)
        else:
            ranges.append((begin, count))
    yield from ranges


def _balanced(total: list[float], costs: list[float], first: int, last: int, words: int) -> Iterator[int]:
    """The atoms in ``first + 1 … last - 1`` before which to cut, so that
    the parts have similar weights.
    """
    begin = first
    while (left := total[last] - total[begin]) > words * SLACK:
        ideal = left / max(2, ceil(left / (words * 1.1)))
        base = total[begin]
        low = max(begin + 1, bisect_left(total, base + 0.55 * ideal, begin, last))
        high = min(last - 1, bisect_right(total, base + min(1.45 * ideal, words * SLACK), begin, last) - 1)
        if low <= high:
            best = min(range(low, high + 1), key=lambda cut: abs(total[cut] - base - ideal) / ideal + costs[cut])
        else:
            best = min(max(begin + 1, high), last - 1)
        if best <= begin or best >= last:
            return
        yield best
        begin = best


def _forced(text: str, start: int, end: int, weight: float, words: int) -> list[int]:
    """Cuts inside one long sentence: between words, or between characters where
    there are no spaces. Linear time.
    """
    room = weight / ceil(weight / words)
    most = ceil(room)
    wide = ceil(room * _CHARACTERS_PER_WORD)
    found: list[int] = []
    at = start
    while True:
        piece = text[at : min(end, at + wide)]
        if not piece.isascii() and (count := len(UNSPACED.findall(piece))):
            per_character = 1 / _CHARACTERS_PER_WORD + count / len(piece) / _UNSPACED_PER_WORD
            piece = piece[: ceil(room / per_character)]
        parts = piece.split(None, most)
        if len(parts) > most:
            at += len(piece) - len(parts[-1])
        elif at + len(piece) >= end:
            return found
        else:  # few spaces: full by its characters
            space = max(piece.rfind(" "), piece.rfind("\n"))
            at = at + space + 1 if space > len(piece) // 2 else _before_mark(text, at + len(piece), end)
        if at >= end:
            return found
        found.append(at)


def _before_mark(text: str, at: int, end: int) -> int:
    """Moves a cut past combining marks (at most 32), which belong to the letter before."""
    stop = min(end, at + 32)
    while at < stop and unicodedata.category(text[at])[0] == "M":
        at += 1
    return at
