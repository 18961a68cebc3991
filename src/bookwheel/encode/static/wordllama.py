"""Static models in WordLlama's layout: NAME_256.safetensors and NAME_tokenizer_config.json.

They lie side by side, or in ``weights/`` and ``tokenizers/`` as in the wordllama package. Source: wordllama (dleemiller),
``WordLlamaInference``: the plain mean of ``embedding.weight``. A text without tokens gives zeros here, not NaN.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..._errors import ModelError
from ..safetensors import Tensors
from .lookup import LookupEncoder, read_tokenizer

__all__ = ["load", "recognises"]


def _files(folder: Path, below: str, pattern: str) -> list[Path]:
    found = {*folder.glob(pattern), *(folder / below).glob(pattern)}
    return sorted(path for path in found if "_binary" not in path.name)


def recognises(folder: Path) -> bool:
    """Whether ``folder`` has WordLlama's files."""
    return bool(_files(folder, "weights", "*.safetensors") and _files(folder, "tokenizers", "*tokenizer_config.json"))


def load(folder: Path) -> LookupEncoder:
    """The model in ``folder``; raises `ModelError`."""
    weights = _files(folder, "weights", "*.safetensors")
    tokenizers = _files(folder, "tokenizers", "*tokenizer_config.json")
    if len(weights) > 1 or len(tokenizers) > 1:
        several = ", ".join(path.name for path in (weights if len(weights) > 1 else tokenizers))
        raise ModelError(f"{folder} holds several models ({several}); keep the files of one of them in a folder of its own")
    tensors = Tensors(weights[0])
    if "embedding.weight" not in tensors:
        raise ModelError(f"{weights[0]} has no array 'embedding.weight', it has {', '.join(sorted(tensors)[:5])}; get it again")
    vectors = tensors.stored("embedding.weight")
    tokenizer = read_tokenizer(tokenizers[0])
    # WordLlama gives tokens beyond the table the last vector.
    rows = np.minimum(np.arange(max(tokenizer.get_vocab_size(), len(vectors))), len(vectors) - 1)
    return LookupEncoder([weights[0], tokenizers[0]], tokenizer, vectors, name=weights[0].stem, rows=rows)
