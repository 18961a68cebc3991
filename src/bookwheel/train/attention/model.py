"""A causal language model whose attention heads learn to rank: its first layers, from a query and its passages to scores.

Needs the extra ``train``; it is imported when training begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers
from numpy.typing import NDArray

from ..._errors import ModelError, UsageError
from ...language.attention_weights import register
from ...language.forward import RANKS_ONLY
from ...language.prompts import load_prompt
from ...rank.stages.head_weights import FILE, HeadWeights
from ..memory.modules import cut, layers_of
from ..trainable import Trainable, merged_weights
from .block_attention import NAME, ReadLists, attend, reading

__all__ = ["BlockScorer"]

LEAST = 1e-16
"""Of a variance, so that it has a gradient where all passages get the same."""
WORDS = 64
"""Tokens of a query that are read, at most."""


class _Whole(NamedTuple):
    layers: int
    heads: int
    parameters: int


class BlockScorer(Trainable):
    """The layers of the model in ``folder`` as far as ``heads`` are in them, float32 on the CPU; ``tokens``: of a passage, at most.

    A passage's score is the sum over the heads of weight times the attention that it gets from the query's words, each head on one
    scale over the passages of a list, as `AttentionReranker` has it with ``layout="apart"``; and that times ``scale``, while it is
    trained. ``heads`` without weights count alike. Raises `ModelError` where transformers cannot load the model, or the heads are of
    another one.
    """

    def __init__(self, folder: Path, heads: HeadWeights | Sequence[tuple[int, int]], tokens: int) -> None:
        register(NAME, attend)
        transformers.utils.logging.disable_progress_bar()
        transformers.utils.logging.set_verbosity_error()
        try:
            inner, about = transformers.AutoModelForCausalLM.from_pretrained(
                str(folder), local_files_only=True, use_safetensors=True, dtype=torch.float32, output_loading_info=True
            )
            tokenizer: Any = transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            inner.set_attn_implementation(NAME)
        except Exception as error:  # transformers raises a dozen kinds for a folder it cannot read
            problem = " ".join(str(error).split())[:200]
            raise ModelError(f"{folder} cannot be loaded as a causal language model by transformers ({problem})") from error
        if missing := sorted(about["missing_keys"]):
            raise ModelError(f"{folder} has no weights {missing[0]!r:.100}; get its files again")
        config = inner.config.get_text_config()
        if layers_of(inner) is not layers_of(inner.get_decoder()) or len(layers_of(inner)) != config.num_hidden_layers:
            raise ModelError(f"the layers of {folder.name} cannot be told; take a Llama-like model")
        if isinstance(heads, HeadWeights):
            heads.check(_Whole(config.num_hidden_layers, config.num_attention_heads, _count(inner)), folder.name)
            chosen, weights = heads.chosen, heads.weights
        else:
            chosen, weights = tuple(heads), (1.0,) * len(heads)
        self.depth = 1 + max(layer for layer, _ in chosen)
        for name, each in list(vars(config).items()):
            if isinstance(each, list) and len(each) == config.num_hidden_layers:  # such as which kind of attention a layer has
                setattr(config, name, each[: self.depth])
        cut(inner, range(self.depth))
        super().__init__(inner)
        inner.config.use_cache = False
        setattr(inner.config, RANKS_ONLY, True)
        self.heads = HeadWeights(self.depth, config.num_attention_heads, _count(inner), chosen, weights)
        self.tokenizer = tokenizer
        before, between, _ = load_prompt("attention").around("passage", "query")
        self._before, self._between = self._ids(before), self._ids(between)
        limit = getattr(config, "max_position_embeddings", 0) or 1 << 20
        self.tokens = min(tokens, limit - len(self._before) - len(self._between) - WORDS)
        if self.tokens < 1:
            raise UsageError(f"{folder.name} reads {limit} tokens, which the prompt and a query need; take another model")
        self.scale = 1.0
        self._at: dict[int, list[int]] = {}
        shares: dict[int, list[float]] = {}
        for (layer, head), weight in zip(chosen, weights, strict=True):
            self._at.setdefault(layer, []).append(head)
            shares.setdefault(layer, []).append(weight)
        self._shares = {layer: torch.tensor(some) for layer, some in shares.items()}

    def forward(self, batch: Mapping[str, Any]) -> Any:
        """Scores, float32 (pairs,), of the tokens of `ListLoss.prepare`."""
        return self.scale * self.table(batch).flatten()

    def table(self, batch: Mapping[str, Any]) -> Any:
        """The scores of each query's passages, float32 (lists, passages), without the scale."""
        ids, mask, asked = batch["input_ids"], batch["attention_mask"].bool(), batch["query_ids"]
        there = batch["query_mask"].bool()
        count, pairs, first, between = len(asked), len(ids), len(self._before), len(self._between)
        words = there & (torch.arange(asked.shape[1]) >= between)
        rows = torch.cat([torch.tensor(self._before).expand(pairs, -1), ids], 1)
        ends = first + mask.sum(1).view(count, -1).amax(1)
        places = torch.arange(rows.shape[1]).expand(pairs, -1)
        behind = ends[:, None] + torch.arange(asked.shape[1])
        lists = ReadLists(first, mask, words, there, self._at)
        with reading(lists):
            self.inner.get_decoder()(
                input_ids=torch.cat([rows.flatten(), asked.flatten()])[None],
                position_ids=torch.cat([places.flatten(), behind.flatten()])[None],
                attention_mask=torch.ones(1, 1, 1, 1, dtype=torch.bool),  # `block_attention` has its own
                use_cache=False,
            )
        total = None
        for layer, shares in self._shares.items():
            got = lists.found[layer]
            spread = (got.var(2, correction=0, keepdim=True) + LEAST).sqrt()
            found = (shares[None, :, None] * (got - got.mean(2, keepdim=True)) / spread).sum(1)
            total = found if total is None else total + found
        return total

    def lists(self, queries: Sequence[str], texts: Sequence[str], wanted: NDArray[Any]) -> dict[str, Any]:
        """See `ListModel`."""
        passages = [self._ids(text)[: self.tokens] or self._ids(" ") for text in texts]
        asked = [[*self._between, *(self._ids(query)[:WORDS] or self._ids(" "))] for query in queries]
        ids, mask = _padded(passages)
        query_ids, query_mask = _padded(asked)
        return {
            "ids": ids.reshape((*wanted.shape, -1)),
            "mask": mask.reshape((*wanted.shape, -1)),
            "query_ids": query_ids,
            "query_mask": query_mask,
            "wanted": torch.from_numpy(wanted),
        }

    def save(self, folder: Path, _: bool) -> None:
        """Write the layers and the tokenizer, as transformers has them, and the weights of the heads."""
        self.inner.save_pretrained(str(folder), state_dict=merged_weights(self.inner))
        self.tokenizer.save_pretrained(str(folder))
        (folder / FILE).write_text(self.heads.to_json(), encoding="utf-8")

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])


def _count(model: Any) -> int:
    return sum(one.numel() for one in model.parameters())


def _padded(rows: Sequence[Sequence[int]]) -> tuple[Any, Any]:
    """``rows`` as int64 (rows, tokens), padded on the right, and which places are theirs."""
    ids = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = torch.tensor(row)
        mask[at, : len(row)] = 1
    return ids, mask
