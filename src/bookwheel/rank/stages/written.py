"""The two kinds of stages that let a language model write: words to add to the query, and queries to search beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...hits import Hits
from ...language.ask import Asker
from ..query import Query
from ..recipe import Recipe
from .asking import add_texts, asker_of, search_queries
from .base import Feedback, Run, Search
from .context import Context
from .parameters import check_model, check_number, check_whole

__all__ = ["WrittenExpansion", "WrittenQueries"]


@dataclass(frozen=True, slots=True)
class WrittenExpansion(Feedback):
    """Adds to the query, with ``weight``, what a language model writes after reading the first ``docs`` passages."""

    needs = ("a language model", "texts")
    cost = "one answer of the model, about 5 s with smollm2; cached"

    model: str = "smollm2"
    docs: int = 3
    weight: float = 0.3
    seconds: float = 20.0

    def check_parameters(self) -> None:
        """Check all of them."""
        check_model(self.model)
        check_whole("docs", self.docs, 1, 50)
        check_number("weight", self.weight, 0, 1)
        check_number("seconds", self.seconds, 0.001, 3600)

    def depth(self) -> int:
        """The number of passages that the model reads."""
        return self.docs

    def write(self, asker: Asker, query: str, passages: Sequence[str]) -> list[str]:
        """The texts to add; at least one. Raises `ModelError`."""
        raise NotImplementedError

    def feed(self, context: Context, query: Query, hits: Hits) -> Query:
        """The query with the terms and vectors of what was written added; its text stays, for rerankers."""
        passages = context.texts(hits.ids[: self.docs])
        texts = self.write(asker_of(context, self.model, 1, self.seconds), query.text, passages)
        context.note(f"{self.name} added: {' '.join(texts[0].split())[:200]}")
        return add_texts(context, query, texts, self.weight)


@dataclass(frozen=True, slots=True)
class WrittenQueries(Search):
    """Searches the query and others that a language model writes, and fuses; the query's own ranking gets ``own``."""

    needs = ("a language model",)
    floor = 0.0

    recipe: Recipe
    count: int = 3
    model: str = "smollm2"
    own: float = 0.5
    seconds: float = 20.0

    def check_parameters(self) -> None:
        """Check all but the recipe."""
        check_model(self.model)
        check_whole("count", self.count, 1, 16)
        check_number("own", self.own, 0, 1)
        check_number("seconds", self.seconds, 0.001, 3600)

    def write(self, asker: Asker, query: str) -> list[str]:
        """The other queries, ``count`` at most. Raises `ModelError`."""
        raise NotImplementedError

    def search(self, context: Context, query: Query, want: int, run: Run) -> Hits:
        """The best ``want`` passages."""

        def write() -> list[str]:
            return self.write(asker_of(context, self.model, 1, self.seconds), query.text)

        return search_queries(context, query, self.recipe, want, run, self.name, write, self.own)
