"""Taking what a query was made from out of the document that answers it, so that the query is not answered by its own words."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from ...analysis.words import spans_of
from ...documents.document import Document
from ...library.results import StoredDocument
from .query import Taken

__all__ = ["TooLittle", "left_of", "masked", "occurrences", "plain_words", "unmasked", "without"]

LEAST_WORDS = 8
"""Words of a document that must be left; a word of a script without spaces counts by its characters."""
MOST_SHARE = 0.5
"""Of a document's text that may be taken out."""
PHRASES = 1000
"""Characters of a phrase that is looked for word for word."""
_WORDS = re.compile(r"\w+")


class TooLittle(Exception):
    """So much was taken out that what is left cannot be searched."""


def plain_words(text: str) -> str:
    """The words of ``text`` in lower case, one space between them: how texts are compared word for word."""
    return " ".join(_WORDS.findall(text.casefold()))


def occurrences(text: str, phrase: str) -> list[tuple[int, int]]:
    """Start and end of each place of ``text`` that has the words of ``phrase`` in a row, whatever is between them."""
    words = _WORDS.findall(phrase[:PHRASES])
    if not words:
        return []
    # Underscores are word characters here, so that `a_b` is no place of `a b`; case is folded by the pattern.
    pattern = re.compile(r"(?<!\w)" + r"\W+".join(map(re.escape, words)) + r"(?!\w)", re.IGNORECASE)
    return [match.span() for match in pattern.finditer(text)]


def masked(document: StoredDocument, taken: Taken) -> Document:
    """``document`` without what is ``taken`` out of it, its headings and pages moved along.

    Raises `TooLittle` where less than half of it, or fewer than a few words, would be left.
    """
    text, spans = document.text, list(taken.spans)
    phrases = [*taken.phrases, *([document.title] if taken.title and document.title else [])]
    for phrase in phrases:
        spans += occurrences(text, phrase)
    cut = _joined(spans, len(text))
    if sum(end - start for start, end in cut) > MOST_SHARE * len(text):
        raise TooLittle
    title = "" if taken.title else document.title
    for phrase in taken.phrases:
        for start, end in reversed(occurrences(title, phrase)):
            title = f"{title[:start]} {title[end:]}".strip()
    kept = _without(text, cut)
    if left_of(kept) < LEAST_WORDS:
        raise TooLittle
    return _moved(document, kept, title, cut)


def unmasked(document: StoredDocument) -> Document:
    """``document`` as it is."""
    return _moved(document, document.text, document.title, [])


def left_of(text: str) -> int:
    """How many words ``text`` has; a run of a script without spaces counts one for two characters."""
    return sum(1 if word.isascii() or len(word) < 20 else len(word) // 2 for word, _, _ in spans_of(text[:10_000]))


def without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """``text`` with one space in the place of each of ``spans``, which may overlap or reach over its ends."""
    return _without(text, _joined(spans, len(text)))


def _joined(spans: Iterable[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """``spans`` in order, those that touch made one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted((max(0, start), min(length, end)) for start, end in spans):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _without(text: str, cut: Sequence[tuple[int, int]]) -> str:
    """``text`` with one space in the place of each span."""
    pieces, at = [], 0
    for start, end in cut:
        pieces += [text[at:start], " "]
        at = end
    return "".join([*pieces, text[at:]])


def _moved(document: StoredDocument, text: str, title: str, cut: Sequence[tuple[int, int]]) -> Document:
    """A document with ``text`` and ``title``, and the headings and pages of ``document`` where they are now."""
    starts = [start for start, _ in cut]
    lost = [0]  # characters before each span that are gone
    for start, end in cut:
        lost.append(lost[-1] + end - start - 1)

    def inside(place: int) -> bool:
        number = bisect_right(starts, place)
        return number > 0 and place < cut[number - 1][1]

    def at(place: int) -> int:
        number = bisect_right(starts, place)
        return cut[number - 1][0] - lost[number - 1] if inside(place) else place - lost[number]

    layout = document.layout
    headings = tuple(one._replace(start=at(one.start)) for one in layout.headings if not inside(one.start))
    return Document(
        document.id,
        text,
        title,
        dict(document.metadata),
        "markup" if headings else "prose",
        pages=tuple(at(page) for page in layout.pages),
        parts=tuple(part._replace(start=at(part.start)) for part in layout.parts if not part.columns),
        labels=tuple(layout.labels),
        headings=headings,
    )
