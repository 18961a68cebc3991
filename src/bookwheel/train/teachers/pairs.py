"""Teachers that read a query together with each text: cross-encoders, and language models by how probable they find the query."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...encode.cross import CrossEncoder
from ...encode.transformer.layout import read_layout
from ...language import language_model
from ...rank.stages.rerank.likelihood import QueryLikelihood

__all__ = ["CrossTeacher", "LikelihoodTeacher"]


class CrossTeacher:
    """A cross-encoder. See `Teacher`."""

    quick = False
    cosines = False

    def __init__(self, folder: Path) -> None:
        self._encoder = CrossEncoder(folder)
        self.name = folder.resolve().name
        weights = read_layout(folder).weights or folder / "config.json"
        with weights.open("rb") as file:
            self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()

    def scores(self, queries: Sequence[str], texts: Sequence[str], which: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Teacher`."""
        return np.array(
            self._encoder.pair_scores([(queries[query], texts[text]) for query, text in which.tolist()]), np.float32
        )


class LikelihoodTeacher:
    """What each text gives a language model to expect the query by, above the lower quartile of the texts of that query.

    Sachan et al., Questions Are All You Need to Train a Dense Passage Retriever (TACL 2023, ART). See `Teacher`.
    """

    quick = False
    cosines = False

    def __init__(self, model: str) -> None:
        self._likelihood: Any = QueryLikelihood(language_model(model), combine="gain")
        self.name = f"the likelihood of {Path(model).stem}"
        self.sha256 = f"likelihood {Path(model).resolve() if Path(model).exists() else model}"

    def scores(self, queries: Sequence[str], texts: Sequence[str], which: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Teacher`."""
        out = np.zeros(len(which), np.float32)
        for query in np.unique(which[:, 0]).tolist():
            rows = np.flatnonzero(which[:, 0] == query)
            out[rows] = self._likelihood.rerank(queries[query], [texts[at] for at in which[rows, 1].tolist()]).scores
        return out
