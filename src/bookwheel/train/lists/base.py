"""What a model over lists is trained from: one of its own kind, or an encoder of single texts that gets a new head."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..._errors import UsageError
from ...encode.catalogue import kind_of_folder
from ...encode.dense import TransformerEncoder
from ...encode.find import find_folder
from ...encode.load import load_encoder
from ...encode.protocols import DenseEncoder
from ...encode.transformer.architectures import architecture
from ...encode.transformer.causal import CAUSAL
from ...encode.transformer.layout import read_layout

__all__ = ["Base"]

WHAT = {"cross-encoder": "score pairs", "tokens": "give token vectors", "sparse": "give weights of terms"}
FROM = {
    "cross-encoder": "encoder or cross-encoder with model.safetensors, or of a Llama-like language model",
    "tokens": "encoder or late-interaction model with model.safetensors",
    "sparse": "masked language model with its head and model.safetensors, such as a SPLADE model",
}


@dataclass(frozen=True)
class Base:
    """A model's folder. ``trained``: whether it is of the kind that is trained, and its head is kept."""

    folder: Path
    name: str
    sha256: str
    trained: bool
    causal: bool = False
    """Whether it is a causal language model."""

    @classmethod
    def of(cls, named: str | Path, kind: str) -> Base:
        """The model ``named``, a folder or a package, to train one of ``kind``: ``cross-encoder``, ``tokens`` or ``sparse``.

        Raises `UsageError` where nothing of that kind can be trained from it, `ModelError`.
        """
        folder = find_folder(str(named))
        layout = read_layout(folder)
        instead = f"take the folder of a BERT-like {FROM[kind]}"
        if layout.weights is None or not layout.config or not (layout.folder / "tokenizer.json").is_file():
            raise UsageError(f"{named} has no transformer's weights, config.json and tokenizer.json; {instead}")
        kind_of_model = layout.config.get("model_type")
        causal = kind == "cross-encoder" and kind_of_model in CAUSAL
        if not causal and architecture(layout.config, layout.folder / "config.json") is None:
            raise UsageError(f"{named} is of type {kind_of_model!r}, which cannot {WHAT[kind]}; {instead}")
        if layout.query_modules is not None:
            raise UsageError(f"{named} encodes queries by other layers than passages; take the model that those were cut from")
        found = kind_of_folder(folder)
        labels = len(layout.config.get("id2label") or {0: ""})
        if kind == found == "cross-encoder" and labels != 1:
            raise UsageError(f"{named} has {labels} outputs, and a reranker has one; {instead}")
        if found != kind and (found != "dense" or kind == "sparse"):
            raise UsageError(f"{named} is a model of kind {found}, from which none of kind {kind} is trained; {instead}")
        with layout.weights.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(folder, folder.resolve().name, digest, kind == found, causal)

    def encoder(self) -> DenseEncoder | None:
        """The base as an encoder of single texts, where it is one."""
        if self.trained or self.causal:
            return None
        found: Any = load_encoder(str(self.folder))
        return found if isinstance(found, TransformerEncoder) and found.queries is None else None
