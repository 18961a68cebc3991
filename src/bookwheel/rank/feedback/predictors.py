"""How sure a first ranking is: what decides whether feedback may use it.

Sources: Cronen-Townsend, Zhou and Croft, "Predicting query performance" (SIGIR 2002): clarity; Shtok, Kurland, Carmel, Raiber
and Markovits, "Predicting query performance by query-drift estimation" (ACM TOIS 2012): NQC.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["clarity", "spread"]

TERMS = 100


def clarity(
    documents: Sequence[Mapping[str, int]], scores: Sequence[float], frequencies: Mapping[str, int], pairs: float
) -> float:
    """Bits by which the language of the best passages differs from the collection's, over their ``TERMS`` likeliest terms.

    The collection's model is taken from document frequencies, which every index has: a term's share of all ``pairs`` of a
    passage and a term of it.
    """
    model: dict[str, float] = {}
    total_score = sum(max(score, 0.0) for score in scores)
    for document, score in zip(documents, scores, strict=True):
        length = sum(document.values())
        for term, count in document.items():
            model[term] = model.get(term, 0.0) + count / length * max(score, 0.0) / (total_score or 1.0)
    best = sorted(model.items(), key=lambda item: (-item[1], item[0]))[:TERMS]
    mass = sum(value for _, value in best)
    if not best or mass <= 0:
        return 0.0
    bits = 0.0
    for term, value in best:
        share = value / mass
        if share > 0:
            bits += share * math.log2(share * pairs / max(frequencies.get(term, 0), 1))
    return bits


def spread(scores: NDArray[np.float32], whole: float) -> float:
    """Standard deviation of the scores over the score of the best one: large where the best stand out (NQC, normalised by
    what the query can reach instead of the collection's score, which an index of impacts does not have)."""
    if len(scores) < 2 or whole <= 0:
        return 0.0
    return float(np.std(scores.astype(np.float64)) / whole)
