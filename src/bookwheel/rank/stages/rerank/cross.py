"""``bm25 >> cross(20, model="FOLDER")``: reranking by a cross-encoder.

Sources: Nogueira and Cho, "Passage Re-ranking with BERT" (2019); of the ways to rank with BERT that
Qiao et al. compare, "Understanding the Behaviors of BERT in Ranking" (2019), this is the one that
reads query and passage together.

The best window of a long passage and the passage's own score (``long="max"``, ``weight`` below 1)
are what Yang, Zhang and Lin rank by, "Simple Applications of BERT for Ad Hoc Document Retrieval"
(2019). In part: they take the best few sentences.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...._errors import ModelError, RecipeError
from ....encode.cross import AGGREGATIONS, CrossEncoder
from ....encode.find import find_folder
from ....hits import Hits
from ...query import Query
from ..base import Rerank
from ..context import Context
from ..parameters import check_choice, check_number, check_whole
from ..reranking import Reranked, rerank_with

__all__ = ["Cross"]


@dataclass(frozen=True, slots=True)
class Cross(Rerank):
    """Reranks by a cross-encoder in sentence-transformers' layout.

    ``long``: the score of a passage that is longer than the model reads, from those of its windows.
    """

    name = "cross"
    summary = "reranks by a cross-encoder, which reads query and passage together"
    source = "Nogueira and Cho, Passage Re-ranking with BERT, 2019; Dai and Callan, SIGIR 2019, for long passages"
    needs = ("a cross-encoder", "texts")
    model_kind = "cross"
    cost = "about 15 ms per passage of 128 tokens with a MiniLM in int8 on one core"

    candidates: int = 20
    model: str = ""
    long: str = "max"
    weight: float = 1.0
    seconds: float = math.inf

    def check_parameters(self) -> None:
        """Check all of them."""
        if not self.model:
            raise RecipeError('cross needs a model, as in cross(20, model="FOLDER"): none comes with bookwheel')
        check_whole("candidates", self.candidates, 1, 10_000)
        check_choice("long", self.long, AGGREGATIONS)
        check_number("weight", self.weight, 0, 1)
        check_number("seconds", self.seconds, 0.001, math.inf)

    def depth(self, want: int) -> int:
        """The candidates that are read, or ``want`` if that is more."""
        return max(self.candidates, want)

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        """The hits in the new order."""

        def load() -> CrossEncoder:
            try:
                folder = find_folder(self.model)
            except ModelError as error:
                raise ModelError(f"cross cannot load its model: {error}") from error
            return CrossEncoder(folder, long=self.long)

        def make() -> _CrossReranker:
            return _CrossReranker(context.resource(("cross", self.model, self.long), load))

        return rerank_with(
            context, query, hits, make, name=self.name, candidates=self.candidates, weight=self.weight, seconds=self.seconds
        )


@dataclass(frozen=True, slots=True)
class _CrossReranker:
    encoder: CrossEncoder

    def rerank(self, query: str, texts: Sequence[str], *, deadline: float | None = None) -> Reranked:
        """The cross-encoder's scores."""
        return Reranked.of(self.encoder.score(query, texts, deadline=deadline))
