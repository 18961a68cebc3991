"""Feedback on weighted terms: the relevance model and Rocchio's formula, as Anserini computes them.

Sources: Abdul-Jaleel et al., "UMass at TREC 2004: Novelty and HARD" (RM3); Rocchio, "Relevance feedback in information
retrieval" (1971); the term filter and the order of pruning follow Anserini's ``Rm3Reranker`` and ``RocchioReranker``, so that
results can be compared.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from ..query import Query, TermWeights
from ..stages.base import Context

__all__ = ["FREQUENT", "candidate_terms", "combined", "first_terms", "query_terms", "relevance_model", "rocchio", "scaled"]

FREQUENT = 0.1
"""Terms of a larger share of all passages are no candidates."""
_PLAIN = re.compile(r"[a-z0-9]+")
_LENGTHS = range(2, 21)


def query_terms(context: Context, query: Query, name: str = "bm25") -> TermWeights:
    """The query's terms as the retriever ``name`` sees them."""
    terms = query.sparse.get(name)
    return Counter(context.analyze(query.text)) if terms is None else terms


def candidate_terms(context: Context, documents: Sequence[Mapping[str, int]], plain: bool) -> list[dict[str, float]]:
    """Of each document the terms that may expand a query, with their frequencies.

    Left out are terms of one letter or more than twenty, terms in more than a tenth of all passages, and, where ``plain``,
    those of other characters than a-z and 0-9 (Anserini's filter, meant for English).
    """
    vocabulary = list({term for document in documents for term in document if len(term) in _LENGTHS})
    frequencies = context.document_frequencies(vocabulary)
    most = FREQUENT * context.passages
    kept = {
        term
        for term, frequency in zip(vocabulary, frequencies.tolist(), strict=True)
        if frequency <= most and (not plain or _PLAIN.fullmatch(term))
    }
    return [{term: float(count) for term, count in document.items() if term in kept} for document in documents]


def first_terms(terms: Mapping[str, float], count: int) -> dict[str, float]:
    """The ``count`` heaviest terms, equal ones in alphabetical order."""
    return dict(sorted(terms.items(), key=lambda item: (-item[1], item[0]))[:count])


def scaled(terms: Mapping[str, float], norm: int) -> dict[str, float]:
    """``terms`` at unit length by the L1 or L2 ``norm``; empty where it is 0."""
    values = terms.values()
    length = sum(map(abs, values)) if norm == 1 else math.sqrt(sum(value * value for value in values))
    return {term: value / length for term, value in terms.items()} if length > 0 else {}


def relevance_model(documents: Sequence[Mapping[str, float]], scores: Sequence[float], count: int) -> dict[str, float]:
    """RM1: each document's language model over its ``count`` most frequent terms, weighed by its score.

    The ``count`` likeliest terms; weights add up to 1.
    """
    model: dict[str, float] = {}
    weights = [max(score, 0.0) for score in scores]
    if not any(weights):  # cosines below 0 say nothing of how much better one is
        weights = [1.0] * len(weights)
    for document, score in zip(documents, weights, strict=True):
        terms = first_terms(document, count)
        total = sum(terms.values())
        for term, frequency in terms.items():
            model[term] = model.get(term, 0.0) + frequency / total * score
    return scaled(first_terms(model, count), 1)


def rocchio(documents: Sequence[Mapping[str, float]], count: int) -> dict[str, float]:
    """The mean of the documents' vectors, each at unit length: its ``count`` heaviest terms, at unit length again."""
    mean: dict[str, float] = {}
    for document in documents:
        for term, value in scaled(document, 2).items():
            mean[term] = mean.get(term, 0.0) + value / max(len(documents), 1)
    return scaled(first_terms(mean, count), 2)


def combined(parts: Sequence[tuple[float, Mapping[str, float]]]) -> dict[str, float]:
    """The weighted sum of term vectors, without what is not above 0."""
    total: dict[str, float] = {}
    for weight, terms in parts:
        for term, value in terms.items():
            total[term] = total.get(term, 0.0) + weight * value
    return {term: value for term, value in total.items() if value > 0 and np.isfinite(value)}
