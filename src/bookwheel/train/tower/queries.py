"""Batches of drawn queries with a teacher's vectors of them, without end."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ...encode.protocols import DenseEncoder, encode_queries
from ..encoder.model import SentenceEncoder
from .drawn import Text, drawn_query

__all__ = ["QueryBatches"]


class QueryBatches(Sequence[dict[str, Any]]):
    """New queries for each of ``steps``, with the teacher's vectors of them; what `QueryImitation` takes. Depends on ``seed`` alone."""

    def __init__(
        self,
        texts: Sequence[Text],
        teacher: DenseEncoder,
        model: SentenceEncoder,
        prefix: str,
        batch: int,
        steps: int,
        seed: int,
    ) -> None:
        self.texts, self.teacher, self.model, self.prefix = texts, teacher, model, prefix
        self.batch, self.steps, self.seed = batch, steps, seed

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: Any) -> Any:
        """Rows by length, so that parts of a batch have little padding."""
        draw = random.Random(f"queries {self.seed} {step % self.steps}")
        queries = [drawn_query(self.texts, draw) for _ in range(self.batch)]
        tokens = self.model.tokenise([self.prefix + query for query in queries])
        order = torch.argsort(tokens["attention_mask"].sum(1), stable=True)
        vectors = np.asarray(encode_queries(self.teacher, queries), np.float32)
        columns = {"targets": torch.from_numpy(vectors)[:, None], **self.more(queries)}
        return {name: value[order] for name, value in {**tokens, **columns}.items()}

    def more(self, queries: Sequence[str]) -> dict[str, Any]:
        """Further columns of a batch."""
        return {}

    def largest(self, dimension: int) -> dict[str, Any]:
        """A batch as large as any: what memory is planned for."""
        one = self.model.tokenise(["a " * self.model.tokens])
        return {name: value[:1].expand(self.batch, -1) for name, value in one.items()} | {
            "targets": torch.zeros(self.batch, 1, dimension)
        }
