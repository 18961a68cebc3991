"""Dense encoders: transformer models in sentence-transformers' layout, run by onnxruntime.

Query and passage are encoded apart, and compared by the product of their vectors. Where these are means of token states:
Zhan et al., "RepBERT: Contextualized Text Embeddings for First-Stage Retrieval" (2020). One small model for both sides, Electra's
among them: Kocián et al., "Siamese BERT-based Model for Web Search Relevance Ranking Evaluated on a New Czech Dataset" (2022).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError, UsageError
from .options import Options
from .protocols import check_vectors
from .static.query_table import QueryTable
from .transformer.layout import TABLE, Layout, read_layout
from .transformer.open import open_model
from .transformer.pooling import pool, pooling_of, project
from .transformer.runner import Tokens

__all__ = ["TransformerEncoder", "load", "recognises"]

KNOWN = ("Transformer", "Pooling", "Dense", "Normalize")


class TransformerEncoder:
    """Unit vectors of texts. ``name`` is what errors and the library call it; for the rest see `bookwheel.encode.options.Options`.

    ``passages_sha256`` is the hash of what makes those of passages: where queries alone are encoded otherwise, stored vectors stay.
    Raises `ModelError` where the files of the model are missing, damaged or do not fit together.
    """

    def __init__(self, layout: Layout, options: Options, name: str) -> None:
        other = [module.kind for module in layout.modules if module.kind not in KNOWN]
        if layout.query_modules not in (None, layout.modules) and layout.query_layout is None:
            other.append("Router")
        if other:
            raise ModelError(
                f"{layout.whole} has a step {other[0]!r}, but bookwheel supports only {', '.join(KNOWN)}; use another model"
            )
        self._model, weights = open_model(layout, "states", options)
        self.name = name
        self.pooling = options.pooling or pooling_of(layout)
        shape = self._model.session.outputs[self._model.output]
        width = int(shape[-1]) if isinstance(shape[-1], int) else int(layout.config.get("hidden_size", 0))
        self._dense = project(layout, width)
        self.width = len(self._dense[-1].weight) if self._dense else width
        """Of its vectors, before they are cut to ``dimension``."""
        self.dimension = options.dimension or self.width
        if self.dimension > self.width:
            raise UsageError(
                f"{name} has vectors of {self.width} dimensions, not {options.dimension}; leave out dimension=, or reduce it"
            )
        # Vectors here have unit length: without a Normalize step the direction, which alone is compared, is the same.
        self.query_prefix = layout.query_prefix if options.query_prefix is None else options.query_prefix
        self.passage_prefix = layout.passage_prefix if options.passage_prefix is None else options.passage_prefix
        self.max_tokens = self._model.max_tokens
        self.lower = layout.lower
        settings = (self.pooling, self.dimension, self.max_tokens, self.query_prefix, self.passage_prefix, self.lower)
        dense = [(d.weight.tobytes(), None if d.bias is None else d.bias.tobytes()) for d in self._dense]
        self.sha256 = hashlib.sha256(repr((weights, settings, dense)).encode()).hexdigest()
        self.passages_sha256 = self.sha256
        self.queries: TransformerEncoder | QueryTable | None = None
        """The encoder of queries, where a Router sends them elsewhere."""
        if (asked := layout.query_layout) is not None:
            self.queries = (TransformerEncoder if asked.module(TABLE) is None else QueryTable)(asked, options, name)
        if self.queries is not None:
            if self.queries.dimension != self.dimension:
                raise ModelError(
                    f"{layout.whole} encodes passages in {self.dimension} dimensions and queries in {self.queries.dimension}, "
                    "which cannot be compared; take another model"
                )
            self.sha256 = hashlib.sha256(f"{self.sha256} {self.queries.sha256}".encode()).hexdigest()
        self.revision = f"{self.sha256[:12]}-{options.precision}"

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use while encoding."""
        return self._model.nbytes + (0 if self.queries is None else self.queries.nbytes)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension) of passages. Raises `ModelError` for vectors that are not finite."""
        return self._encode(texts, self.passage_prefix)

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension) of queries."""
        return self._encode(texts, self.query_prefix) if self.queries is None else self.queries.encode_queries(texts)

    def _encode(self, texts: Sequence[str], prefix: str) -> NDArray[np.float32]:
        if prefix:
            texts = [prefix + text for text in texts]
        if self.lower:
            texts = [text.lower() for text in texts]
        out = np.empty((len(texts), self.dimension), np.float32)
        for at, rows in self._model.batches(texts, self._pooled):
            out[at : at + len(rows)] = self._finished(rows)
        return check_vectors(out, self.name, len(texts), self.dimension)

    def encode_tokens(self, texts: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension) of texts given as numbers of tokens, with the markers that the model wants around them."""
        rows = self._model.each([Tokens(ids, [0] * len(ids)) for ids in texts], self._pooled)
        found = self._finished([row for row in rows if row is not None])
        return check_vectors(found, self.name, len(texts), self.dimension)

    @property
    def tokenizer(self) -> Any:
        """The tokenizer of passages, and of queries where these have none of their own."""
        return self._model.tokenizer

    def _finished(self, rows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        vectors = np.stack(rows)
        for dense in self._dense:
            vectors = dense(vectors)
        vectors = vectors[:, : self.dimension]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)

    def _pooled(self, states: NDArray[np.float32], tokens: Tokens) -> NDArray[np.float32]:
        return pool(states, self.pooling)


def recognises(folder: Path) -> bool:
    """Whether ``folder`` holds a transformer model: weights or an ONNX file, and a tokenizer or modules.json beside it."""
    layout = read_layout(folder)
    if layout.modules:
        return layout.module("StaticEmbedding") is None
    return bool(layout.onnx) or ("num_hidden_layers" in layout.config or "n_layers" in layout.config)


def load(folder: Path, options: Options, name: str) -> TransformerEncoder:
    """The model in ``folder``; raises `ModelError`."""
    return TransformerEncoder(read_layout(folder), options, name)
