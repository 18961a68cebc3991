"""Imitation of a larger encoder by one for queries alone: the same vectors, and the same order of passages that are stored.

Campos et al., Quick Dense Retrievers Consume KALE (2023), for the order; Wang and Lyu, Query Encoder Distillation via
Embedding Alignment (2023), for vectors as targets, and for which layers to keep.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from ..memory.objective import Batch

__all__ = ["QueryImitation"]


@dataclass(frozen=True)
class QueryImitation:
    """1 - the cosine to the teacher's vector, and ``order`` times the divergence between the orders of ``passages``.

    An objective for `train.memory.finetune`. Beside the tokens a batch has ``targets``, float32 (rows, 1, dimension), the teacher's
    unit vectors. ``passages``: stored unit vectors, a float32 tensor (n, dimension), whose cosines to a query, as probabilities at
    ``temperature``, are to be as the teacher's are; None for the first term alone.
    """

    passages: Any = None
    order: float = 0.5
    temperature: float = 0.05

    def count(self, batch: Batch) -> float:
        """The number of queries."""
        return float(len(batch["targets"]))

    def prepare(self, batch: Batch) -> Batch:
        """With the passages."""
        return batch if self.passages is None else {**batch, "passages": self.passages}

    def total(self, model: Any, batch: Batch) -> Any:
        """The sum over the queries."""
        vectors, targets = model(batch), batch["targets"][:, 0]
        loss = (1 - (vectors * targets).sum(1)).sum()
        if self.passages is None:
            return loss
        passages = batch["passages"].T / self.temperature
        reached, wanted = (torch.log_softmax(rows @ passages, dim=1) for rows in (vectors, targets))
        return loss + self.order * torch.nn.functional.kl_div(reached, wanted, reduction="sum", log_target=True)
