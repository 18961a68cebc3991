"""Documents to passages: runs of whole sentences of about the same length."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from math import ceil
from typing import Literal

from ..analysis.scripts import UNSPACED
from .document import Document, Span
from .sentences import BLOCK, INDENTED, PARAGRAPH, SECTION, SENTENCE, UNINDENTED, cuts

__all__ = ["TARGET_WORDS", "Unit", "place", "places", "split_document"]

Unit = Literal["sentence", "passage", "document"]

TARGET_WORDS = 120
"""Words a passage aims at. 120 English words and a title are some 190 word pieces: within the 256 of the small encoders, near
the 100 words that retrieval benchmarks are cut into (DPR's Wikipedia), and enough for most paragraphs to stay whole."""

SLACK = 1.25
"""A text, or section, of up to so many times the target stays whole."""

_TINY = 0.25
"""A section of less than this part of the target is joined to the next."""
_CHARACTERS_PER_WORD = 16
"""Text without spaces (encoded data, rows of numbers) counts a word for so many code points; English has six and a half."""
_UNSPACED_PER_WORD = 2
"""Chinese, Japanese, Thai: about two characters a word."""
# What a cut of each kind costs, in parts of the wanted length by which a better one may be missed.
_PENALTY = {SECTION: 0.0, PARAGRAPH: 0.0, SENTENCE: 0.12, BLOCK: 0.25, UNINDENTED: 0.35, INDENTED: 0.5}
_FORCED = 0.5
_PIECE = 1 << 16

_WORD = re.compile(r"\w")


def split_document(document: Document, unit: Unit = "passage", words: int = TARGET_WORDS) -> list[Span]:
    """The spans of ``document`` that are retrieved, in order, trimmed of white space, without overlap.

    Together they hold every character of the text that is not white space. ``sentence``: one each; ``document``: one span;
    ``passage``: whole sentences up to about ``words`` words, of even length, and across headings or pages only where those hold
    next to nothing. A sentence of more than 1.25 times ``words`` is cut between words, or anywhere if it has no spaces.
    """
    text = document.text
    if not text or text.isspace():
        return []
    if unit == "document" or (unit == "passage" and _is_short(text, words * SLACK)):
        if text[0].isspace() or text[-1].isspace():
            return [_trimmed(text, 0, len(text))]
        return [Span(0, len(text))]
    starts, kinds = cuts(document)
    if unit == "sentence":
        chosen = [start for start, kind in zip(starts, kinds, strict=True) if kind <= BLOCK]
        ends = [*chosen[1:], len(text)]
        spans = [span for start, end in zip(chosen, ends, strict=True) for span in _sentence(text, start, end, words)]
        return _without_wordless(text, spans)
    return _passages(text, starts, kinds, words)


def place(document: Document, start: int) -> tuple[int | None, int | None]:
    """The page and the line (both from 1) of offset ``start``; None where the format has no such thing."""
    return places(document, [Span(start, start)])[0]


def places(document: Document, spans: Sequence[Span]) -> list[tuple[int | None, int | None]]:
    """:func:`place` of the start of each of ``spans``, which must be in order: one pass over the text."""
    if not document.pages and not document.lines:
        return [(None, document.line or None)] * len(spans)
    found: list[tuple[int | None, int | None]] = []
    line, counted = document.line, 0
    for span in spans:
        if document.lines:
            line += document.text.count("\n", counted, span.start)
            counted = span.start
        page = bisect_right(document.pages, span.start) if document.pages else None
        found.append((page, line or None))
    return found


def _is_short(text: str, limit: float) -> bool:
    """True if ``text`` has at most ``limit`` words: cheap, for it is asked of every record. Over-estimates only."""
    if len(text) > limit * _CHARACTERS_PER_WORD:
        return False
    spaces = text.count(" ") + text.count("\n") + text.count("\t") + 1
    if spaces > limit:
        return _weight(text, True) <= limit
    if text.isascii() or spaces + len(text) / _UNSPACED_PER_WORD <= limit or UNSPACED.search(text) is None:
        return True
    return _weight(text, True) <= limit


def _weight(text: str, unspaced: bool) -> float:
    """The length of ``text`` in words; of a very long one piece by piece, so that no list of all its words is made."""
    if len(text) > _PIECE:
        return sum(_weight(text[at : at + _PIECE], unspaced) for at in range(0, len(text), _PIECE))
    weight = max(len(text.split()), len(text) / _CHARACTERS_PER_WORD)
    if unspaced and not text.isascii():
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
    """Rules, bullets and table frames are no sentences: they go with the one before."""
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
    """Pieces that stay whole: their starts, the cost of a cut before each, their weights, and which of them begin a section."""
    unspaced = not text.isascii() and UNSPACED.search(text) is not None
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
    """Sections as ranges of atoms, tiny ones joined to the next, a tiny last one to the one before."""
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
    """The atoms in ``first + 1 … last - 1`` before which to cut, so that the parts are of nearly the same weight."""
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
    """Cuts inside one long sentence: between words, or between characters where there are no spaces. Linear time."""
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
