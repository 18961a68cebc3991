"""Contrast over a large batch in the memory of a small part of it: the gradient by each vector is found first, and kept.

A step goes over the batch twice. First all vectors are computed and nothing else is kept; the loss of the whole batch and its
gradients by the vectors follow from them. Then each part is computed again, and its vectors are drawn along their gradients. The
weights' gradients are those of the whole batch, up to rounding. This is GradCache: Gao et al., Scaling Deep Contrastive Learning
Batch Size under Memory Limited Setup (2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from ..memory.objective import Batch, split

__all__ = ["ANSWER", "NEGATIVE", "QUERY", "CachedContrast"]

QUERY, ANSWER, NEGATIVE = 0, 1, 2
"""What a row of a batch is."""
CHUNK = 256
"""Queries whose scores are computed at a time."""


@dataclass(frozen=True)
class CachedContrast:
    """Cross-entropy of each query's own answer among all answers and negatives of the batch, over cosines times ``scale``.

    An objective for `train.memory.finetune`. Beside the tokens a batch has int64 columns (rows,): ``role`` (`QUERY`, `ANSWER` or
    `NEGATIVE`), ``pair`` (the number of the row's query, from 0), ``document`` (texts of the same one are not each other's
    negatives), and ``draw`` (the seed of whatever the model draws for the row's part, such as dropout: both times alike).
    The model gives unit vectors (rows, dimension) for a batch.
    """

    scale: float = 20.0

    def count(self, batch: Batch) -> float:
        """The number of queries."""
        return float((batch["role"] == QUERY).sum())

    def prepare(self, batch: Batch) -> Batch:
        """With the seed of the part."""
        return {**batch, "seed": int(batch["draw"][0])}

    def whole(self, model: Any, batch: Batch, rows: int) -> Batch:
        """With ``slopes``, float32 (rows, 1, dimension), the loss's gradients by the vectors, and ``shares`` (rows,), each row's loss;
        as it is where one part holds the batch, whose vectors are computed once then.
        """
        if rows >= len(batch["role"]):
            return batch
        with torch.no_grad():
            found = []
            for part in map(self.prepare, split(batch, rows)):
                torch.manual_seed(part["seed"])
                found.append(model(part))
        slopes, shares = self.slopes(torch.cat(found), batch)
        return {**batch, "slopes": slopes[:, None], "shares": shares}

    def total(self, model: Any, batch: Batch) -> Any:
        """The part's share of the loss, with the loss's gradient."""
        torch.manual_seed(batch["seed"])
        if "slopes" not in batch:
            return self.losses(model(batch), batch).sum()
        # `slopes` has three dimensions so that `split` takes none of them for the tokens'.
        along = (model(batch) * batch["slopes"][:, 0]).sum()
        return along - along.detach() + batch["shares"].sum()

    def slopes(self, vectors: Any, batch: Batch) -> tuple[Any, Any]:
        """The gradient of the summed loss by ``vectors``, and each row's loss: 0 but for queries."""
        leaf = vectors.detach().clone().requires_grad_()
        shares = self.losses(leaf, batch)
        shares.sum().backward()
        return leaf.grad, shares.detach()

    def losses(self, vectors: Any, batch: Batch) -> Any:
        """Each row's loss: 0 but for queries."""
        role, pair, document = batch["role"], batch["pair"], batch["document"]
        queries, texts = (role == QUERY).nonzero()[:, 0], (role != QUERY).nonzero()[:, 0]
        shares = torch.zeros(len(vectors))
        for some in queries.split(CHUNK):
            own = (pair[texts][None] == pair[some][:, None]) & (role[texts] == ANSWER)[None]
            scores = self.scale * vectors[some] @ vectors[texts].T
            alike = (document[texts][None] == document[some][:, None]) & ~own
            found = torch.nn.functional.cross_entropy(
                scores.masked_fill(alike, -torch.inf), own.float().argmax(1), reduction="none"
            )
            shares = shares.index_put((some,), found)
        return shares
