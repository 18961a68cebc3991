"""A sentence encoder as it is trained: sentence-transformers' model, from texts to unit vectors.

Needs the extra ``train``; it is imported when training begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from sentence_transformers import SentenceTransformer

from ..._errors import ModelError
from ..trainable import TOKENS, Trainable

__all__ = ["SentenceEncoder"]


class SentenceEncoder(Trainable):
    """The model in ``folder``, float32 on the CPU, which reads at most ``tokens`` of a text while it is trained, without dropout.

    Raises `ModelError` where sentence-transformers cannot load it.
    """

    def __init__(self, folder: Path, tokens: int) -> None:
        transformers.utils.logging.disable_progress_bar()
        transformers.utils.logging.set_verbosity_error()
        try:
            with torch.random.fork_rng(devices=()):
                torch.manual_seed(0)  # weights that the folder lacks, such as a pooler's that nothing uses, are drawn
                inner: Any = SentenceTransformer(
                    str(folder), device="cpu", local_files_only=True, model_kwargs={"dtype": torch.float32}
                )
        except Exception as error:  # transformers raises a dozen kinds for a folder it cannot read
            problem = " ".join(str(error).split())[:200]
            raise ModelError(f"{folder} cannot be loaded by sentence-transformers ({problem}); take another model") from error
        super().__init__(inner)
        self.limit = self.inner.max_seq_length
        self.tokens = min(tokens, self.limit or tokens)

    def forward(self, batch: Mapping[str, Any]) -> Any:
        """Unit vectors, float32 (rows, dimension), of a batch of `tokenise`."""
        found = self.inner({name: batch[name] for name in TOKENS if name in batch})
        return torch.nn.functional.normalize(found["sentence_embedding"], dim=-1)

    def tokenise(self, texts: Sequence[str]) -> dict[str, Any]:
        """Tokens of ``texts``, int64 (rows, tokens), padded on the right."""
        self.inner.max_seq_length = self.tokens
        try:
            found = self.inner.preprocess(list(texts))
        finally:
            self.inner.max_seq_length = self.limit
        return {name: found[name] for name in TOKENS if name in found}

    def save(self, folder: Path) -> None:
        """Write the model, in sentence-transformers' layout."""
        training = self.training
        self.eval()
        self.inner.save_pretrained(str(folder), create_model_card=False)
        self.train(training)
