"""What a step minimises, and how its batch is cut into parts.

A batch is a dictionary of tensors with a row for each text, such as ``input_ids`` and ``attention_mask``, int64 (rows, tokens),
padded on the right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from .chunked_loss import CHUNK, chunked_cross_entropy

__all__ = ["Batch", "CausalLoss", "Objective", "split"]

Batch = Mapping[str, Any]


class Objective(Protocol):
    """A loss that is a sum over what a batch holds, so that the parts of a batch add up exactly.

    One whose parts depend on each other also has ``whole(model, batch, rows)``: the batch with what follows from all of it, which
    is asked for once a step, before the first part; see `train.objectives.cached_contrast`.
    """

    def count(self, batch: Batch) -> float:
        """How much a batch holds: what the sum is divided by, such as tokens to be predicted."""

    def prepare(self, batch: Batch) -> Batch:
        """``batch`` with whatever depends on its numbers rather than on its shapes; `total` gets it so."""

    def total(self, model: Any, batch: Batch) -> Any:
        """The sum of the losses, a scalar tensor."""


@dataclass(frozen=True)
class CausalLoss:
    """Next-token prediction by a causal language model of transformers.

    ``labels`` in a batch are tokens to be predicted, -100 for those that are not; without them all tokens are that the attention
    mask lets through. ``chunk``: tokens whose logits exist at a time, see `chunked_cross_entropy`; 0 for all at once.
    """

    chunk: int = CHUNK

    def count(self, batch: Batch) -> float:
        """The number of tokens to be predicted."""
        return float((_targets(batch) >= 0).sum())

    def prepare(self, batch: Batch) -> Batch:
        """With ``targets``, int64 (rows, tokens - 1), and the places ``places`` in them that count, int64."""
        targets = _targets(batch)
        return {**batch, "targets": targets, "places": (targets.reshape(-1) >= 0).nonzero()[:, 0]}

    def total(self, model: Any, batch: Batch) -> Any:
        """The sum of their cross-entropies."""
        asked = {"input_ids": batch["input_ids"], "attention_mask": batch.get("attention_mask"), "use_cache": False}
        hidden = model.get_decoder()(**asked).last_hidden_state[:, :-1]
        targets = batch["targets"].reshape(-1)
        weight = model.get_output_embeddings().weight
        if not self.chunk:
            logits = torch.nn.functional.linear(hidden, weight).float()
            return torch.nn.functional.cross_entropy(
                logits.reshape(-1, logits.shape[-1]), targets, reduction="sum", ignore_index=-100
            )
        places = batch["places"]
        flat = hidden.reshape(-1, hidden.shape[-1])
        return chunked_cross_entropy(flat.index_select(0, places), weight, targets.index_select(0, places), self.chunk)


def _targets(batch: Batch) -> Any:
    """The token after each one but the last, int64 (rows, tokens - 1); -100 where it does not count."""
    labels = batch.get("labels")
    if labels is not None:
        return labels[:, 1:]
    found = batch["input_ids"][:, 1:]
    mask = batch.get("attention_mask")
    return found if mask is None else found.masked_fill(mask[:, 1:] == 0, -100)


def split(batch: Batch, rows: int) -> Iterator[dict[str, Any]]:
    """Parts of at most ``rows`` rows, without the columns that are padding in all of theirs."""
    size = len(next(iter(batch.values())))
    for start in range(0, size, rows):
        part = {name: value[start : start + rows] for name, value in batch.items()}
        mask = part.get("attention_mask")
        if mask is not None:
            used = mask.any(0).nonzero()
            width = int(used[-1]) + 1 if len(used) else 1
            part = {name: value[:, :width] if value.dim() == 2 and value.shape[1] == mask.shape[1] else value
                    for name, value in part.items()}  # fmt: skip
        yield part
