"""Masked autoencoding through one vector: a weak decoder has to rebuild a text from the encoder's vector and the few words left to it.

What the decoder cannot guess has to be in the vector, so the encoder learns to say in it what a text is about. Xiao et al., "RetroMAE:
Pre-Training Retrieval-oriented Language Models Via Masked Auto-Encoder" (2022); in part: with its simple decoding, and without the
encoder's own loss. With a neighbouring text in the place of the same one: Wu et al., "ConTextual Masked Auto-Encoder for Dense Passage
Retrieval" (2023), CoT-MAE.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from ..memory.chunked_loss import CHUNK, chunked_cross_entropy
from ..memory.objective import Batch

__all__ = ["NOT_ASKED", "MaskedAutoencoding"]

NOT_ASKED = -100
"""In the place of a token that is not to be predicted."""


@dataclass(frozen=True)
class MaskedAutoencoding:
    """Cross-entropy of the tokens that are masked for the decoder. An objective for `train.memory.finetune`.

    Beside the encoder's tokens a batch has, int64 (rows, 1, width), ``left``: what the decoder sees of its text, masks included,
    ``there``: 1 where it has a token, and ``wanted``: the token that is masked, `NOT_ASKED` elsewhere. The model gives states (rows,
    width, size) of the decoder for a batch, and has ``output``, the weights (vocabulary, size) that they are multiplied by. ``chunk``:
    tokens whose logits exist at a time; 0 for all at once.
    """

    chunk: int = CHUNK

    def count(self, batch: Batch) -> float:
        """The number of tokens to be predicted."""
        return float((batch["wanted"] != NOT_ASKED).sum())

    def prepare(self, batch: Batch) -> Batch:
        """Without columns that are padding in all rows; with ``targets`` and their ``places`` in the flattened part, both int64."""
        used = batch["there"].flatten(0, 1).any(0).nonzero()
        width = int(used[-1]) + 1 if len(used) else 1
        cut = {name: batch[name][:, :, :width] for name in ("left", "there", "wanted")}
        wanted = cut["wanted"].reshape(-1)
        places = (wanted != NOT_ASKED).nonzero()[:, 0]
        return {**batch, **cut, "places": places, "targets": wanted[places]}

    def total(self, model: Any, batch: Batch) -> Any:
        """The sum of their cross-entropies."""
        states = model(batch)
        states = states.reshape(-1, states.shape[-1]).index_select(0, batch["places"])
        if self.chunk:
            return chunked_cross_entropy(states, model.output, batch["targets"], self.chunk)
        logits = torch.nn.functional.linear(states, model.output).float()
        return torch.nn.functional.cross_entropy(logits, batch["targets"], reduction="sum")
