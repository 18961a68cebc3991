"""Corpus-steered expansion: the query grows by sentences of the collection, chosen from the first passages.

Source: Lei, Cao, Zhou, Shen and Yates, "Corpus-Steered Query Expansion with Large Language Models" (EACL 2024), where a model
picks the sentences; here they are those with the largest share of the query's idf.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...documents.document import Document
from ...documents.sentences import cuts
from ...kernels.bm25 import idf
from ..stages.base import Context

__all__ = ["best_sentences", "sentences_of"]

LONGEST = 100
"""Terms of a sentence that count; longer ones are lists and tables."""


def sentences_of(text: str) -> list[str]:
    """The sentences of a text."""
    starts, _ = cuts(Document(id="", text=text))
    return [piece for a, b in zip(starts, [*starts[1:], len(text)], strict=True) if (piece := text[a:b].strip())]


def best_sentences(context: Context, texts: Sequence[str], wanted: Sequence[str], count: int) -> list[str]:
    """The ``count`` sentences of ``texts`` with most of the idf of the terms ``wanted``, a longer one counting less.

    A sentence's score is the idf of the wanted terms in it over the square root of its length. Only those with one are taken.
    """
    terms = list(dict.fromkeys(wanted))
    weights = dict(zip(terms, idf(context.document_frequencies(terms), context.passages).tolist(), strict=True))
    scored: list[tuple[float, int, str]] = []
    for sentence in dict.fromkeys(piece for text in texts for piece in sentences_of(text)):
        found = context.analyze(sentence)
        if 0 < len(found) <= LONGEST:
            score = sum(weights[term] for term in set(found) if term in weights) / (4 + len(found)) ** 0.5
            if score > 0:
                scored.append((-score, len(scored), sentence))
    return [sentence for _, _, sentence in sorted(scored)[:count]]
