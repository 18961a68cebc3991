"""Correcting words by the collection's own vocabulary, only where a word is unknown, or rare if that is asked for."""

from __future__ import annotations

import math
from collections import Counter

from ...analysis.edit_distance import edit_distance
from ..query import Query
from ..stages.base import Context

__all__ = ["allowed_edits", "corrected", "nearest"]

CLEARLY = 20
"""How many times as frequent as a rare word its mate must be."""
MATE = 0.5
"""What a rare word's mate counts for in the query."""
COMPARED = 4
"""Candidates that are compared as they are written."""
EDIT = 4.0
"""What an edit costs, in logarithms of frequency."""
LEAST_SPLIT = 3
"""Shortest part of a word that is split in two."""


def allowed_edits(word: str) -> int:
    """Edits that a word of this length may have: none up to 3 letters, one up to 5, two beyond (as in Elasticsearch's AUTO)."""
    return 0 if len(word) < 4 else 1 if len(word) < 6 else 2


def corrected(context: Context, query: Query, rare: int = 0) -> Query:
    """The query with unknown words replaced; what was replaced is noted."""
    text, changes = query.text, []
    mates: dict[str, float] = {}
    for word in dict.fromkeys(context.split(query.text)):
        terms = context.analyze(word)
        if len(terms) != 1 or any(character.isdigit() or character == "_" for character in word):
            continue
        frequency = int(context.document_frequencies(terms)[0])
        if frequency > rare:
            continue
        if frequency == 0:
            replacement = _replacement(context, word, terms[0])
            if replacement is not None:
                changes.append((word, replacement))
        elif (mate := nearest(context, terms[0], least=CLEARLY * frequency, edits=1)) is not None:
            mates[mate] = MATE
    for word, replacement in changes:
        text = _replaced(context, text, word, replacement)
    if changes:
        context.note("spelling: " + ", ".join(f"{word} → {replacement}" for word, replacement in changes))
        query = query.with_text(text)
    if mates:
        own = query.sparse.get("bm25") or Counter(context.analyze(query.text))
        query = query.with_terms("bm25", {**{term: weight for term, weight in mates.items() if term not in own}, **own})
    return query


def nearest(context: Context, term: str, least: int = 1, edits: int | None = None) -> str | None:
    """The term of the vocabulary that ``term`` most likely was meant to be; None where none is near. See `_worth`."""
    scored = _near(context, term, least, edits)
    return max(scored)[1] if scored else None


def _near(context: Context, term: str, least: int = 1, edits: int | None = None) -> list[tuple[float, str]]:
    """Terms near ``term`` in ``least`` passages or more, with what they are worth."""
    near = context.near_terms(term, allowed_edits(term) if edits is None else min(edits, allowed_edits(term)))
    names = list(near)
    frequencies = context.document_frequencies(names).tolist() if names else []
    return [
        (_worth(frequency, near[name], name[0] == term[0]), name)
        for name, frequency in zip(names, frequencies, strict=True)
        if frequency >= least
    ]


def _worth(frequency: int, edits: int, first: bool) -> float:
    """How likely a correction is, as a logarithm: each edit costs as much as being e^4 times rarer, and another ``first`` letter
    half of that. A mistyped word is mostly one edit away, and mostly right in its first letter.
    """
    return math.log(frequency) - EDIT * edits - (0.0 if first else EDIT / 2)


def _replacement(context: Context, word: str, term: str) -> str | None:
    """What ``word`` was meant to be: a word of the collection, or two that a blank is missing between.

    Terms are stems, and a stem may be farther from another than their words are: the likeliest few are compared as they are
    written. A missing blank is an edit as well, and two words must be likelier than one.
    """
    wrong = word.lower()
    best: tuple[float, str] | None = _split(context, word)
    for _, name in sorted(_near(context, term), reverse=True)[:COMPARED]:
        written = context.written(name, word) or name
        edits = min(edit_distance(term, name), edit_distance(wrong, written.lower()))
        frequency = int(context.document_frequencies([name])[0])
        worth = _worth(frequency, edits, written[:1].lower() == wrong[:1])
        if best is None or worth > best[0]:
            best = worth, written
    return None if best is None else best[1]


def _split(context: Context, word: str) -> tuple[float, str] | None:
    """Two known words written as one, each in two passages at least, and what they are worth: as the rarer one."""
    best: tuple[int, str] | None = None
    for at in range(LEAST_SPLIT, len(word) - LEAST_SPLIT + 1):
        left, right = context.analyze(word[:at]), context.analyze(word[at:])
        if len(left) == 1 == len(right):
            frequency = int(context.document_frequencies([left[0], right[0]]).min())
            if frequency >= 2 and (best is None or frequency > best[0]):
                best = frequency, f"{word[:at]} {word[at:]}"
    return None if best is None else (_worth(best[0], 1, True), best[1])


def _replaced(context: Context, text: str, word: str, replacement: str) -> str:
    """``text`` with the whole word replaced wherever it stands."""
    pieces, at = [], 0
    while (found := text.find(word, at)) >= 0:
        end = found + len(word)
        alone = context.split(text[max(0, found - 1) : end + 1]) == [word]
        pieces += [text[at:found], replacement if alone else word]
        at = end
    return "".join([*pieces, text[at:]])
