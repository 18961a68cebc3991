"""Losses over lists: the passages of one query, scored together by a cross-encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..memory.objective import Batch

__all__ = ["ListLoss"]

READ = {"ids": "input_ids", "mask": "attention_mask", "types": "token_type_ids"}
"""What a batch calls what the model reads."""


@dataclass(frozen=True)
class ListLoss:
    """The mean over queries of `losses`. An objective for `train.memory.finetune`; a row of a batch is a query with its passages.

    A batch has ``ids``, ``mask`` and, of models that know them, ``types``: tokens of query and passage, int64 (queries, passages,
    tokens), padded on the right; and ``wanted``, float32 (queries, passages), a teacher's scores. The first passage of each is its
    answer. The model gives a score for each pair, float32 (pairs,).
    """

    def count(self, batch: Batch) -> float:
        """The number of queries."""
        return float(len(batch["ids"]))

    def prepare(self, batch: Batch) -> Batch:
        """The pairs in a row, (pairs, tokens), without the columns that are padding in all of them."""
        used = batch["mask"].flatten(0, 1).any(0).nonzero()
        width = int(used[-1]) + 1 if len(used) else 1
        found = {known: batch[name][..., :width].flatten(0, 1) for name, known in READ.items() if name in batch}
        return {**found, "wanted": batch["wanted"]}

    def total(self, model: Any, batch: Batch) -> Any:
        """The sum over the queries."""
        wanted = batch["wanted"]
        return self.losses(model(batch).view(wanted.shape), wanted).sum()

    def losses(self, scores: Any, wanted: Any) -> Any:
        """The loss of each query, (queries,), of scores and of a teacher's scores, both (queries, passages)."""
        raise NotImplementedError
