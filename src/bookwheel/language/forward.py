"""Forward passes of a causal language model of transformers: their results, their time, their
cache.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from .._errors import ModelError
from .attention_weights import NAME, Reached, register, up_to
from .key_values import Block, BlockCache, joined
from .loaded import LoadedModel

__all__ = ["CACHE", "RANKS_ONLY", "ForwardModel", "cache_argument"]

RANKS_ONLY = "bookwheel_ranks_only"
"""In the config.json of first layers alone, which `bookwheel train in-context` wrote."""
CACHE = 256 << 20
"""Bytes of blocks that are cached for later queries."""


def cache_argument(model: Any) -> str:
    """The parameter of ``model.forward`` that takes the cache of keys and values.

    transformers 5.24 calls it ``cache``, earlier versions ``past_key_values``.
    """
    return "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"


class ForwardModel(LoadedModel):
    """A model, its tokenizer and its cache of blocks: the base of `LocalModel`.

    One thread at a time runs it; others wait.
    """

    def __init__(self, name: str, model: Any, tokenizer: Any, *, precision: str = "float32", cache: int = CACHE) -> None:
        register()
        super().__init__(name, model, tokenizer, precision=precision)
        self.cache = BlockCache(cache)
        model.set_attn_implementation(NAME)
        self._kept: tuple[list[int], Any] | None = None  # the last prompt that was streamed, and its cache
        config = model.config.get_text_config()
        self.layers: int = config.num_hidden_layers
        self.heads: int = config.num_attention_heads
        self._ranks_only = bool(getattr(model.config, RANKS_ONLY, False))
        self.context = getattr(config, "max_position_embeddings", 0) or 1 << 20

    # -- running -------------------------------------------------------------------------------------------------------

    def _read(
        self,
        pasts: Sequence[Sequence[Block]],
        new: Sequence[Sequence[int]],
        places: Any = None,
        keep: bool = True,
        layers: int | None = None,
    ) -> tuple[Any, list[Block]]:
        """Reads ``new`` tokens after each row's ``pasts``.

        Returns the hidden states (rows, tokens, width), and the new tokens as blocks. With
        ``layers`` the pass ends after that many: the hidden states are None, and the blocks have
        only these layers. Pasts are padded in front and new tokens behind, so the numbers of a row
        do not depend on the other rows. ``places`` are the positions of the new tokens; by default
        they follow the pasts.
        """
        import torch
        from transformers import DynamicCache

        model = self._open_model()
        began = time.perf_counter()
        rows, width = len(new), max(map(len, new))
        if not width:
            return torch.zeros(rows, 0, 0), []
        lengths = [sum(map(len, past)) for past in pasts]
        deep = max(lengths)
        starts = [max((block.end for block in past), default=0) for past in pasts]
        ids = torch.tensor([[*row, *[0] * (width - len(row))] for row in new])
        if places is None:
            places = torch.tensor(starts)[:, None] + torch.arange(width)
        cache = DynamicCache()
        mask = torch.ones(width, width, dtype=torch.bool).tril()[None, None].expand(rows, 1, -1, -1)
        with torch.inference_mode():
            if deep:
                seen = torch.zeros(rows, 1, width, deep, dtype=torch.bool)
                pairs = [joined(past) if past else None for past in pasts]
                shape = next(pair[0].shape for pair in pairs if pair)
                both = torch.zeros(2, shape[0], rows, shape[1], deep, shape[3], dtype=model.dtype)
                for row, pair in enumerate(pairs):
                    if pair is not None:
                        seen[row, :, :, deep - lengths[row] :] = True
                        both[0, :, row, :, deep - lengths[row] :], both[1, :, row, :, deep - lengths[row] :] = pair
                mask = torch.cat([seen, mask], -1)
                for layer in range(shape[0]):
                    cache.update(both[0, layer], both[1, layer], layer)
            hidden = None
            with suppress(Reached), up_to(layers):
                decoder = model.get_decoder()
                named = {cache_argument(decoder): cache}
                hidden = decoder(ids, attention_mask=mask, position_ids=places, use_cache=True, **named).last_hidden_state
            blocks = []
            if keep:
                keys = torch.stack([one.keys[:, :, deep:] for one in cache.layers[:layers]])
                values = torch.stack([one.values[:, :, deep:] for one in cache.layers[:layers]])
                blocks = [
                    Block(keys[:, row, :, : len(one)].clone(), values[:, row, :, : len(one)].clone(), int(places[row, 0]))
                    for row, one in enumerate(new)
                ]
        self._took(time.perf_counter() - began, rows * width)
        return hidden, blocks

    def _whole(self) -> None:
        """Raise `ModelError` where the model's layers are not all there, so that it cannot predict."""
        if self._ranks_only:
            raise ModelError(
                f"{self.name!r} has the first layers of a language model, which rank passages and write no text; give the whole model"
            )

    def _fits(self, tokens: int) -> None:
        if tokens > self.context:
            raise ModelError(
                f"{tokens} tokens exceed the context of {self.name!r}, {self.context} tokens; give fewer or shorter passages"
            )

    # -- life ----------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """See `Generator.close`."""
        with self._lock:
            super().close()
            self._kept = None
            self.cache.clear()
