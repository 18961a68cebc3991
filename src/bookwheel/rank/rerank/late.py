"""Late interaction over a few passages: each token of the query takes its best match among a passage's."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from .base import Reranked

__all__ = ["LateInteraction", "max_sim"]

Encode = Callable[[Sequence[str]], list[NDArray[np.float32]]]
"""Texts to their token vectors, float32 (tokens, d) each."""
BATCH = 8


class LateInteraction:
    """Khattab and Zaharia, "ColBERT" (SIGIR 2020), with token vectors encoded when they are needed.

    For stored ones use `max_sim` on them.
    """

    def __init__(self, encode_query: Encode, encode_texts: Encode) -> None:
        self._encode_query = encode_query
        self._encode_texts = encode_texts

    def rerank(self, query: str, texts: Sequence[str], *, deadline: float | None = None) -> Reranked:
        """Sums of the query tokens' best similarities."""
        (asked,) = self._encode_query([query])
        values: list[float | None] = [None] * len(texts)
        pace = 0.0
        for at in range(0, len(texts), BATCH):
            if deadline is not None and time.monotonic() + pace >= deadline:
                break
            began = time.monotonic()
            scores = max_sim(asked, self._encode_texts(texts[at : at + BATCH]))
            values[at : at + BATCH] = scores.tolist()
            pace = time.monotonic() - began
        return Reranked.of(values)


def max_sim(query: NDArray[np.float32], passages: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """For each passage (tokens, d) the sum over query tokens (m, d) of the largest inner product: float32 (n,).

    A passage without tokens gets -infinity where the query has some, so that it comes last.
    """
    out = np.full(len(passages), -np.inf if len(query) else 0.0, np.float32)
    full = [i for i, passage in enumerate(passages) if len(passage)]
    if not full or not len(query):
        return out
    table = np.concatenate([passages[i] for i in full]).astype(np.float32, copy=False) @ query.T
    starts = np.cumsum([0, *(len(passages[i]) for i in full[:-1])])
    out[full] = np.maximum.reduceat(table, starts, axis=0).sum(1)
    return out
