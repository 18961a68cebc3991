"""What models that score pairs of texts have in common while they are trained: transformers' model with one output, and its tokenizer.

Needs the extra ``train``; it is imported when training begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from ..objectives.lists import READ
from ..trainable import TOKENS, Trainable

__all__ = ["PairModel"]


class PairModel(Trainable):
    """``inner`` has one output a pair; ``limit``: the most tokens of a pair that it can read; ``tokens``: that it reads in training."""

    def __init__(self, inner: Any, tokenizer: Any, limit: int, tokens: int) -> None:
        super().__init__(inner)
        self._tokenizer = tokenizer
        self.limit = limit
        self.tokens = min(tokens, limit)

    def forward(self, batch: Mapping[str, Any]) -> Any:
        """Scores, float32 (pairs,), of the tokens of `ListLoss.prepare`."""
        return self.inner(**{name: batch[name] for name in TOKENS if name in batch}).logits[:, 0]

    def tokenise(self, queries: Sequence[str], texts: Sequence[str]) -> dict[str, Any]:
        """Tokens of pairs, int64 (pairs, tokens), padded on the right; of a pair that is too long the longer text gives way."""
        found = self._tokenizer(
            list(queries), list(texts), truncation="longest_first", max_length=self.tokens, padding=True, return_tensors="pt"
        )
        return {name: found[name] for name in TOKENS if name in found}

    def lists(self, queries: Sequence[str], texts: Sequence[str], wanted: NDArray[Any]) -> dict[str, Any]:
        """See `ListModel`."""
        each = wanted.shape[1]
        tokens = self.tokenise([query for query in queries for _ in range(each)], texts)
        columns = {name: tokens[known].reshape((*wanted.shape, -1)) for name, known in READ.items() if known in tokens}
        return columns | {"wanted": torch.from_numpy(wanted)}

    def save(self, folder: Path, whole: bool) -> None:
        """Write model and tokenizer, in the layout of transformers and of sentence-transformers' CrossEncoder.

        ``whole``: it reads as much of a pair as before; otherwise as much as it was trained on, and longer passages in windows.
        """
        self.inner.save_pretrained(str(folder), state_dict=self.weights())
        self._tokenizer.model_max_length = self.limit if whole else self.tokens
        self._tokenizer.save_pretrained(str(folder))

    def weights(self) -> dict[str, Any] | None:
        """Of the model as it is written; None for those that it has."""
        return None
