"""Static models in sentence-transformers' layout: a module StaticEmbedding, a tokenizer and the mean of its tokens' vectors.

Source: sentence-transformers, ``StaticEmbedding`` (``embedding.weight`` and tokenizer.json; no special tokens are added).
"""

from __future__ import annotations

from pathlib import Path

from ..._errors import ModelError
from ..safetensors import Tensors
from ..transformer.layout import Module, read_layout
from .lookup import LookupEncoder, read_tokenizer

__all__ = ["load", "read", "recognises"]


def _module(folder: Path) -> Module | None:
    return read_layout(folder).module("StaticEmbedding") if (folder / "modules.json").is_file() else None


def recognises(folder: Path) -> bool:
    """Whether the model in ``folder`` is a StaticEmbedding; model2vec's, which are one too, have settings of their own."""
    module = _module(folder)
    return module is not None and not (folder / "config.json").is_file()


def load(folder: Path) -> LookupEncoder:
    """The model in ``folder``; raises `ModelError`."""
    module = _module(folder)
    return read(folder if module is None else module.folder, folder.resolve().name)


def read(place: Path, name: str, *, mapped: bool = False) -> LookupEncoder:
    """The table and the tokenizer in ``place``, the folder of the step itself; raises `ModelError`.

    ``mapped``: float32 numbers stay in the file, of which a text reads the rows of its tokens.
    """
    weights, words = place / "model.safetensors", place / "tokenizer.json"
    tensors = Tensors(weights)
    array = next((n for n in ("embedding.weight", "embeddings") if n in tensors), None)
    if array is None:
        raise ModelError(f"{weights} has no array 'embedding.weight', it has {', '.join(sorted(tensors)[:5])}; get it again")
    return LookupEncoder(
        [weights, words], read_tokenizer(words), tensors[array] if mapped else tensors.stored(array), name=name
    )
