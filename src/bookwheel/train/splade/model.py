"""A SPLADE model as it is trained: sentence-transformers' SparseEncoder, from queries and passages to scores.

Needs the extra ``train``; it is imported when training begins.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from sentence_transformers import SparseEncoder
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sparse_encoder.modules import SpladePooling

from ..._errors import ModelError
from ...encode.sparse import special_tokens
from ...encode.transformer.layout import read_layout
from ..objectives.lists import READ
from ..trainable import TOKENS, Trainable
from .pooling import term_weights

__all__ = ["SpladeScorer"]


def _same(states: Any) -> Any:
    return states


class SpladeScorer(Trainable):
    """The masked language model in ``folder``, float32 on the CPU, which reads at most ``tokens`` of a text while it is trained.

    Raises `ModelError` where it cannot be loaded.
    """

    def __init__(self, folder: Path, tokens: int) -> None:
        layout = read_layout(folder)
        transformers.utils.logging.disable_progress_bar()
        transformers.utils.logging.set_verbosity_error()
        try:
            body: Any = Transformer(
                str(layout.folder), transformer_task="fill-mask", model_kwargs={"dtype": torch.float32, "local_files_only": True},
                processor_kwargs={"local_files_only": True}, config_kwargs={"local_files_only": True},
                max_seq_length=layout.max_tokens,
            )  # fmt: skip
            inner: Any = SparseEncoder(modules=[body, SpladePooling(pooling_strategy="max")], device="cpu")
            tokenizer: Any = inner.tokenizer
            masked = body.model if hasattr(body, "model") else body.auto_model
            head = masked.get_output_embeddings()
        except Exception as error:  # transformers raises a dozen kinds for a folder it cannot read
            problem = " ".join(str(error).split())[:200]
            raise ModelError(
                f"{folder} cannot be loaded as a masked language model by sentence-transformers ({problem}); take another model"
            ) from error
        super().__init__(inner)
        self.tokenizer = tokenizer
        limit = layout.max_tokens or getattr(masked.config, "max_position_embeddings", None) or tokens
        self.tokens = min(tokens, int(limit))
        self.size = int(head.weight.shape[0])
        self.register_buffer("price", torch.ones(self.size))
        self.register_buffer("table", torch.empty(0))
        self.register_buffer("kept", torch.ones(self.size))
        self.scale, self.strength = 1.0, 1.0
        self.flops: tuple[Any, Any] = (torch.zeros(()), torch.zeros(()))

    def weigh(self, rarity: NDArray[np.float32] | None, table: NDArray[np.float32] | None) -> None:
        """``rarity``, float32 (terms,), above 0: by which the mean weight of a term is divided for its price; None for all alike.
        ``table``, float32 (terms,): weights of a query's tokens, which no model reads then; None where the model does.
        """
        if rarity is not None:
            self.price = torch.from_numpy(1 / rarity)
        if table is not None:
            self.table = torch.from_numpy(table)
            special = [one for one in special_tokens(self.tokenizer.backend_tokenizer) if one < self.size]
            self.kept[special] = 0.0  # no query has them

    def terms(self, batch: Mapping[str, Any]) -> Any:
        """Weights of all terms, float32 (rows, terms)."""
        masked = self._model()
        head = masked.get_output_embeddings()
        head.forward = _same  # what the head would read, whatever comes before it in the architecture
        try:
            states = masked(**{name: batch[name] for name in TOKENS if name in batch}).logits
        finally:
            del head.forward
        bias = torch.zeros(len(head.weight)) if head.bias is None else head.bias
        return term_weights(states, batch["attention_mask"], head.weight, bias) * self.kept

    def _model(self) -> Any:
        for module in self.inner.modules():
            if hasattr(module, "get_output_embeddings") and module.get_output_embeddings() is not None:
                return module
        raise AssertionError("a masked language model has output embeddings")

    def forward(self, batch: Mapping[str, Any]) -> Any:
        """Scores, float32 (pairs,), of the tokens of `ListLoss.prepare`: products of weights, times ``scale``."""
        passages = self.terms(batch)
        asked = self.asked(batch["query_ids"], batch["query_mask"])
        self.flops = (self._cost(passages), self._cost(asked) if not len(self.table) else torch.zeros(()))
        return self.scale * torch.einsum("qt,qpt->qp", asked, passages.view(len(asked), -1, passages.shape[1])).flatten()

    def asked(self, ids: Any, mask: Any) -> Any:
        """Weights of all terms of queries, float32 (queries, terms): by the model, or of their own tokens by the table."""
        if not len(self.table):
            return self.terms({"input_ids": ids, "attention_mask": mask})
        present = torch.zeros(len(ids), len(self.table)).scatter(1, ids, mask.to(torch.float32))
        return present * self.table * self.kept

    def _cost(self, weights: Any) -> Any:
        return ((weights.mean(0) * self.price) ** 2).sum()

    def tokenise(self, texts: Sequence[str]) -> dict[str, Any]:
        """Tokens of ``texts``, int64 (rows, tokens), padded on the right."""
        found = self.tokenizer(list(texts), truncation=True, max_length=self.tokens, padding=True, return_tensors="pt")
        return {name: found[name] for name in TOKENS if name in found}

    def lists(self, queries: Sequence[str], texts: Sequence[str], wanted: NDArray[np.float32]) -> dict[str, Any]:
        """See `ListModel`."""
        asked, told = self.tokenise(queries), self.tokenise(texts)
        return {
            **{name: told[known].view(*wanted.shape, -1) for name, known in READ.items() if known in told},
            "query_ids": asked["input_ids"],
            "query_mask": asked["attention_mask"],
            "wanted": torch.from_numpy(wanted),
        }

    def save(self, folder: Path, whole: bool) -> None:
        """Write the model, in sentence-transformers' layout; with a table, the layout of inference-free models: ``idf.json`` beside it."""
        self.eval()
        if not len(self.table):
            self.inner.save_pretrained(str(folder), create_model_card=False)
        else:
            self._model().save_pretrained(str(folder))
            self.tokenizer.save_pretrained(str(folder))
            names = self.tokenizer.convert_ids_to_tokens(range(len(self.table)))
            weights = {name: round(float(one), 4) for name, one in zip(names, self.table.tolist(), strict=True) if one > 5e-5}
            (folder / "idf.json").write_text(json.dumps(weights, ensure_ascii=False, indent=0), encoding="utf-8")
        self.train()
