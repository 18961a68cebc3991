"""Losses over lists: the passages of one query, scored together."""

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
    answer. Where queries are read by themselves, ``ids`` are tokens of passages alone, and ``query_ids`` and ``query_mask``, int64
    (queries, tokens), those of queries. The model gives a score for each pair, float32 (pairs,).
    """

    def count(self, batch: Batch) -> float:
        """The number of queries."""
        return float(len(batch["ids"]))

    def prepare(self, batch: Batch) -> Batch:
        """The pairs in a row, (pairs, tokens), without the columns that are padding in all of them."""
        width = _width(batch["mask"].flatten(0, 1))
        found = {known: batch[name][..., :width].flatten(0, 1) for name, known in READ.items() if name in batch}
        if "query_mask" in batch:
            asked = _width(batch["query_mask"])
            found |= {name: batch[name][:, :asked] for name in ("query_ids", "query_mask")}
        return {**found, "wanted": batch["wanted"]}

    def total(self, model: Any, batch: Batch) -> Any:
        """The sum over the queries."""
        wanted = batch["wanted"]
        return self.losses(model(batch).view(wanted.shape), wanted).sum()

    def losses(self, scores: Any, wanted: Any) -> Any:
        """The loss of each query, (queries,), of scores and of a teacher's scores, both (queries, passages)."""
        raise NotImplementedError


def _width(mask: Any) -> int:
    """The columns before those that are padding in all rows."""
    used = mask.any(0).nonzero()
    return int(used[-1]) + 1 if len(used) else 1
