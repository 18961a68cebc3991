"""Of each passage only the sentences that say something of the question; no call of a model.

Source: Xu, Shi and Choi, "RECOMP: improving retrieval-augmented LMs with context compression and selective augmentation" (ICLR
2024), the extractive compressor; here sentences are chosen by the weights of the question's terms in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...documents.document import Document
from ...documents.sentences import cuts
from ..events import Token
from ..evidence import Evidence
from .base import Run

__all__ = ["compressed", "draft"]

SHARE = 0.5
"""Of the characters of all passages, so many are kept."""


def draft(run: Run) -> Iterator[Token]:
    """The answer from the sentences that matter."""
    return run.final(compressed(run))


def compressed(run: Run) -> list[Evidence]:
    """The evidence as pieces of whole sentences, in its order: exact spans, with the number of their passage."""
    asked = {term for _, _, terms in run.collection.terms(run.question) for term in terms}
    idf = run.collection.idf(sorted(asked)) if asked else {}
    scored: list[tuple[float, int, int, int]] = []
    for at, one in enumerate(run.evidence):
        starts, _ = cuts(Document("", one.text))
        for start, end in zip(starts, [*starts[1:], len(one.text)], strict=True):
            met = {term for _, _, terms in run.collection.terms(one.text[start:end]) for term in terms} & asked
            scored.append((-sum(idf[term] for term in met), at, start, end))
    room = SHARE * sum(len(one.text) for one in run.evidence)
    kept: list[tuple[int, int, int]] = []
    for weight, at, start, end in sorted(scored):
        if kept and (weight == 0 or room < end - start):
            continue
        kept.append((at, start, end))
        room -= end - start
    pieces: list[Evidence] = []
    for at, start, end in sorted(kept):
        one = run.evidence[at]
        if pieces and pieces[-1].number == one.number and pieces[-1].end == one.start + start:
            start = pieces.pop().start - one.start
        hidden = tuple((max(low - start, 0), min(high, end) - start) for low, high in one.hidden if low < end and high > start)
        pieces.append(replace(one, text=one.text[start:end], start=one.start + start, end=one.start + end, hidden=hidden))
    return pieces
