"""``bm25 >> late(100, by="colbert")``."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ....hits import Hits
from ...query import Query
from ...rerank.base import Reranked, applied
from ..base import Context, Rerank, bounded, stacked, token_vectors_named, whole

__all__ = ["Late"]

BATCH = 32


@dataclass(frozen=True, slots=True)
class Late(Rerank):
    """Reranks by late interaction over stored token vectors: each token of the query takes its best match in a passage."""

    name = "late"
    summary = "reranks by late interaction over stored token vectors"
    source = "Khattab and Zaharia, ColBERT, SIGIR 2020"
    needs = ("a representation by token vectors",)
    cost = "about 0.1 ms a candidate, and encoding the query"

    candidates: int = 100
    by: str = ""
    weight: float = 1.0
    seconds: float = math.inf

    def __post_init__(self) -> None:
        whole("candidates", self.candidates, 1, 10_000)
        bounded("weight", self.weight, 0, 1)
        bounded("seconds", self.seconds, 0.001, math.inf)

    def representations(self) -> tuple[str, ...]:
        """The one by token vectors, where it is named."""
        return (self.by,) if self.by else ()

    def validate(self, representations: Mapping[str, str]) -> None:
        """Raise `RecipeError` without exactly one representation that it can mean."""
        token_vectors_named(self.name, "by", self.by, representations)

    def depth(self, want: int) -> int:
        """The candidates scored, or what is wanted."""
        return max(self.candidates, want)

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        """The hits in the new order; those that there was no time for follow."""
        head = hits.top(self.candidates)
        if not len(head):
            return hits
        scorer = context.token_scorer(token_vectors_named(self.name, "by", self.by, context.representations), query)
        until = time.monotonic() + min(self.seconds, context.remaining())
        scores = np.zeros(len(head), np.float32)
        done = np.zeros(len(head), np.bool_)
        pace = 0.0
        for at in range(0, len(head), BATCH):
            if until - time.monotonic() <= pace:
                context.note(f"late had time for {at} of {len(head)} candidates")
                break
            began = time.monotonic()
            part = slice(at, min(at + BATCH, len(head)))
            scores[part], done[part] = scorer.score(head.ids[part]), True
            pace = time.monotonic() - began
        best = applied(head, Reranked(scores, done), self.weight, self.name)
        return best if len(best) == len(hits) else stacked(best, hits)
