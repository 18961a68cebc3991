"""``bm25 >> cross(20, model="FOLDER")``."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...._errors import ModelError, RecipeError
from ....hits import Hits
from ...query import Query
from ...rerank.applying import reranked
from ...rerank.cross import AGGREGATIONS, CrossEncoder
from ..base import Context, Rerank, bounded, chosen, whole

__all__ = ["Cross"]


@dataclass(frozen=True, slots=True)
class Cross(Rerank):
    """Reranks by a cross-encoder in sentence-transformers' layout; ``long`` says what a passage of several windows scores."""

    name = "cross"
    summary = "reranks by a cross-encoder, which reads query and passage together"
    source = "Nogueira and Cho, Passage Re-ranking with BERT, 2019; Dai and Callan, SIGIR 2019, for long passages"
    needs = ("a cross-encoder", "texts")
    cost = "about 15 ms a passage of 128 tokens with a MiniLM in int8 on one core"

    candidates: int = 20
    model: str = ""
    long: str = "max"
    weight: float = 1.0
    seconds: float = math.inf

    def __post_init__(self) -> None:
        if not self.model:
            raise RecipeError('cross needs a model, as in cross(20, model="FOLDER"): none comes with bookwheel')
        whole("candidates", self.candidates, 1, 10_000)
        chosen("long", self.long, AGGREGATIONS)
        bounded("weight", self.weight, 0, 1)
        bounded("seconds", self.seconds, 0.001, math.inf)

    def depth(self, want: int) -> int:
        """The candidates read, or what is wanted."""
        return max(self.candidates, want)

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        """The hits in the new order."""

        def open_it() -> CrossEncoder:
            from ....encode.find import find_folder

            try:
                folder = find_folder(self.model)
            except ModelError as error:
                raise ModelError(f"cross cannot open its model: {error}") from error
            return CrossEncoder(folder, long=self.long)

        def make() -> CrossEncoder:
            return context.resource(("cross", self.model, self.long), open_it)

        return reranked(
            context, query, hits, make, name=self.name, candidates=self.candidates, weight=self.weight, seconds=self.seconds
        )
