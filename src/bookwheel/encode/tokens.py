"""Token vectors for late interaction, from a ColBERT-type model or the token states of any transformer encoder.

Sources: Khattab and Zaharia, "ColBERT: Efficient and Effective Passage Search via Contextualized Late Interaction over BERT" (2020);
v2: Santhanam et al. 2022; and its three layouts: Stanford's (``linear.weight`` beside the encoder's weights, artifact.metadata),
PyLate's (modules.json with a Dense step, markers in config_sentence_transformers.json) and sentence-transformers'
MultiVectorEncoder (MultiVectorMask, ``query_expansion``).
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError
from .options import Options
from .protocols import TokenVectors
from .safetensors import Tensors
from .transformer.layout import Layout, read_json, read_layout
from .transformer.open import open_model
from .transformer.pooling import Dense, project
from .transformer.runner import Tokens

__all__ = ["Interaction", "TransformerTokenEncoder", "interaction_of", "load"]

KNOWN = ("Transformer", "Dense", "MultiVectorMask", "Normalize", "Pooling")


@dataclass(frozen=True)
class Interaction:
    """How texts are prepared for a model; the markers are tokens inserted after the first one."""

    query_marker: str = ""
    passage_marker: str = ""
    query_length: int | None = None
    passage_length: int | None = None
    augmented: int = 0
    """The length in tokens to which queries are padded with mask tokens; 0 for none."""
    attend: bool = False
    """Whether the query's own tokens attend to the mask tokens."""
    skipped: tuple[str, ...] = ()
    """Tokens of passages without a vector."""
    linear: Dense | None = None


def interaction_of(layout: Layout) -> Interaction:
    """From the files of a model's folder; an encoder not made for late interaction has no markers."""
    architectures = layout.config.get("architectures") or ()
    overall: Mapping[str, Any] = {}
    path = layout.whole / "config_sentence_transformers.json"
    if path.is_file():
        overall = read_json(path)
    if "HF_ColBERT" in architectures:
        return _stanford(layout)
    if any(name in overall for name in ("query_prefix", "document_prefix", "do_query_expansion", "skiplist_words")):
        length = int(overall.get("query_length") or 32)
        skipped = overall.get("skiplist_words")
        return Interaction(
            query_marker=str(overall.get("query_prefix", "[Q] ") or ""),
            passage_marker=str(overall.get("document_prefix", "[D] ") or ""),
            query_length=length,
            passage_length=int(overall.get("document_length") or 180),
            augmented=length if overall.get("do_query_expansion", True) else 0,
            attend=bool(overall.get("attend_to_expansion_tokens")),
            skipped=tuple(string.punctuation if skipped is None else skipped),
        )
    mask = layout.module("MultiVectorMask")
    if mask is None:
        return Interaction()
    bert = (
        read_json(layout.folder / "sentence_bert_config.json")
        if (layout.folder / "sentence_bert_config.json").is_file()
        else {}
    )
    expansion = bert.get("query_expansion") or {}
    length = int(expansion.get("length") or bert.get("query_length") or 0)
    if expansion and expansion.get("strategy") != "fixed":
        raise ModelError(
            f"{layout.whole} expands queries by {expansion.get('strategy')!r}, bookwheel knows 'fixed'; take another model"
        )
    return Interaction(
        query_marker=layout.query_prefix,
        passage_marker=layout.passage_prefix,
        query_length=length or None,
        passage_length=bert.get("document_length"),
        augmented=length if expansion else 0,
        attend=bool(expansion.get("attend")),
        skipped=tuple(mask.config.get("skiplist_words") or ()),
    )


def _stanford(layout: Layout) -> Interaction:
    path = layout.folder / "artifact.metadata"
    about = read_json(path) if path.is_file() else {}
    length = int(about.get("query_maxlen") or 32)
    if layout.weights is None:
        raise ModelError(f"{layout.folder} has no model.safetensors, which a ColBERT model needs; get the model's files again")
    return Interaction(
        query_marker=str(about.get("query_token_id") or "[unused0]"),
        passage_marker=str(about.get("doc_token_id") or "[unused1]"),
        query_length=length,
        passage_length=int(about.get("doc_maxlen") or 220),
        augmented=length,
        attend=bool(about.get("attend_to_mask_tokens")),
        skipped=tuple(string.punctuation) if about.get("mask_punctuation", True) else (),
        linear=Dense.of(Tensors(layout.weights), int(layout.config.get("hidden_size", 0))),
    )


class TransformerTokenEncoder:
    """One unit vector a token. Raises `ModelError` where the files of the model are missing or do not fit together."""

    def __init__(self, layout: Layout, options: Options, name: str) -> None:
        other = [module.kind for module in layout.modules if module.kind not in KNOWN]
        if other or layout.query_modules is not None:
            step = other[0] if other else "Router"
            raise ModelError(f"{layout.whole} has a step {step!r}, bookwheel knows {', '.join(KNOWN)}; take another model")
        how = interaction_of(layout)
        self._model, weights = open_model(layout, "states", options, attended=bool(how.augmented and not how.attend))
        self.name = name
        self.interaction = how
        shape = self._model.session.outputs[self._model.output]
        width = int(shape[-1]) if isinstance(shape[-1], int) else int(layout.config.get("hidden_size", 0))
        self._dense = [how.linear] if how.linear else list(project(layout, width))
        full = len(self._dense[-1].weight) if self._dense else width
        self.dimension = min(options.dimension or full, full)
        self.max_tokens = min(self._model.max_tokens, how.passage_length or self._model.max_tokens)
        tokenizer = self._model.tokenizer
        # Queries and passages have different lengths, so they are cut in `_tokens`.
        tokenizer.no_truncation()
        self._markers = {"query": _marker(tokenizer, how.query_marker), "passage": _marker(tokenizer, how.passage_marker)}
        self._filler = _filler(tokenizer, layout) if how.augmented else 0
        known = {tokenizer.token_to_id(word) for word in how.skipped}
        unknown = tokenizer.token_to_id("[UNK]")
        self._skipped = np.array(sorted(n for n in known if n is not None and n != unknown), np.int64)
        dense = [d.weight.tobytes() for d in self._dense]
        told = (how.query_marker, how.passage_marker, how.augmented, how.attend, how.skipped, self.dimension, self.max_tokens)
        self.sha256 = hashlib.sha256(repr((weights, told, dense)).encode()).hexdigest()
        self.revision = f"{self.sha256[:12]}-{options.precision}"

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use while encoding."""
        return self._model.nbytes

    def encode(self, texts: Sequence[str]) -> TokenVectors:
        """The token vectors of passages, without those of skipped tokens."""
        return self._encode(texts, "passage", self.max_tokens)

    def encode_queries(self, texts: Sequence[str]) -> TokenVectors:
        """The token vectors of queries, padded with mask tokens if the model has query augmentation."""
        return self._encode(texts, "query", self.interaction.query_length or self._model.max_tokens)

    def _encode(self, texts: Sequence[str], side: str, longest: int) -> TokenVectors:
        vectors: list[NDArray[np.float32]] = []
        spans: list[NDArray[np.int32]] = []
        for at in range(0, len(texts), 512):
            tokens = self._tokens(texts[at : at + 512], side, longest)
            for row in self._model.each(tokens, lambda states, of: self._row(states, of, side)):
                assert row is not None  # only a time limit leaves rows out
                vectors.append(row[0])
                spans.append(row[1])
        indptr = np.zeros(len(texts) + 1, np.int64)
        np.cumsum([len(v) for v in vectors], out=indptr[1:])
        every = np.concatenate([np.empty((0, self.dimension), np.float32), *vectors])
        if not np.isfinite(every.sum(dtype=np.float64)):
            raise ModelError(f"{self.name} gave a vector that is not finite; try it at precision fp32, or take another model")
        return TokenVectors(indptr, every, np.concatenate([np.empty((0, 2), np.int32), *spans]))

    def _tokens(self, texts: Sequence[str], side: str, longest: int) -> list[Tokens]:
        """Tokens with the marker after the first one, cut to ``longest`` but for the last one, a special token."""
        marker = self._markers[side]
        prefix = getattr(self.interaction, f"{side}_marker") if marker is None else ""
        room = longest - (marker is not None)
        out = []
        for e in self._model.tokenizer.encode_batch([prefix + text for text in texts]):
            ids, spans = list(e.ids), [(max(0, a - len(prefix)), max(0, b - len(prefix))) for a, b in e.offsets]
            if len(ids) > room:
                closing = int(e.special_tokens_mask[-1])
                ids = ids[: room - closing] + ids[len(ids) - closing :]
                spans = spans[: room - closing] + spans[len(spans) - closing :]
            if marker is not None:
                ids, spans = [*ids[:1], marker, *ids[1:]], [*spans[:1], (0, 0), *spans[1:]]
            count = len(ids)
            fill = max(0, self.interaction.augmented - count) if side == "query" else 0
            ids += [self._filler] * fill
            spans += [(0, 0)] * fill
            out.append(Tokens(ids, [0] * len(ids), spans, None if self.interaction.attend else count))
        return out

    def _row(self, states: NDArray[np.float32], tokens: Tokens, side: str) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        spans = np.array(tokens.spans, np.int32).reshape(-1, 2)
        if side == "passage" and len(self._skipped):
            kept = ~np.isin(np.array(tokens.ids), self._skipped)
            states, spans = states[kept], spans[kept]
        for dense in self._dense:
            states = dense(states)
        states = states[:, : self.dimension]
        lengths = np.linalg.norm(states, axis=1, keepdims=True)
        return (states / np.where(lengths > 0, lengths, 1)).astype(np.float32), spans


def _marker(tokenizer: Any, text: str) -> int | None:
    """The token of a marker, with its blank (PyLate has "[Q] ") or without; None if it is plain text."""
    for name in (text, text.strip()):
        if name and (number := tokenizer.token_to_id(name)) is not None:
            return int(number)
    return None


def _filler(tokenizer: Any, layout: Layout) -> int:
    for name in ("[MASK]", "<mask>"):
        if (number := tokenizer.token_to_id(name)) is not None:
            return int(number)
    raise ModelError(f"the tokenizer of {layout.folder} has no mask token to fill queries up with; get the model's files again")


def load(folder: Path, options: Options, name: str) -> TransformerTokenEncoder:
    """The model in ``folder``; raises `ModelError`."""
    return TransformerTokenEncoder(read_layout(folder), options, name)
