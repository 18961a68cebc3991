"""A late-interaction model as it is searched with, over texts that no index holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...encode.tokens import TransformerTokenEncoder

__all__ = ["LateScorer"]

REMEMBERED = 2_000
"""Passages whose token vectors are kept for the queries that follow: 100 MB of 100 tokens in 128 dimensions."""


class LateScorer:
    """The mean over the query's tokens of their best match among a text's tokens, as the stage `late` has it, uncompressed."""

    def __init__(self, encoder: TransformerTokenEncoder) -> None:
        self.encoder = encoder
        self._kept: dict[str, NDArray[np.float32]] = {}

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Of each text, float32 (texts,)."""
        new = list(dict.fromkeys(text for text in texts if text not in self._kept))
        if new:
            if len(self._kept) + len(new) > REMEMBERED:
                self._kept.clear()
                new = list(dict.fromkeys(texts))
            found = self.encoder.encode(new)
            ends = found.indptr.tolist()
            for text, first, end in zip(new, ends, ends[1:], strict=False):
                self._kept[text] = found.vectors[first:end]
        asked = self.encoder.encode_queries([query]).vectors
        scores = [float((self._kept[text] @ asked.T).max(0).mean()) if len(self._kept[text]) else 0.0 for text in texts]
        return np.array(scores, np.float32)
