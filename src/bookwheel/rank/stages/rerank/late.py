"""``bm25 >> late(100, by="colbert")``: reranking by late interaction over stored token vectors."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ....hits import Hits
from ...query import Query
from ..base import Rerank, stacked
from ..context import Context
from ..parameters import check_number, check_whole, token_representation
from ..reranking import Reranked, combine

__all__ = ["Late"]

BATCH = 32
"""Candidates scored between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class Late(Rerank):
    """Reranks by late interaction: the mean over the query's tokens of their best match among a
    passage's tokens.
    """

    name = "late"
    summary = "reranks by late interaction over stored token vectors"
    source = "Khattab and Zaharia, ColBERT, SIGIR 2020"
    needs = ("a representation with token vectors",)
    reads_tokens = True
    cost = "about 0.1 ms per candidate, and encoding the query"

    candidates: int = 100
    by: str = ""
    weight: float = 1.0
    seconds: float = math.inf

    def check_parameters(self) -> None:
        """Check all but the representation."""
        check_whole("candidates", self.candidates, 1, 10_000)
        check_number("weight", self.weight, 0, 1)
        check_number("seconds", self.seconds, 0.001, math.inf)

    def representations(self) -> tuple[str, ...]:
        """The token vectors, if they are named."""
        return (self.by,) if self.by else ()

    def validate(self, representations: Mapping[str, str]) -> None:
        """Raise `RecipeError` unless there is exactly one representation that it can mean."""
        token_representation(self.name, "by", self.by, representations)

    def depth(self, want: int) -> int:
        """The candidates that are scored, or ``want`` if that is more."""
        return max(self.candidates, want)

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        """The hits in the new order; those that there was no time for follow."""
        head = hits.top(self.candidates)
        if not len(head):
            return hits
        scorer = context.token_scorer(token_representation(self.name, "by", self.by, context.representations), query)
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
        best = combine(head, Reranked(scores, done), self.weight, self.name)
        return best if len(best) == len(hits) else stacked(best, hits)
