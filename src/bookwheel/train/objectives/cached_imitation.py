"""Imitation of a larger encoder over a whole batch: each query's similarities to all texts are to be what the teacher's are.

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


@dataclass(frozen=True)
class CachedImitation(CachedContrast):
    """The divergence of softmax(``scale`` times the model's cosines) from softmax(``taught_scale`` times the teacher's).

    Of each query over all answers and negatives of the batch; gradients are cached as in `CachedContrast`. A batch also has
    ``taught``, float32 (rows, 1, the teacher's dimension), the teacher's unit vectors.
    """

    taught_scale: float = 20.0

    def losses(self, vectors: Any, batch: Batch) -> Any:
        """See `CachedContrast`."""
        role, taught = batch["role"], batch["taught"][:, 0]
        queries, texts = (role == QUERY).nonzero()[:, 0], (role != QUERY).nonzero()[:, 0]
        shares = torch.zeros(len(vectors))
        for some in queries.split(CHUNK):
            own = torch.log_softmax(self.scale * vectors[some] @ vectors[texts].T, 1)
            theirs = torch.log_softmax(self.taught_scale * taught[some] @ taught[texts].T, 1)
            shares = shares.index_put((some,), (theirs.exp() * (theirs - own)).sum(1))
        return shares


def alike(vectors: Any, batch: Batch, scale: float) -> float:
    """The ``taught_scale`` at which the teacher's scores of a batch spread as far as ``scale`` times those of ``vectors`` do.

    Cosines of one encoder lie between 0 and 1, of another between 0.7 and 0.9: at the same scale that one would say next to nothing.
    """
    role = batch["role"]

    def spread(rows: Any) -> float:
        return float((rows[role == QUERY] @ rows[role != QUERY].T).std(1).mean())

    return scale * spread(vectors) / max(1e-6, spread(batch["taught"][:, 0]))
