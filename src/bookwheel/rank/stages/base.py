"""What a stage of a recipe is.

A stage is a frozen dataclass in a file of its own, in the folder of its kind and named as the stage
is called in a recipe: ``rm3(docs=10)`` is the subclass of `Feedback` in ``feedback/rm3.py``. Its
fields are its parameters, in the order in which they may be given without a name. Their annotations
are ``int``, ``float``, ``str``, ``bool``, ``Recipe`` (one that ranks), ``Feedback`` (a feedback
stage) or, for the first field, ``tuple[Recipe, ...]``. To add a stage, add that one file. There are
four kinds, by what they take and give:

    Rewrite    query           -> query     spelling, expansion by a language model, query syntax
    Feedback   query and hits  -> query     pseudo-relevance feedback, rewriting that reads the first passages
    Rerank     query and hits  -> hits      rerankers, re-scoring, diversity
    Search     query           -> hits      searches with parameters, fusion of several rankings
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ...hits import Hits
from ..query import Query
from ..recipe import Recipe
from .context import Context
from .parameters import check_types

__all__ = ["ExplainedHits", "Feedback", "Rerank", "Rewrite", "Run", "Search", "Stage", "stacked"]


@dataclass(frozen=True, slots=True)
class Stage(Recipe):
    """Base of all stages. Instances are nodes of a recipe; making one checks its parameters
    (`RecipeError`).
    """

    name: ClassVar[str] = ""
    """The name in a recipe, which is also the module's."""
    summary: ClassVar[str] = ""
    """What it does, in one line that begins with a verb."""
    source: ClassVar[str] = ""
    """The paper or tool that it follows."""
    takes: ClassVar[tuple[str, ...]] = ("query",)
    needs: ClassVar[tuple[str, ...]] = ()
    """What it needs beside the query and the hits, in words: ``texts``, ``a cross-encoder`` …"""
    cost: ClassVar[str] = ""
    """What it costs for one query, in words: ``1 ms``, ``30 ms per passage``."""
    scores_only: ClassVar[bool] = False
    """Whether a retriever among its parameters only scores what others found, so that token vectors
    can be one.
    """
    model_kind: ClassVar[str] = "language"
    """What its parameter ``model`` names, where it has one: a ``language`` model, or a ``cross``-encoder."""
    reads_tokens: ClassVar[bool] = False
    """Whether it reads token vectors: those of the only representation that has any, where none is named."""
    floor: ClassVar[float | None] = None
    """The lowest score it can give, which fusion maps to 0; None for the lowest that it gave to
    this query.
    """

    def __post_init__(self) -> None:
        check_types(self)
        self.check_parameters()

    def check_parameters(self) -> None:
        """Raise `RecipeError` for a parameter of the right type that is out of range."""

    @property
    def needs_hits(self) -> bool:
        """Whether a part before it must give hits."""
        return "hits" in self.takes

    def representations(self) -> tuple[str, ...]:
        """The representations that the library must have, beside those that recipes among its
        parameters name.
        """
        return ()

    def validate(self, representations: Mapping[str, str]) -> None:
        """Raise `RecipeError` (one sentence) if it cannot run on a library with these
        ``representations``.

        ``representations``: name to kind; a kind of ``""`` is not known.
        """

    def children(self) -> tuple[Recipe, ...]:
        """The recipes among its parameters."""
        found: list[Recipe] = []
        for field in fields(self):
            value = getattr(self, field.name)
            found += [part for part in (value if isinstance(value, tuple) else (value,)) if isinstance(part, Recipe)]
        return tuple(found)

    def __str__(self) -> str:
        """The canonical text: recipes first, then the parameters that differ from their defaults."""
        parts: list[str] = []
        for field in fields(self):
            value: Any = getattr(self, field.name)
            if isinstance(value, tuple):
                parts += map(str, value)
            elif isinstance(value, Recipe):
                parts.append(str(value))
            elif value != field.default:
                parts.append(f'{field.name}="{value}"' if isinstance(value, str) else f"{field.name}={value!r}")
        return f"{self.name}({', '.join(parts)})"


class Rewrite(Stage):
    """Query to query."""

    __slots__ = ()
    gives = "query"

    def rewrite(self, context: Context, query: Query) -> Query:
        """The query to continue with. If this raises, the search continues with the query as it
        was, and a note says so.
        """
        raise NotImplementedError


class Feedback(Stage):
    """Query and hits to query. The hits are only read; the next part of the recipe retrieves again."""

    __slots__ = ()
    takes = ("query", "hits")
    gives = "query"

    def depth(self) -> int:
        """The number of hits it reads."""
        raise NotImplementedError

    def feed(self, context: Context, query: Query, hits: Hits) -> Query:
        """The query to continue with. If this raises, the search continues with the query as it
        was, and a note says so.
        """
        raise NotImplementedError


class Rerank(Stage):
    """Query and hits to hits."""

    __slots__ = ()
    takes = ("query", "hits")
    gives = "hits"

    def depth(self, want: int) -> int | None:
        """The number of hits it needs to give the best ``want``.

        None for all that the part before gives: as many as its ``%`` says, or else 100 (``want`` if
        that is more).
        """
        return None

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        """The hits in a better order, those it did not look at behind them (`stacked`).

        ``hits`` may be empty, and may be more or fewer than `depth` asks for. `ExplainedHits` say
        what the scores are made of.
        """
        raise NotImplementedError


class Run(Protocol):
    """Runs a recipe that is among a stage's parameters."""

    def __call__(self, recipe: Recipe, query: Query, want: int, *, normalise: str | None = None) -> ExplainedHits:
        """The best ``want`` passages, or as many as the recipe's own ``%`` says.

        ``normalise``: a name of `bookwheel.rank.NORMALISATIONS` for the fusions in it.
        """


class Search(Stage):
    """Query to hits."""

    __slots__ = ()

    def search(self, context: Context, query: Query, want: int, run: Run) -> Hits:
        """The best ``want`` passages; ``run`` runs a recipe among its parameters."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=False)
class ExplainedHits(Hits):
    """Hits whose scores are sums of parts, for the explanation of a result."""

    parts: Mapping[str, NDArray[np.float32]]
    """By the name of a retriever or stage: float32 (n,), aligned with the ids. They add up to the
    scores.
    """
    raw: Mapping[str, NDArray[np.float32]]
    """By the same names: the scores before weights and normalisation."""

    def top(self, k: int | None) -> ExplainedHits:
        """The best ``k``, or all for None."""
        if k is None or k >= len(self):
            return self
        cut = [{name: values[:k] for name, values in table.items()} for table in (self.parts, self.raw)]
        return ExplainedHits(self.ids[:k], self.scores[:k], *cut)


def stacked(head: Hits, tail: Hits) -> Hits:
    """``head``, followed by the hits of ``tail`` that are not in it, in their order.

    Reranking the best 20 of 100 gives the 20 in their new order and the other 80 in the old one.
    The scores of the tail fall from just below the lowest of the head.
    """
    ids = tail.ids[~np.isin(tail.ids, head.ids)]
    if not len(ids) or not len(head):
        return head if len(head) else tail
    last = float(head.scores.min())
    step = max(1e-4, 1e-5 * abs(last))
    scores = last - step * np.arange(1, len(ids) + 1)
    return Hits(np.concatenate([head.ids, ids]), np.concatenate([head.scores, scores]).astype(np.float32))
