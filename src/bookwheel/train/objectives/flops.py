"""A loss over lists with a price on terms: what a query and a passage have in common costs time, and is to be little.

Paria et al., Minimizing FLOPs to Learn Efficient Sparse Representations (ICLR 2020), for the sum of the squares of terms' mean weights;
Formal et al., SPLADE v2 (2021), for a price that grows at first. Geng et al., Towards Competitive Search Relevance For Inference-Free
Learned Sparse Retrievers (2024), for rare terms that cost less; in part: a term's mean weight is divided by its rarity, relative to the
terms that texts have in the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..memory.objective import Batch
from .lists import ListLoss

__all__ = ["Flops"]


@dataclass(frozen=True)
class Flops:
    """``goal``, and for each query of a part of a batch ``passages`` and ``queries`` times what terms cost in that part.

    An objective for `train.memory.finetune`. The model keeps what the terms cost that it gave last, as two scalars, in ``flops``, and how
    much of the price counts by now, from 0 to 1, in ``strength``.
    """

    goal: ListLoss
    passages: float
    queries: float

    def count(self, batch: Batch) -> float:
        """The number of queries."""
        return self.goal.count(batch)

    def prepare(self, batch: Batch) -> Batch:
        """See `ListLoss`."""
        return self.goal.prepare(batch)

    def total(self, model: Any, batch: Batch) -> Any:
        """The sum over the queries."""
        loss = self.goal.total(model, batch)
        passages, queries = model.flops
        return loss + len(batch["wanted"]) * model.strength * (self.passages * passages + self.queries * queries)
