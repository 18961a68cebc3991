"""What an encoder is, and how one is found by its name."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError

__all__ = ["BUILT_IN", "DEFAULT", "DenseEncoder", "load_encoder"]

DEFAULT = "static"
"""The encoder of a library that names none."""
BUILT_IN = {"static": Path(__file__).parent / "models" / "static"}
"""Models that come with carrel, by name."""
LAYOUTS = ("static", "model2vec", "wordllama")
"""Modules of this package that read a model's folder: each has ``recognises(folder)`` and ``load(folder)``; the first wins."""


@runtime_checkable
class DenseEncoder(Protocol):
    """Turns texts into unit vectors.

    An encoder may also have ``encode_words(indptr, ids, table)``, which gives the same vectors from the words of a
    `carrel.documents.words.WordTable`; without it callers use `encode`.
    """

    name: str
    """What a person calls it."""
    revision: str
    """Changes whenever its vectors do."""
    dimension: int
    sha256: str
    """Of the weights and the vocabulary: vectors of encoders that differ in it must not be mixed."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension); zeros for a text in which it knows nothing."""


def load_encoder(name: str | Path | None = None) -> DenseEncoder:
    """The encoder of that name: None or ``"static"`` is the built-in model, anything else a model's folder.

    Raises `ModelError` where there is no such model, or its files are missing, truncated or do not fit together.
    """
    folder = BUILT_IN.get(str(name or DEFAULT)) or Path(name or DEFAULT).expanduser()
    if not folder.is_dir():
        raise ModelError(
            f"there is no encoder {str(name)!r}: give one of {', '.join(sorted(BUILT_IN))}, or the folder of a static model "
            "(carrel's own, model2vec or wordllama layout)"
        )
    for layout in LAYOUTS:
        module: Any = import_module(f".{layout}", __package__)
        if module.recognises(folder):
            encoder: DenseEncoder = module.load(folder)
            return encoder
    raise ModelError(
        f"{folder} holds no static model: expected config.json with vectors.npy (carrel), tokenizer.json with "
        "model.safetensors (model2vec) or a .safetensors file with a *tokenizer_config.json (wordllama)"
    )
