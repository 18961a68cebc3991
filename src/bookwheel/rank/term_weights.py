"""Weighted terms: what feedback, rewriting and query by example have in common.

The term filter and the order of pruning are those of Anserini's ``Rm3Reranker`` and
``RocchioReranker``, so that results can be compared.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..analysis.library_analyzer import bare
from ..kernels import bm25
from .query import Query, TermWeights
from .stages.context import Context

__all__ = [
    "characteristic_terms",
    "divided_by_idf",
    "expansion_terms",
    "heaviest",
    "idf",
    "normalised",
    "query_terms",
    "weighted_sum",
]

FREQUENT = 0.1
"""Terms in a larger share of all passages do not expand a query."""
_PLAIN = re.compile(r"[a-z0-9]+")
_LENGTHS = range(2, 21)


def query_terms(context: Context, query: Query, name: str = "bm25") -> TermWeights:
    """The query's terms as the retriever ``name`` sees them."""
    terms = query.sparse.get(name)
    return Counter(context.analyze(query.text)) if terms is None else terms


def idf(context: Context, terms: Sequence[str]) -> NDArray[np.float64]:
    """BM25's inverse document frequency of each term, float64 (n,)."""
    return bm25.idf(context.document_frequencies(terms), context.passages)


def divided_by_idf(context: Context, terms: TermWeights) -> dict[str, float]:
    """Weights for a BM25 query: BM25 multiplies each by the term's idf when it scores."""
    names = list(terms)
    return {name: terms[name] / value for name, value in zip(names, idf(context, names).tolist(), strict=True)}


def expansion_terms(context: Context, documents: Sequence[Mapping[str, int]]) -> list[dict[str, float]]:
    """The terms of each document that may expand a query, with their frequencies.

    Left out are terms shorter than 2 or longer than 20 characters, terms in more than a tenth of
    all passages, and terms with characters other than a-z and 0-9 (Anserini's filter, meant for
    English).
    """
    vocabulary = list({term for document in documents for term in document if len(bare(term)) in _LENGTHS})
    frequencies = context.document_frequencies(vocabulary)
    most = FREQUENT * context.passages
    allowed = {
        term
        for term, frequency in zip(vocabulary, frequencies.tolist(), strict=True)
        if frequency <= most and _PLAIN.fullmatch(bare(term))
    }
    return [{term: float(count) for term, count in document.items() if term in allowed} for document in documents]


def characteristic_terms(context: Context, texts: Sequence[Mapping[str, float]], count: int) -> dict[str, float]:
    """The heaviest terms of the mean of texts' tf-idf vectors, at unit length.

    ``texts``: the term frequencies of each. A vector has (1 + ln tf) * idf for each term and is
    scaled to unit length.
    """
    vocabulary = list({term for text in texts for term in text})
    weights = dict(zip(vocabulary, idf(context, vocabulary).tolist(), strict=True))
    mean: dict[str, float] = {}
    for text in texts:
        vector = normalised({term: (1 + math.log(tf)) * weights[term] for term, tf in text.items() if tf > 0}, 2)
        for term, value in vector.items():
            mean[term] = mean.get(term, 0.0) + value / len(texts)
    return normalised(heaviest(mean, count), 2)


def heaviest(terms: Mapping[str, float], count: int) -> dict[str, float]:
    """The ``count`` heaviest terms; equal weights in alphabetical order."""
    return dict(sorted(terms.items(), key=lambda item: (-item[1], item[0]))[:count])


def normalised(terms: Mapping[str, float], norm: int) -> dict[str, float]:
    """``terms`` scaled to an L1 or L2 ``norm`` of 1; empty where the norm is 0."""
    values = terms.values()
    length = sum(map(abs, values)) if norm == 1 else math.sqrt(sum(value * value for value in values))
    return {term: value / length for term, value in terms.items()} if length > 0 else {}


def weighted_sum(parts: Sequence[tuple[float, Mapping[str, float]]]) -> dict[str, float]:
    """The weighted sum of term vectors; terms whose sum is not above 0 are left out."""
    total: dict[str, float] = {}
    for weight, terms in parts:
        for term, value in terms.items():
            total[term] = total.get(term, 0.0) + weight * value
    return {term: value for term, value in total.items() if value > 0 and np.isfinite(value)}
