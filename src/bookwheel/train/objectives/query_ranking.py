"""Rankings of a better judge, imitated by an encoder of queries alone: stored passages stay as they are, and so nothing is embedded anew.

Lee et al., Learning Dense Representations of Phrases at Scale (ACL 2021), for training the side of queries against vectors that are
fixed; Sung et al., Optimizing Test-Time Query Representations for Dense Retrieval (Findings of ACL 2023), for a reranker's probabilities
of what is retrieved as the target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from ..memory.objective import Batch

__all__ = ["QueryRanking"]

NOTHING = -1e4
"""The score of a place of a list in which no passage is."""


@dataclass(frozen=True)
class QueryRanking:
    """1 - the cosine to the encoder's vector before, and ``order`` times the divergence from a teacher's ranking.

    An objective for `train.memory.finetune`. Beside the tokens a batch has ``targets``, float32 (rows, 1, dimension), the unit vectors
    before; ``listed``, float32 (rows, n, dimension), the stored vectors of the passages that the teacher ranks first, ``wanted``, float32
    (rows, 1, n), how probable it finds each of them (0 where there is none), and ``places``, int64 (rows, 1, n), where they are among
    ``passages``, or the number of these. ``passages``: stored unit vectors, a float32 tensor (m, dimension), to which the teacher gives
    nothing, as far as they aren't listed: cosines to all of them are probabilities at ``temperature``.
    """

    passages: Any
    order: float = 0.5
    temperature: float = 0.05

    def count(self, batch: Batch) -> float:
        """The number of queries."""
        return float(len(batch["targets"]))

    def prepare(self, batch: Batch) -> Batch:
        """With the passages."""
        return {**batch, "passages": self.passages}

    def total(self, model: Any, batch: Batch) -> Any:
        """The sum over the queries."""
        vectors, wanted = model(batch), batch["wanted"][:, 0]
        near = (1 - (vectors * batch["targets"][:, 0]).sum(1)).sum()
        listed = torch.einsum("nd,nkd->nk", vectors, batch["listed"]) / self.temperature
        others = vectors @ batch["passages"].T / self.temperature
        bound = torch.full((len(others), 1), NOTHING)
        others = torch.cat([others, bound], 1).scatter(1, batch["places"][:, 0], NOTHING)  # each passage once
        reached = torch.log_softmax(torch.cat([listed.masked_fill(wanted == 0, NOTHING), others], 1), 1)[:, : listed.shape[1]]
        divergence = (torch.special.xlogy(wanted, wanted) - wanted * reached).sum()
        return near + self.order * divergence
