"""A query made of examples: more like these, not like those.

The query's terms move towards those of the examples, and away from those of the others, by Rocchio's formula (1971), with the
weights that experiments settled on since (alpha 1, beta 0.75, gamma 0.15: Manning, Raghavan and Schütze, section 9.1.1), and
so does its vector. Terms are weighed by frequency and idf, since whole passages have many words that say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...kernels.bm25 import idf
from ..feedback.terms import combined, first_terms, scaled
from ..feedback.vectors import unit
from ..query import Query
from ..stages.base import Context

__all__ = ["TERMS", "by_examples", "telling_terms"]

TERMS = 40
"""Terms of the examples that are kept."""
ALPHA, BETA, GAMMA = 1.0, 0.75, 0.15
MOST_EXAMPLES = 200


def telling_terms(context: Context, counts: Sequence[Mapping[str, float]], terms: int = TERMS) -> dict[str, float]:
    """The mean of texts' vectors of (1 + ln tf) * idf, each at unit length: its heaviest terms, at unit length."""
    vocabulary = list({term for text in counts for term in text})
    rarity = dict(zip(vocabulary, idf(context.document_frequencies(vocabulary), context.passages).tolist(), strict=True))
    mean: dict[str, float] = {}
    for text in counts:
        weighed = scaled({term: (1 + math.log(count)) * rarity[term] for term, count in text.items() if count > 0}, 2)
        for term, value in weighed.items():
            mean[term] = mean.get(term, 0.0) + value / len(counts)
    return scaled(first_terms(mean, terms), 2)


def by_examples(context: Context, query: Query, like: NDArray[np.int64], unlike: NDArray[np.int64], plain: bool) -> Query:
    """The query moved towards the passages ``like`` and away from ``unlike``; ``plain``: it has words of its own that count.

    BM25 weighs a term by its idf when it scores, so the terms' weights are divided by it here.
    """
    like, unlike = like[:MOST_EXAMPLES], unlike[:MOST_EXAMPLES]
    parts: list[tuple[float, Mapping[str, float]]] = []
    if plain:
        own: dict[str, float] = {}
        for term in context.analyze(query.text):
            own[term] = own.get(term, 0.0) + 1.0
        parts.append((ALPHA, telling_terms(context, [own])))
    if len(like):
        parts.append((BETA, telling_terms(context, context.terms(like))))
    if len(unlike):
        parts.append((-GAMMA, telling_terms(context, context.terms(unlike), 10 * TERMS)))
    terms = combined(parts)
    if terms:
        names = list(terms)
        rarities = idf(context.document_frequencies(names), context.passages).tolist()
        query = query.with_terms("bm25", {name: terms[name] / value for name, value in zip(names, rarities, strict=True)})
    for name, kind in context.representations.items():
        if kind == "dense":
            total = ALPHA * context.encode(name, [query.text])[0].astype(np.float64) if plain else 0.0
            for weight, ids in ((BETA, like), (-GAMMA, unlike)):
                if len(ids):
                    total = total + weight * context.vectors(name, ids).mean(axis=0, dtype=np.float64)
            if np.any(total):
                query = query.with_vector(name, unit(np.asarray(total)))
    return query
