"""Static models in model2vec's layout: config.json, tokenizer.json, model.safetensors.

Source: model2vec (MinishLab), ``StaticModel``. The tensors are ``embeddings`` and, in newer models, ``weights`` and
``mapping``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..._errors import ModelError
from ..safetensors import Tensors
from ..transformer.layout import read_layout
from .lookup import LookupEncoder, read_tokenizer

__all__ = ["load", "recognises"]

TOKENS = 512
"""Tokens of a text that count, as in model2vec."""


def recognises(folder: Path) -> bool:
    """Whether ``folder`` has model2vec's files, and no transformer's."""
    if not ((folder / "model.safetensors").is_file() and (folder / "tokenizer.json").is_file()):
        return False
    config = read_layout(folder).config
    return "num_hidden_layers" not in config and "n_layers" not in config


def load(folder: Path) -> LookupEncoder:
    """The model in ``folder``; raises `ModelError`."""
    weights, words = folder / "model.safetensors", folder / "tokenizer.json"
    tensors = Tensors(weights)
    if "embeddings" not in tensors:
        raise ModelError(
            f"{weights} has no array 'embeddings' (it has {', '.join(sorted(tensors)[:5])}) and there is no config.json of a "
            "transformer beside it; get the model's files again"
        )
    tokenizer = read_tokenizer(words)
    return LookupEncoder(
        [weights, words],
        tokenizer,
        tensors.stored("embeddings"),
        name=folder.resolve().name,
        weights=tensors.stored("weights") if "weights" in tensors else None,
        rows=tensors.stored("mapping") if "mapping" in tensors else None,
        dropped=_unknown(json.loads(words.read_text(encoding="utf-8")), tokenizer),
        tokens=TOKENS,
    )


def _unknown(description: dict[str, Any], tokenizer: Any) -> int | None:
    """The unknown token, which model2vec leaves out (a unigram model names none)."""
    token = description["model"].get("unk_token")
    number: int | None = tokenizer.token_to_id(token) if token else None
    return number
