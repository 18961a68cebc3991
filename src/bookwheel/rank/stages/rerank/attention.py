"""``bm25 >> attention(20, model="smollm2", heads="best", weight=0.5)``."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ....hits import Hits
from ....language import language_model
from ...query import Query
from ...rerank.applying import reranked
from ...rerank.attention import LAYOUTS, AttentionReranker
from ...rerank.heads import best_heads, heads_named
from ...rewrite.applied import named_model
from ..base import Context, Rerank, bounded, chosen, whole

__all__ = ["Attention"]


@dataclass(frozen=True, slots=True)
class Attention(Rerank):
    """Reranks by what the query's words look at, in one pass of a language model over all candidates.

    ``heads``: ``best`` (measured for smollm2), ``all``, or some as ``layer.head`` with blanks between.
    """

    name = "attention"
    summary = "reranks by which passages the words of the query look at inside a language model"
    source = "Chen, Gutiérrez and Su, Attention in LLMs Yields Efficient Zero-Shot Re-Rankers, ICLR 2025; BlockRank, 2025"
    needs = ("a language model in this process", "texts")
    cost = "about 0.25 s a passage with smollm2 on one core, and 1 s; 1 s where the passages were read lately"

    candidates: int = 20
    model: str = "smollm2"
    heads: str = "best"
    weight: float = 0.5
    layout: str = "apart"
    seconds: float = math.inf

    def __post_init__(self) -> None:
        named_model(self.model)
        whole("candidates", self.candidates, 1, 1000)
        heads_named(self.heads)
        chosen("layout", self.layout, LAYOUTS)
        bounded("weight", self.weight, 0, 1)
        bounded("seconds", self.seconds, 0.001, math.inf)

    def depth(self, want: int) -> int:
        """The candidates read, or what is wanted."""
        return max(self.candidates, want)

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        """The hits in the new order."""

        def make() -> AttentionReranker:
            heads = best_heads(self.model) if self.heads == "best" else heads_named(self.heads)
            few = heads is not None
            # Chosen heads were measured to be no better for the second pass that calibration takes.
            return AttentionReranker(
                language_model(self.model), heads=heads, layout=self.layout, standardise=few, calibrate=not few
            )

        return reranked(
            context, query, hits, make, name=self.name, candidates=self.candidates, weight=self.weight, seconds=self.seconds
        )
