"""Imitation of a better judge over a whole batch: each query's similarities to all texts are to be what a teacher's scores are.

Hofstätter et al., Efficiently Teaching an Effective Dense Retriever with Balanced Topic Aware Sampling (SIGIR 2021), for a teacher
over the batch; Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network (2015), for softened probabilities. Texts that
answer although nobody said so need no filter: the teacher says how near they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from ..memory.objective import Batch
from .cached_contrast import CHUNK, QUERY, CachedContrast

__all__ = ["CachedImitation", "alike"]

NOTHING = -1e4
"""The score of a text of which the teacher says nothing: its probability is 0, by both."""


@dataclass(frozen=True)
class CachedImitation(CachedContrast):
    """The divergence of softmax(``scale`` times the model's cosines) from softmax(``taught_scale`` times the teacher's scores).

    Of each query over all answers and negatives of the batch of which the teacher says something; gradients are cached as in
    `CachedContrast`. A batch also has ``taught``, float32 (rows, 1, queries), the teacher's score of each row's text for each query,
    by the query's number in ``pair``; NaN where it says nothing.
    """

    taught_scale: float = 20.0

    def losses(self, vectors: Any, batch: Batch) -> Any:
        """See `CachedContrast`."""
        role = batch["role"]
        queries, texts = (role == QUERY).nonzero()[:, 0], (role != QUERY).nonzero()[:, 0]
        shares = torch.zeros(len(vectors))
        for some in queries.split(CHUNK):
            wanted = _wanted(batch, some, texts)
            silent = wanted.isnan()
            own = torch.log_softmax((self.scale * vectors[some] @ vectors[texts].T).masked_fill(silent, NOTHING), 1)
            theirs = torch.log_softmax((self.taught_scale * wanted).masked_fill(silent, NOTHING), 1)
            shares = shares.index_put((some,), (theirs.exp() * (theirs - own)).sum(1))
        return shares


def alike(vectors: Any, batch: Batch, scale: float) -> float:
    """The ``taught_scale`` at which the teacher's scores of a batch spread as far as ``scale`` times the cosines of ``vectors`` do.

    Cosines of one encoder lie between 0 and 1, of another between 0.7 and 0.9: at the same scale that one would say next to nothing.
    """
    role = batch["role"]
    queries, texts = (role == QUERY).nonzero()[:, 0], (role != QUERY).nonzero()[:, 0]
    wanted = _wanted(batch, queries, texts)
    said = ~wanted.isnan()

    def spread(scores: Any) -> float:
        count = said.sum(1).clamp(min=1)
        away = (scores.nan_to_num() - ((scores.nan_to_num() * said).sum(1) / count)[:, None]) * said
        return float(((away**2).sum(1) / count).sqrt().mean())

    return scale * spread(vectors[queries] @ vectors[texts].T) / max(1e-6, spread(wanted))


def _wanted(batch: Batch, queries: Any, texts: Any) -> Any:
    """The teacher's scores (queries, texts)."""
    return batch["taught"][texts, 0][:, batch["pair"][queries]].T
