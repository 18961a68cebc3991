"""Words of the collection within a few edits of a word, for correcting the spelling of queries."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np

from ...analysis.edit_distance import edit_distance
from ...analysis.library_analyzer import LibraryAnalyzer, language_of_term
from ...analysis.words import split_words, word_pieces
from ..passage_texts import texts_in_turn
from ..snapshot import Snapshot

__all__ = ["near_terms", "written"]

MOST = 4096
"""The most near terms taken from one block of the dictionary."""
READ = 1 << 16
"""Terms in a block of the dictionary, which is read at a time."""


def near_terms(snapshot: Snapshot, term: str, distance: int) -> dict[str, int]:
    """Terms of the vocabulary within ``distance`` edits of ``term``, with how many edits; the term itself is not among them.

    Edits are of characters. One pass over the dictionaries: some 50 ns a term and a few megabytes.
    """
    from ...kernels.near_terms import LONGEST
    from ...kernels.near_terms import near_terms as kernel

    run: Any = kernel
    encoded = term.encode("utf-8", "surrogatepass")
    if not encoded or len(encoded) > LONGEST or distance < 1:
        return {}
    # An edit of a character of several bytes is as many edits of bytes; the true distance is looked at after.
    most = min(3, distance if term.isascii() else distance + 1)
    word = np.frombuffer(encoded, np.uint8)
    numbers, distances = np.empty(MOST, np.int64), np.empty(MOST, np.uint8)
    found: dict[str, int] = {}
    for segment in snapshot.segments:
        for low in range(0, segment.sparse.terms, READ):
            text, offsets, _ = segment.sparse.spellings(low, low + READ)
            count = min(run(text, offsets.astype(np.uint32), word, most, numbers, distances), MOST)
            for number, edits in zip(numbers[:count].tolist(), distances[:count].tolist(), strict=True):
                other = text[int(offsets[number]) : int(offsets[number + 1])].tobytes().decode("utf-8", "replace")
                if language_of_term(other) != language_of_term(term):
                    continue
                if not (term.isascii() and other.isascii()):
                    edits = edit_distance(term, other)
                if 0 < edits <= distance:
                    found[other] = edits
    return found


def written(snapshot: Snapshot, analyzer: LibraryAnalyzer, term: str, near: str) -> str | None:
    """A spelling in the collection of the stemmed ``term``: of those in one passage the nearest to ``near``."""
    language = language_of_term(term) if analyzer.fixed is None else analyzer.main
    if language not in analyzer.languages:
        return None
    for segment, mask in zip(snapshot.segments, snapshot.alive, strict=True):
        hits = segment.sparse.search([term], [1.0], 3, mask=mask)
        words: set[str] = set()
        for _, texts in texts_in_turn(snapshot.store, segment.ids[hits.ids].tolist()):
            for _, piece in chain.from_iterable(map(word_pieces, texts)):
                words |= {word for word in split_words(piece) if analyzer.terms_in(word, language) == (term,)}
        if words:
            lowered = {word if word.isupper() else word.lower() for word in words}
            return min(sorted(lowered), key=lambda word: edit_distance(word.lower(), near.lower()))
    return None
