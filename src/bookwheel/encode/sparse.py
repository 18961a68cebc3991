"""Learned sparse encoders: a text's terms are the vocabulary of a masked language model, weighted by its logits.

Sources: SPLADE (Formal et al. 2021, max pooling: 2022): weight of a term = max over tokens of log(1 + relu(logit)); inference-
free models, whose queries are tokenised and weighted by a table: Geng et al., "Towards Competitive Search Relevance For Inference-Free
Learned Sparse Retrievers" (2024), OpenSearch (`bookwheel train splade --table` trains them). They can re-rank, too, with no more of
the query than a table knows (``bm25 >> interpolate(NAME)``), as in Zhuang and Zuccon, "Fast Passage Re-ranking with Contextualized
Exact Term Matching and Efficient Passage Expansion" (2021); in part: expansion is the model's own. What such models are made of (a
document's weights, a query's, expansion of each) follows Nguyen, MacAvaney and Yates, "A Unified Framework for Learned Sparse
Retrieval" (2023); in part: encoders of masked language models, and tables for queries. Layouts read: a masked-LM folder
(naver), with ``idf.json`` beside it (OpenSearch), and sentence-transformers' SparseEncoder: modules.json with MLMTransformer
and SpladePooling, and a Router with SparseStaticEmbedding for queries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError
from .options import Options
from .protocols import SparseEncoder, SparseVectors
from .safetensors import Tensors
from .transformer.layout import Layout, Module, read_json, read_layout
from .transformer.open import digest, open_model
from .transformer.runner import Tokens

__all__ = ["MaskedTermEncoder", "load", "special_tokens", "stack", "top_terms"]

KNOWN = ("MLMTransformer", "Transformer", "SpladePooling")
ACTIVATIONS = ("relu", "log1p_relu")


class MaskedTermEncoder:
    """SPLADE-type terms of texts; queries by a table of token weights where the model has one.

    Raises `ModelError` where the files of the model are missing, damaged or do not fit together.
    """

    def __init__(self, layout: Layout, options: Options, name: str) -> None:
        other = [module.kind for module in layout.modules if module.kind not in KNOWN]
        if other:
            raise ModelError(
                f"{layout.whole} has a step {other[0]!r}, but bookwheel supports only {', '.join(KNOWN)}; use another model"
            )
        pooling = layout.module("SpladePooling")
        config = pooling.config if pooling else {}
        self._summed = config.get("pooling_strategy", "max") == "sum"
        activation = config.get("activation_function", "relu")
        if activation not in ACTIVATIONS or (self._summed and activation != "relu"):
            raise ModelError(
                f"{layout.whole} asks for {activation!r} with {config.get('pooling_strategy')!r} pooling, bookwheel cannot"
            )
        self._twice = activation == "log1p_relu"
        self._model, weights = open_model(layout, "summed_terms" if self._summed else "terms", options)
        self.name = name
        self.folder = layout.whole
        self.vocabulary = vocabulary(self._model.tokenizer)
        self.max_tokens = self._model.max_tokens
        self._table, source = self._query_table(layout, options)
        special = [token for token in special_tokens(self._model.tokenizer) if token < len(self.vocabulary)]
        # Inference-free models are trained without special tokens, which no query has.
        self._dropped = np.array(special if self._table is not None else [], np.int64)
        settings = (weights, self.max_tokens, self._summed, activation, source)
        self.sha256 = hashlib.sha256(repr(settings).encode()).hexdigest()
        self.revision = f"{self.sha256[:12]}-{options.precision}"

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use while encoding, most of it for the logits of every term at every token."""
        return self._model.nbytes + self._model.workers * self.max_tokens * len(self.vocabulary) * 4

    @property
    def inference_free(self) -> bool:
        """Whether queries are encoded by a table, without the model."""
        return self._table is not None

    def encode(self, texts: Sequence[str]) -> SparseVectors:
        """The terms of passages with a weight above zero."""
        rows: list[tuple[NDArray[np.int32], NDArray[np.float32]]] = []
        for _, done in self._model.batches(texts, self._terms):
            rows += done
        return stack(rows)

    def encode_queries(self, texts: Sequence[str]) -> SparseVectors:
        """The terms of queries: by the table if there is one, each token once; otherwise like passages."""
        if self._table is None:
            return self.encode(texts)
        rows = []
        for tokens in self.tokens(texts):
            terms = tokens[self._table[tokens] > 0]
            rows.append((terms, self._table[terms]))
        return stack(rows)

    def tokens(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """The numbers of the tokens of each text, each once, without special ones: int32, ascending."""
        found = self._model.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [np.unique(np.array(one.ids, np.int32)) for one in found]

    def _terms(self, logits: NDArray[np.float32], _: Tokens) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        if logits.ndim == 2:
            # Exports by other tools give the logits of every token.
            weights = np.log1p(np.maximum(logits, 0)).sum(0) if self._summed else np.log1p(np.maximum(logits.max(0), 0))
        else:
            weights = logits if self._summed else np.log1p(np.maximum(logits, 0))
        if self._twice:
            weights = np.log1p(weights)
        weights[self._dropped] = 0
        if not np.isfinite(weights).all():
            raise ModelError(f"{self.name} gave a weight that is not finite; try it at precision fp32, or take another model")
        terms = np.flatnonzero(weights > 0).astype(np.int32)
        return terms, weights[terms].astype(np.float32)

    def _query_table(self, layout: Layout, options: Options) -> tuple[NDArray[np.float32] | None, str | None]:
        """The weight of every token in a query, and what it came from."""
        path = Path(options.query_table).expanduser() if options.query_table else layout.whole / "idf.json"
        steps = layout.query_modules or ()
        static = next((module for module in steps if module.kind == "SparseStaticEmbedding"), None)
        if options.query_table or (static is None and path.is_file()):
            return read_table(path, self._model.tokenizer, len(self.vocabulary)), digest([path])
        if static is not None:
            return self._static_table(static, path)
        if layout.query_modules is not None and layout.query_modules != layout.modules:
            raise ModelError(
                f"{layout.whole} sends queries through {steps[0].kind!r}, which bookwheel does not know; take another model"
            )
        return None, None

    def _static_table(self, static: Module, beside: Path) -> tuple[NDArray[np.float32], str]:
        listed = static.config.get("path")
        if listed:
            path = static.folder / Path(str(listed)).name
            path = path if path.is_file() else beside
            return read_table(path, self._model.tokenizer, len(self.vocabulary)), digest([path])
        tensors = Tensors(static.folder / "model.safetensors")
        table = tensors["weight"].copy()
        if table.shape != (len(self.vocabulary),):
            raise ModelError(
                f"{tensors.path} does not fit the model: it has {table.shape[0]} weights for {len(self.vocabulary)} tokens; "
                "get the model's files again"
            )
        return table, digest([tensors.path])


def vocabulary(tokenizer: Any) -> list[str]:
    """The token of each number."""
    known: dict[str, int] = tokenizer.get_vocab(with_added_tokens=True)
    out = [f"[{number}]" for number in range(max(known.values(), default=-1) + 1)]
    for token, number in known.items():
        out[number] = token
    return out


def special_tokens(tokenizer: Any) -> list[int]:
    """The numbers of the tokens that stand for no text."""
    return [number for number, token in tokenizer.get_added_tokens_decoder().items() if token.special]


def read_table(path: Path, tokenizer: Any, size: int) -> NDArray[np.float32]:
    """A JSON object of tokens and weights, as float32 by token number; raises `ModelError`."""
    listed = read_json(path)
    if not isinstance(listed, dict) or not all(isinstance(w, int | float) for w in listed.values()):
        raise ModelError(f"{path} is no table of token weights; expected a JSON object of tokens and numbers")
    table = np.zeros(size, np.float32)
    known = 0
    for token, weight in listed.items():
        number = tokenizer.token_to_id(token)
        if number is not None:
            table[number] = weight
            known += 1
    if known < len(listed) / 2:
        raise ModelError(
            f"{path} does not fit the model: its tokenizer knows {known} of {len(listed)} tokens; take the table that came "
            "with it"
        )
    return table


def stack(rows: Sequence[tuple[NDArray[np.int32], NDArray[np.float32]]]) -> SparseVectors:
    """Rows of (terms, weights) as one `SparseVectors`."""
    indptr = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([len(terms) for terms, _ in rows], out=indptr[1:])
    terms = np.concatenate([np.empty(0, np.int32), *(terms for terms, _ in rows)]).astype(np.int32)
    weights = np.concatenate([np.empty(0, np.float32), *(weights for _, weights in rows)]).astype(np.float32)
    return SparseVectors(indptr, terms, weights)


def top_terms(encoder: SparseEncoder, text: str, count: int = 20, *, query: bool = False) -> list[tuple[str, float]]:
    """The ``count`` strongest terms of a text with their weights, strongest first: what an encoder makes of it."""
    terms, weights = (encoder.encode_queries if query else encoder.encode)([text]).row(0)
    order = np.argsort(-weights, kind="stable")[:count]
    return [(encoder.vocabulary[int(terms[n])], float(weights[n])) for n in order]


def load(folder: Path, options: Options, name: str) -> MaskedTermEncoder:
    """The model in ``folder``; raises `ModelError`."""
    return MaskedTermEncoder(read_layout(folder), options, name)
