"""Queries to imitate a teacher by, without end: titles, sentences and runs of words of a library's passages."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ...encode.protocols import DenseEncoder, encode_queries
from ...read.sentences import spans
from ...tune.made.wording import one_line
from ..data.passages import Passages
from ..encoder.model import SentenceEncoder

__all__ = ["QueryBatches", "drawn_query", "texts_of"]

TITLES, WHOLE = 0.15, 0.25
"""The shares of titles and of whole sentences; the others are runs of words."""
FEWEST, MOST = 2, 12
"""Words of a run."""
CHARACTERS = 2000
"""Of a passage, that queries are drawn from."""


def texts_of(passages: Passages) -> list[tuple[str, str]]:
    """Title and beginning of each passage."""
    return [(one_line(title), text[:CHARACTERS]) for _, title, text in passages.texts() if title or text]


def drawn_query(texts: Sequence[tuple[str, str]], draw: random.Random) -> str:
    """One query of one of ``texts``."""
    title, text = draw.choice(texts)
    if title and (draw.random() < TITLES or not text.strip()):
        return title
    sentence = one_line(text[slice(*draw.choice(list(spans(text)) or [(0, len(text))]))])
    words = sentence.split()
    if draw.random() < WHOLE or len(words) <= FEWEST:
        return sentence
    count = draw.randint(FEWEST, min(MOST, len(words)))
    start = draw.randint(0, len(words) - count)
    return " ".join(words[start : start + count])


class QueryBatches(Sequence[dict[str, Any]]):
    """New queries for each of ``steps``, with the teacher's vectors of them; what `QueryImitation` takes. Depends on ``seed`` alone."""

    def __init__(
        self,
        texts: Sequence[tuple[str, str]],
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
        found = {name: value[order] for name, value in tokens.items()}
        vectors = np.asarray(encode_queries(self.teacher, queries), np.float32)
        return found | {"targets": torch.from_numpy(vectors)[order][:, None]}

    def largest(self, dimension: int) -> dict[str, Any]:
        """A batch as large as any: what memory is planned for."""
        one = self.model.tokenise(["a " * self.model.tokens])
        return {name: value[:1].expand(self.batch, -1) for name, value in one.items()} | {
            "targets": torch.zeros(self.batch, 1, dimension)
        }
