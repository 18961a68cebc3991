"""An encoder with a weak decoder of one layer behind its vector; the decoder is thrown away after pre-training.

Needs the extra ``train``; it is imported when training begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import transformers

from ..._errors import UsageError
from ..trainable import Trainable
from .model import SentenceEncoder

__all__ = ["Bottleneck"]

HEAD = 64
"""Dimensions of an attention head."""


class Bottleneck(Trainable):
    """``encoder``, and a decoder that sees its vector and what is left of at most ``tokens`` tokens.

    Its embeddings and its output weights are the encoder's word embeddings, before which stands a linear step that begins as the
    identity. Its other weights are drawn with ``seed``. Raises `UsageError` for an encoder without word embeddings.
    """

    def __init__(self, encoder: SentenceEncoder, dimension: int, tokens: int, seed: int = 0) -> None:
        super().__init__(encoder)
        size = self.embedding.embedding_dim
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(seed)
            self.given = torch.nn.Linear(dimension, size)
            self.places = torch.nn.Parameter(0.02 * torch.randn(tokens + 1, size))
            self.first = torch.nn.LayerNorm(size)
            self.layer = _Layer(size)
            self.transform = torch.nn.Linear(size, size)
        with torch.no_grad():
            if dimension == size:  # a unit vector, as long as word embeddings after their normalisation
                self.given.weight.copy_(size**0.5 * torch.eye(size))
            self.transform.weight.copy_(torch.eye(size))
            self.transform.bias.zero_()

    @property
    def embedding(self) -> Any:
        """The encoder's word embeddings, a module."""
        for module in self.inner.modules():
            if isinstance(module, transformers.PreTrainedModel):
                found = module.get_input_embeddings()
                if isinstance(found, torch.nn.Embedding):
                    return found
        raise UsageError("the encoder has no word embeddings, so that it cannot be pre-trained; leave out --pretrain")

    @property
    def output(self) -> Any:
        """The weights (vocabulary, size) that states are multiplied by."""
        return self.embedding.weight

    def forward(self, batch: Mapping[str, Any]) -> Any:
        """The decoder's states (rows, width, size) for a batch of `MaskedAutoencoding`."""
        return self.decoded(self.inner(batch), batch["left"][:, 0], batch["there"][:, 0])

    def decoded(self, vectors: Any, left: Any, there: Any) -> Any:
        """The states (rows, width, size) for the encoder's ``vectors`` (rows, dimension) and what is left of the texts, (rows, width)."""
        seen = torch.cat([self.given(vectors)[:, None], self.embedding(left)], 1)
        states = self.first(seen + self.places[: seen.shape[1]])
        mask = torch.cat([torch.ones_like(there[:, :1]), there], 1).bool()
        return self.transform(self.layer(states, mask)[:, 1:])


class _Layer(torch.nn.Module):  # type: ignore[misc, unused-ignore]  # torch is untyped where it is not installed
    """One layer of a transformer, as BERT has it."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.heads = max(1, size // HEAD) if size % max(1, size // HEAD) == 0 else 1
        self.mixed, self.joined = torch.nn.Linear(size, 3 * size), torch.nn.Linear(size, size)
        self.wide, self.narrow = torch.nn.Linear(size, 4 * size), torch.nn.Linear(4 * size, size)
        self.attended, self.done = torch.nn.LayerNorm(size), torch.nn.LayerNorm(size)

    def forward(self, states: Any, mask: Any) -> Any:
        rows, width, size = states.shape
        parts = self.mixed(states).reshape(rows, width, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        found = torch.nn.functional.scaled_dot_product_attention(*parts, attn_mask=mask[:, None, None])
        states = self.attended(states + self.joined(found.transpose(1, 2).reshape(rows, width, size)))
        return self.done(states + self.narrow(torch.nn.functional.gelu(self.wide(states))))
