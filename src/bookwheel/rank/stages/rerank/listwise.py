"""``bm25 >> listwise(20, model="http://localhost:8080/v1#MODEL")``."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...._errors import RecipeError
from ....hits import Hits
from ....language import language_model
from ...query import Query
from ...rerank.applying import reranked
from ...rerank.listwise import ListwiseReranker
from ...rewrite.applied import named_model
from ..base import Context, Rerank, bounded, whole

__all__ = ["Listwise"]


@dataclass(frozen=True, slots=True)
class Listwise(Rerank):
    """Has a language model write down the order of the candidates, a window at a time (``window=0``: all at once)."""

    name = "listwise"
    summary = "has a language model write down the order of the passages"
    source = "Sun et al., Is ChatGPT Good at Search?, EMNLP 2023 (RankGPT)"
    needs = ("a language model", "texts")
    cost = "one answer of the model a window; models under a few thousand million parameters do not manage it"

    candidates: int = 20
    model: str = "smollm2"
    window: int = 20
    step: int = 10
    weight: float = 1.0
    seconds: float = math.inf

    def __post_init__(self) -> None:
        named_model(self.model)
        whole("candidates", self.candidates, 1, 1000)
        whole("window", self.window, 0, 1000)
        if self.window == 1:
            raise RecipeError("a window of one passage orders nothing; give window=0 for all at once, or 2 and more")
        whole("step", self.step, 1, 999)
        bounded("weight", self.weight, 0, 1)
        bounded("seconds", self.seconds, 0.001, math.inf)

    def depth(self, want: int) -> int:
        """The candidates read, or what is wanted."""
        return max(self.candidates, want)

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        """The hits in the new order."""

        def make() -> ListwiseReranker:
            step = min(self.step, max(1, self.window - 1))
            return ListwiseReranker(language_model(self.model), window=self.window, step=step)

        return reranked(
            context, query, hits, make, name=self.name, candidates=self.candidates, weight=self.weight, seconds=self.seconds
        )
