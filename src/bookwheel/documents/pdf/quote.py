"""Where on a page a quote stands: its words among those that PDFium gives, whatever the spaces, hyphens and lines between them."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Sequence

from .chars import Words

__all__ = ["Box", "boxes_of"]

Box = tuple[float, float, float, float]
"""Left, bottom, right, top, in points."""

MOST = 20_000
"""Characters of a quote that are looked for."""
_LEAST = 8
"""Letters and digits of a part of a quote that is looked for by itself: less stands on every page."""


def boxes_of(words: Words, quotes: Sequence[tuple[str, str]]) -> list[Box]:
    """A box for each line of each quote, in the order of the quotes; none for what is not on the page.

    ``quotes``: a text, and what the document has before it on the same page, which tells which of several occurrences it is.
    """
    if not len(words.boxes):
        return []
    pieces = [_letters(words.text[a:b]) for a, b in zip(words.starts.tolist(), words.ends.tolist(), strict=True)]
    begins: list[int] = []
    length = 0
    for piece in pieces:
        begins.append(length)
        length += len(piece)
    page = "".join(pieces)
    marked: list[int] = []
    for quote, before in quotes:
        wanted = [letters for word in quote[:MOST].split() if (letters := _letters(word))]
        whole = "".join(wanted)
        at = -1
        if whole:
            for _ in range(_letters(before).count(whole) + 1):
                if (found := page.find(whole, at + 1)) < 0:
                    break
                at = found
        spans = [(at, at + len(whole))] if at >= 0 else _parts(page, wanted, [0])
        for start, end in spans:
            first, last = bisect_right(begins, start) - 1, bisect_right(begins, end - 1) - 1
            marked += range(first, last + 1)
    return _lines(words, sorted(set(marked)))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def _parts(page: str, wanted: Sequence[str], behind: list[int]) -> list[tuple[int, int]]:
    """The parts of a quote that are on the page: halves, and halves of them; what others are behind is looked for there first."""
    whole = "".join(wanted)
    if len(whole) < _LEAST:
        return []
    at = page.find(whole, behind[0])
    if at < 0:
        at = page.find(whole)
    if at >= 0:
        behind[0] = at + len(whole)
        return [(at, at + len(whole))]
    half = len(wanted) // 2
    return [*_parts(page, wanted[:half], behind), *_parts(page, wanted[half:], behind)] if half else []


def _lines(words: Words, marked: Sequence[int]) -> list[Box]:
    """The boxes of words, those side by side joined."""
    found: list[Box] = []
    before = -2
    for word in marked:
        left, bottom, right, top = (float(side) for side in words.boxes[word])
        if found and word == before + 1:
            last = found[-1]
            shared = min(top, last[3]) - max(bottom, last[1])
            if shared > 0.5 * min(top - bottom, last[3] - last[1]) and left >= last[0]:
                found[-1] = (last[0], min(bottom, last[1]), max(right, last[2]), max(top, last[3]))
                before = word
                continue
        found.append((left, bottom, right, top))
        before = word
    return found
