"""Of each passage only the sentences that say something of the question; no call of a model.

Source: Xu, Shi and Choi, "RECOMP: improving retrieval-augmented LMs with context compression and selective augmentation" (ICLR
2024), the extractive compressor; here sentences are chosen by the weights of the question's terms in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...documents.document import Document
from ...documents.sentences import cuts
from ..events import Token
from ..evidence import Evidence
from .base import Run

__all__ = ["compressed", "cut", "draft", "pieces", "spans"]

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
        for start, end in spans(one):
            met = {term for _, _, terms in run.collection.terms(one.text[start:end]) for term in terms} & asked
            scored.append((-sum(idf[term] for term in met), at, start, end))
    return pieces(run.evidence, cut(run.evidence, scored, least=0.0))


def spans(one: Evidence) -> list[tuple[int, int]]:
    """Start and end of the sentences of a passage, with the white space between them."""
    starts, _ = cuts(Document("", one.text))
    return list(zip(starts, [*starts[1:], len(one.text)], strict=True))


def cut(
    evidence: Sequence[Evidence], scored: Sequence[tuple[float, int, int, int]], *, least: float | None = None
) -> list[tuple[int, int, int]]:
    """The best sentences that together have `SHARE` of the characters: passage, start, end.

    ``scored``: the same behind a score, of which the smallest is best. Those of a score of ``least`` or more are left out.
    """
    room = SHARE * sum(len(one.text) for one in evidence)
    kept: list[tuple[int, int, int]] = []
    for weight, at, start, end in sorted(scored):
        if kept and ((least is not None and weight >= least) or room < end - start):
            continue
        kept.append((at, start, end))
        room -= end - start
    return kept


def pieces(evidence: Sequence[Evidence], kept: Sequence[tuple[int, int, int]]) -> list[Evidence]:
    """Sentences as evidence in the order of the text, neighbours as one piece."""
    found: list[Evidence] = []
    for at, start, end in sorted(kept):
        one = evidence[at]
        if found and found[-1].number == one.number and found[-1].end == one.start + start:
            start = found.pop().start - one.start
        hidden = tuple((max(low - start, 0), min(high, end) - start) for low, high in one.hidden if low < end and high > start)
        found.append(replace(one, text=one.text[start:end], start=one.start + start, end=one.start + end, hidden=hidden))
    return found
