"""Which attention heads of a language model tell relevant passages from others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bookwheel.rank.stages.reranking import standardised

__all__ = ["contrast"]

TEMPERATURE = 0.5


def contrast(weights: Sequence[NDArray[np.floating]], relevant: Sequence[NDArray[np.bool_]]) -> NDArray[np.float64]:
    """How well each head tells relevant candidates from the others, float64 (heads,): 0 is chance.

    ``weights``: for each query what each head gives each candidate, (heads, candidates).
    ``relevant``: for each query which candidates are relevant, (candidates,). Each head's weights
    are brought to mean 0 and deviation 1; its contrast is the mean over queries of the relevant
    candidates' share of a softmax over them, less their share of the list. After Tran et al.,
    "Contrastive Retrieval Heads Improve Attention-Based Re-Ranking" (2025). Queries whose
    candidates are all relevant, or none, do not count. Raises ``ValueError`` where no query counts.
    """
    rows = []
    for table, wanted in zip(weights, relevant, strict=True):
        if wanted.any() and not wanted.all():
            scores = np.stack([standardised(row) for row in table.astype(np.float64)]) / TEMPERATURE
            shares = np.exp(scores - scores.max(axis=1, keepdims=True))
            rows.append(shares[:, wanted].sum(axis=1) / shares.sum(axis=1) - wanted.mean())
    if not rows:
        raise ValueError("no query has both relevant and other candidates, so heads cannot be compared")
    return np.asarray(np.mean(rows, axis=0), np.float64)
