"""A cross-encoder as it is trained: transformers' model with one output, from pairs of texts to scores.

Needs the extra ``train``; it is imported when training begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from ..._errors import ModelError
from ...encode.transformer.layout import read_layout
from ..objectives.lists import READ
from ..trainable import TOKENS, Trainable

__all__ = ["CrossScorer"]

SEED = 0
"""Of a new head."""


class CrossScorer(Trainable):
    """The model in ``folder``, float32 on the CPU, which reads at most ``tokens`` of a pair while it is trained, without dropout.

    Of a cross-encoder with one output the head is kept; anything else gets a new one, whose first scores are nearly equal. Raises
    `ModelError` where transformers cannot load it.
    """

    def __init__(self, folder: Path, tokens: int) -> None:
        layout = read_layout(folder)
        transformers.utils.logging.disable_progress_bar()
        transformers.utils.logging.set_verbosity_error()
        try:
            with torch.random.fork_rng(devices=()):
                torch.manual_seed(SEED)
                inner: Any = transformers.AutoModelForSequenceClassification.from_pretrained(
                    str(layout.folder), num_labels=1, local_files_only=True, dtype=torch.float32
                )
            self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(str(layout.folder), local_files_only=True)
        except Exception as error:  # transformers raises a dozen kinds for a folder it cannot read
            problem = " ".join(str(error).split())[:200]
            raise ModelError(
                f"{folder} cannot be loaded as a cross-encoder by transformers ({problem}); take another model"
            ) from error
        super().__init__(inner)
        positions = getattr(inner.config, "max_position_embeddings", None) or tokens
        self.limit = min(layout.max_tokens or positions, positions)
        self.tokens = min(tokens, self.limit)

    def forward(self, batch: Mapping[str, Any]) -> Any:
        """Scores, float32 (pairs,), of the tokens of `ListLoss.prepare`."""
        return self.inner(**{name: batch[name] for name in TOKENS if name in batch}).logits[:, 0]

    def tokenise(self, queries: Sequence[str], texts: Sequence[str]) -> dict[str, Any]:
        """Tokens of pairs, int64 (pairs, tokens), padded on the right; of a pair that is too long the longer text gives way."""
        found = self._tokenizer(
            list(queries), list(texts), truncation="longest_first", max_length=self.tokens, padding=True, return_tensors="pt"
        )
        return {name: found[name] for name in TOKENS if name in found}

    def lists(self, queries: Sequence[str], texts: Sequence[str], wanted: NDArray[np.float32]) -> dict[str, Any]:
        """See `ListModel`."""
        each = wanted.shape[1]
        tokens = self.tokenise([query for query in queries for _ in range(each)], texts)
        columns = {name: tokens[known].reshape((*wanted.shape, -1)) for name, known in READ.items() if known in tokens}
        return columns | {"wanted": torch.from_numpy(wanted)}

    def save(self, folder: Path, whole: bool) -> None:
        """Write model and tokenizer, in the layout of transformers and of sentence-transformers' CrossEncoder.

        ``whole``: it reads as much of a pair as before; otherwise as much as it was trained on, and longer passages in windows.
        """
        self.inner.save_pretrained(str(folder))
        self._tokenizer.model_max_length = self.limit if whole else self.tokens
        self._tokenizer.save_pretrained(str(folder))
