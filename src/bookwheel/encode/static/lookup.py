"""Static models of other tools: a table of token vectors and a tokenizer, pooled by a (weighted) mean."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import ModelError

__all__ = ["LookupEncoder", "read_tokenizer"]

BATCH = 256
"""Texts tokenised at a time."""


class LookupEncoder:
    """Mean of the token vectors of a text, scaled to unit length; zeros for a text without tokens.

    ``vectors`` (rows, dimension) of any real type; ``weights`` (tokens,) multiply a token's vector; ``rows``
    (tokens,) is the vector of each token, where several share one; ``dropped`` is a token that is left out (the
    unknown one); ``tokens`` is the most tokens of a text.
    """

    def __init__(
        self,
        files: Sequence[Path],
        tokenizer: Any,
        vectors: NDArray[Any],
        *,
        name: str,
        weights: NDArray[Any] | None = None,
        rows: NDArray[Any] | None = None,
        dropped: int | None = None,
        tokens: int | None = None,
    ) -> None:
        count = len(vectors) if rows is None else len(rows)
        problem = None
        if vectors.ndim != 2:
            problem = f"vectors of shape {vectors.shape}, two dimensions were expected"
        elif not np.isfinite(vectors if vectors.dtype.kind == "f" else 0).all():
            problem = "vectors that are not finite numbers"
        elif weights is not None and len(weights) != count:
            problem = f"{len(weights)} weights for {count} tokens"
        elif rows is not None and len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < len(vectors):
            problem = f"a mapping to vector {int(rows.max())} where there are {len(vectors)}"
        elif tokenizer.get_vocab_size() > count:
            problem = f"a tokenizer of {tokenizer.get_vocab_size()} tokens and vectors for {count}"
        if problem:
            raise ModelError(f"the model in {files[0].parent} does not fit together: it has {problem}; get its files again")
        self.name = name
        self.dimension = int(vectors.shape[1])
        digest = hashlib.sha256()
        for path in files:
            digest.update(path.read_bytes())
        self.sha256 = digest.hexdigest()
        self.revision = self.sha256[:12]
        self._vectors, self._weights, self._rows = vectors, weights, rows
        self._dropped = dropped
        self._tokenizer = tokenizer
        tokenizer.no_padding()
        if tokens is None:
            tokenizer.no_truncation()
        else:
            tokenizer.enable_truncation(tokens)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension) of ``texts``."""
        out = self.means(texts)
        for row in out:
            length = float(np.linalg.norm(row))
            if length > 0:
                row /= np.float32(length)
        return out

    def means(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The means themselves (n, dimension), not scaled."""
        out = np.zeros((len(texts), self.dimension), np.float32)
        for at in range(0, len(texts), BATCH):
            # Without the offsets of tokens, which take a third of the time of tokenising.
            found = self._tokenizer.encode_batch_fast(list(texts[at : at + BATCH]), add_special_tokens=False)
            for number, encoding in enumerate(found, at):
                out[number] = self._pooled(np.array(encoding.ids, np.int64))
        return out

    def _pooled(self, ids: NDArray[np.int64]) -> NDArray[np.float32] | float:
        if self._dropped is not None:
            ids = ids[ids != self._dropped]
        if not len(ids):
            return 0.0
        vectors = self._vectors[ids if self._rows is None else self._rows[ids]].astype(np.float32, copy=False)
        if self._weights is None:
            mean: NDArray[np.float32] = vectors.mean(0)
        else:
            mean = np.divide(self._weights[ids].astype(np.float32) @ vectors, np.float32(len(ids)), dtype=np.float32)
        return mean


def read_tokenizer(path: Path) -> Any:
    """The tokenizer of a ``tokenizer.json``; raises `ModelError`."""
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise ModelError(f"reading {path} needs another package; type: {EXTRA}") from error
    if not path.is_file():
        raise ModelError(f"{path} is missing; get the model's files again")
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare Exception for everything
        raise ModelError(f"{path} is not readable as a tokenizer ({error}); get it again") from error


EXTRA = "pip install 'bookwheel[models]'"
