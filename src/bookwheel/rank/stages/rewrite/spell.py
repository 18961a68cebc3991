"""``spell(rare=0)``: corrects words by the collection's own vocabulary, only where a word is
unknown or, if asked, rare.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from ....analysis.edit_distance import edit_distance
from ....analysis.library_analyzer import bare
from ...query import Query
from ..base import Rewrite
from ..context import Context
from ..parameters import check_whole

__all__ = ["Spell", "allowed_edits", "corrected"]

CLEARLY = 20
"""A rare word gets a neighbour only if that is at least this many times as frequent."""
NEIGHBOUR = 0.5
"""The weight of a rare word's neighbour in the query."""
COMPARED = 4
"""Candidates that are compared as they are written."""
EDIT = 4.0
"""The cost of an edit, in logarithms of frequency."""
LEAST_SPLIT = 3
"""The shortest part of a word that is split in two."""


def allowed_edits(word: str) -> int:
    """Edits allowed for a word of this length: none up to 3 letters, one up to 5, two beyond
    (Elasticsearch's AUTO).
    """
    return 0 if len(word) < 4 else 1 if len(word) < 6 else 2


def corrected(context: Context, query: Query, rare: int = 0) -> Query:
    """The query with unknown words replaced, and a note of what was replaced.

    Words in up to ``rare`` passages stay, with a clearly more frequent neighbour beside them.
    """
    text, changes = query.text, []
    neighbours: dict[str, float] = {}
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
        elif near := _near(context, terms[0], least=CLEARLY * frequency, edits=1):
            neighbours[max(near)[1]] = NEIGHBOUR
    for word, replacement in changes:
        text = _replaced(context, text, word, replacement)
    if changes:
        context.note("spelling: " + ", ".join(f"{word} → {replacement}" for word, replacement in changes))
        query = query.with_text(text)
    if neighbours:
        own = query.sparse.get("bm25") or Counter(context.analyze(query.text))
        added = {term: weight for term, weight in neighbours.items() if term not in own}
        query = query.with_terms("bm25", {**added, **own})
    return query


def _near(context: Context, term: str, least: int = 1, edits: int | None = None) -> list[tuple[float, str]]:
    """Terms near ``term`` that are in at least ``least`` passages, each with its likelihood as a
    correction.
    """
    near = context.near_terms(term, allowed_edits(bare(term)) if edits is None else min(edits, allowed_edits(bare(term))))
    names = list(near)
    frequencies = context.document_frequencies(names).tolist() if names else []
    return [
        (_likelihood(frequency, near[name], bare(name)[0] == bare(term)[0]), name)
        for name, frequency in zip(names, frequencies, strict=True)
        if frequency >= least
    ]


def _likelihood(frequency: int, edits: int, first: bool) -> float:
    """How likely a correction is, as a logarithm.

    An edit counts as much as being e^4 times rarer, and another ``first`` letter half of that: a
    mistyped word is mostly one edit away, and mostly right in its first letter.
    """
    return math.log(frequency) - EDIT * edits - (0.0 if first else EDIT / 2)


def _replacement(context: Context, word: str, term: str) -> str | None:
    """The word of the collection that ``word`` was meant to be, or two words with a space missing
    between them.

    Terms are stems, and stems may be farther apart than their words: the likeliest few are compared
    as they are written. A missing space counts as an edit, and two words must be likelier than one.
    """
    wrong = word.lower()
    best: tuple[float, str] | None = _split(context, word)
    for _, name in sorted(_near(context, term), reverse=True)[:COMPARED]:
        written = context.written(name, word) or bare(name)
        edits = min(edit_distance(term, name), edit_distance(wrong, written.lower()))
        frequency = int(context.document_frequencies([name])[0])
        likelihood = _likelihood(frequency, edits, written[:1].lower() == wrong[:1])
        if best is None or likelihood > best[0]:
            best = likelihood, written
    return None if best is None else best[1]


def _split(context: Context, word: str) -> tuple[float, str] | None:
    """Two known words written as one, each in at least two passages, with their likelihood, that of
    the rarer one.
    """
    best: tuple[int, str] | None = None
    for at in range(LEAST_SPLIT, len(word) - LEAST_SPLIT + 1):
        left, right = context.analyze(word[:at]), context.analyze(word[at:])
        if len(left) == 1 == len(right):
            frequency = int(context.document_frequencies([left[0], right[0]]).min())
            if frequency >= 2 and (best is None or frequency > best[0]):
                best = frequency, f"{word[:at]} {word[at:]}"
    return None if best is None else (_likelihood(best[0], 1, True), best[1])


def _replaced(context: Context, text: str, word: str, replacement: str) -> str:
    """``text`` with ``word`` replaced wherever it is a whole word."""
    pieces, at = [], 0
    while (found := text.find(word, at)) >= 0:
        end = found + len(word)
        alone = context.split(text[max(0, found - 1) : end + 1]) == [word]
        pieces += [text[at:found], replacement if alone else word]
        at = end
    return "".join([*pieces, text[at:]])


@dataclass(frozen=True, slots=True)
class Spell(Rewrite):
    """Replaces words that are not in the collection by the nearest of its own.

    Words in up to ``rare`` passages are kept, with a clearly more frequent neighbour beside them.
    """

    name = "spell"
    summary = "replaces words that are not in the collection by similar words that are"
    source = "Damerau 1964; candidates by edits, then frequency, as in SymSpell (Garbe 2012)"
    needs = ("the vocabulary of bm25",)
    cost = "nothing if all words are known; for each unknown one about 30 ns per word of the vocabulary"

    rare: int = 0

    def check_parameters(self) -> None:
        """Check ``rare``."""
        check_whole("rare", self.rare, 0, 1000)

    def rewrite(self, context: Context, query: Query) -> Query:
        """The query with its unknown words corrected."""
        return corrected(context, query, self.rare)
