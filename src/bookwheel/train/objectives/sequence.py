"""What an encoder-decoder model writes: the next token of an answer, once the encoder has read a text.

Sutskever, Vinyals and Le, "Sequence to Sequence Learning with Neural Networks" (2014). Answers are short, so that their logits are
made at once, unlike those of whole texts (`chunked_cross_entropy`).

Needs the extra ``train``; it is imported when training begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from ..memory.objective import Batch

__all__ = ["SequenceLoss"]


@dataclass(frozen=True)
class SequenceLoss:
    """An `Objective`. A batch has ``input_ids`` and ``attention_mask`` (rows, tokens) of texts, and ``labels`` (rows, 1, tokens of
    answers), -100 for those that are none, all int64.
    """

    def count(self, batch: Batch) -> float:
        """The number of tokens to be predicted."""
        return float((batch["labels"] >= 0).sum())

    def prepare(self, batch: Batch) -> Batch:
        """As it is."""
        return batch

    def total(self, model: Any, batch: Batch) -> Any:
        """The sum of their cross-entropies."""
        labels = batch["labels"][:, 0]
        asked = {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"], "use_cache": False}
        logits = model(**asked, labels=labels).logits.float()
        return torch.nn.functional.cross_entropy(
            logits.reshape(-1, logits.shape[-1]), labels.reshape(-1), reduction="sum", ignore_index=-100
        )
