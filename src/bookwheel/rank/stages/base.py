"""What a stage of a recipe is, and what it may ask of the library.

A stage is a frozen dataclass in a module of its own in this folder, called as the stage is called in a recipe: the stage
``rm3(docs=10)`` is the one subclass of `Feedback` in ``rm3.py``. Its fields are its parameters, in the order in which they may
be given without a name; their annotations are ``int``, ``float``, ``str``, ``bool``, ``Recipe`` (what ranks), ``Feedback``
(what gives a query) or, first, ``tuple[Recipe, ...]``. Adding a stage is adding that one file. There are four kinds, by what
they take and give:

    Rewrite    query           -> query     spelling, expansion by a model, the syntax of queries
    Feedback   query and hits  -> query     pseudo-relevance feedback, rewriting that reads the first passages
    Rerank     query and hits  -> hits      rerankers, re-scoring, diversity
    Search     query           -> hits      ways to search that have parameters, fusion of several rankings
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..._errors import RecipeError
from ...hits import Hits
from ..query import Query
from ..recipe import Recipe

if TYPE_CHECKING:
    from ..retriever import Retriever

__all__ = [
    "Context",
    "ExplainedHits",
    "Feedback",
    "LateScorer",
    "Rerank",
    "Rewrite",
    "Run",
    "Search",
    "Stage",
    "bounded",
    "chosen",
    "dense_named",
    "stacked",
    "token_vectors_named",
    "whole",
]

T = TypeVar("T")


class LateScorer(Protocol):
    """A query bound to a multi-vector representation, which scores what others found."""

    @property
    def floor(self) -> float:
        """The least score it can give."""

    def score(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Mean over the query's tokens of their best match in each passage, float32 (n,)."""


class Run(Protocol):
    """Runs a recipe among a stage's parameters."""

    def __call__(self, recipe: Recipe, query: Query, want: int, *, normalise: str | None = None) -> ExplainedHits:
        """The best ``want`` passages, or as many as the recipe's own ``%`` says. ``normalise``: see `bookwheel.rank.runner`."""


class Context(Protocol):
    """What a stage may ask of the library it runs on. One context serves one search of one generation.

    Ids are passage ids, int64 of shape (n,), in any order; answers are in the order of the ids.
    """

    # -- representations -----------------------------------------------------------------------------------------------

    @property
    def representations(self) -> Mapping[str, str]:
        """Name of each representation to its kind: ``sparse`` (bm25 …), ``dense`` or ``tokens``."""

    def retriever(self, name: str, query: Query) -> Retriever:
        """The retriever called ``name`` bound to ``query``, with the filter of the search and the query's constraints.

        Its ``retrieve(depth)`` gives `Hits`, its ``score(ids)`` exact scores, float32 (n,). Raises `RecipeError` where
        there is none of that name.
        """

    def encode(self, name: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Query vectors of ``texts`` in the dense representation ``name``: float32 (n, d), unit length or zero."""

    def vectors(self, name: str, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Stored vectors of passages in the dense representation ``name``: float32 (n, d); zeros for one that has none."""

    def token_vectors(self, name: str, ids: NDArray[np.int64]) -> list[NDArray[np.float32]]:
        """Stored token vectors of passages in the multi-vector representation ``name``: one float32 (tokens, d) each."""

    def token_scorer(self, name: str, query: Query) -> LateScorer:
        """Late interaction of ``query`` by the multi-vector representation ``name``."""

    # -- texts and documents -------------------------------------------------------------------------------------------

    def texts(self, ids: NDArray[np.int64]) -> list[str]:
        """Texts of passages as they were indexed (the document's title, where it has one, is the first line); empty for one
        that is gone."""

    def documents(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of each passage's document, int64 (n,); -1 for one that is gone."""

    def sample(self, count: int) -> NDArray[np.int64]:
        """Some living passages, drawn with the library's seed: int64 (at most ``count``,)."""

    def passages_of(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Passages of documents by their ids or their files' paths, or by a passage's number (``#12``): int64, rising."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The metadata fields that a filter can name."""

    # -- words ---------------------------------------------------------------------------------------------------------

    def analyze(self, text: str) -> list[str]:
        """The terms of ``text`` as BM25 indexes them, in order, repeats included."""

    def terms(self, ids: NDArray[np.int64]) -> list[dict[str, int]]:
        """Of each passage how often each of its terms occurs: the forward index, made of the stored texts."""

    def document_frequencies(self, terms: Sequence[str]) -> NDArray[np.int64]:
        """In how many living passages each term occurs: int64 (n,)."""

    def split(self, text: str) -> list[str]:
        """The words of ``text`` as they are written, in order."""

    def near_terms(self, term: str, distance: int) -> Mapping[str, int]:
        """The vocabulary's terms within ``distance`` edits (up to 2) of ``term``, without itself, with how many edits."""

    def written(self, term: str, near: str) -> str | None:
        """A word as the collection writes it that stands for ``term``, of several the nearest to ``near``."""

    @property
    def passages(self) -> int:
        """Number of living passages."""

    @property
    def average_length(self) -> float:
        """Mean number of terms of a passage."""

    # -- running -------------------------------------------------------------------------------------------------------

    def resource(self, key: Hashable, make: Callable[[], T], *, generation: bool = False) -> T:
        """What ``make`` gave when ``key`` was first asked for: models and tables that stages share, loaded once a library;
        with ``generation``, made anew for each generation of it."""

    def remaining(self) -> float:
        """Seconds left of the time that the search may take; infinite where none was set. A slow stage gives its best
        ranking within it."""

    def note(self, sentence: str) -> None:
        """Something to tell in the explanation of the ranking: that a model did not answer and why, say."""

    def take_notes(self) -> list[str]:
        """The notes since the last call; for the one that runs the stages."""


@dataclass(frozen=True, slots=True)
class Stage(Recipe):
    """Base of all stages. Instances are nodes of a recipe."""

    name: ClassVar[str] = ""
    """As it is called in a recipe; the module's name."""
    summary: ClassVar[str] = ""
    """What it is for, in one line."""
    source: ClassVar[str] = ""
    """The paper or tool that it follows."""
    takes: ClassVar[tuple[str, ...]] = ("query",)
    needs: ClassVar[tuple[str, ...]] = ()
    """What it works with beside query and hits, in words for `bookwheel explain`: ``texts``, ``a cross-encoder`` …"""
    cost: ClassVar[str] = ""
    """What a query costs, in words: ``1 ms``, ``30 ms a passage``."""
    scores_only: ClassVar[bool] = False
    """Whether a retriever among its parameters only scores what others found; token vectors can then be one."""
    floor: ClassVar[float | None] = None
    """The least score it can give, which fusion maps to 0; None for the least that it gave to this query."""

    @property
    def needs_hits(self) -> bool:
        """Whether something before must give hits."""
        return "hits" in self.takes

    def representations(self) -> tuple[str, ...]:
        """Names of representations that the library must have; those of recipes among its parameters are seen to already."""
        return ()

    def validate(self, representations: Mapping[str, str]) -> None:
        """Raise `RecipeError` (one sentence) where it cannot run on a library with these representations (name to kind)."""

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
                parts.append(f"{field.name}={_written(value)}")
        return f"{self.name}({', '.join(parts)})"


class Rewrite(Stage):
    """Query to query."""

    __slots__ = ()
    gives = "query"

    def rewrite(self, context: Context, query: Query) -> Query:
        """The query to go on with. Whatever it raises, the search goes on with the query as it was, and says so."""
        raise NotImplementedError


class Feedback(Stage):
    """Query and hits to query. The hits are only read; the next stage retrieves anew."""

    __slots__ = ()
    takes = ("query", "hits")
    gives = "query"

    def depth(self) -> int:
        """How many hits it looks at."""
        raise NotImplementedError

    def feed(self, context: Context, query: Query, hits: Hits) -> Query:
        """The query to go on with. Whatever it raises, the search goes on with the query as it was, and says so."""
        raise NotImplementedError


class Rerank(Stage):
    """Query and hits to hits."""

    __slots__ = ()
    takes = ("query", "hits")
    gives = "hits"

    def depth(self, want: int) -> int | None:
        """How many hits it needs to give the best ``want``; None for all that the stage before gives: those of its ``%``,
        and 100 (or ``want``, where more) without."""
        return None

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        """The hits in a better order; what was not looked at follows (`stacked`). ``hits`` may be empty, and may be more or
        fewer than `depth` said. `ExplainedHits` also say what the scores are made of."""
        raise NotImplementedError


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
    """By the name of a retriever or stage: float32 (n,), aligned with the ids. They add up to the scores."""
    raw: Mapping[str, NDArray[np.float32]]
    """Under the same names, the scores before they were weighed and normalised."""

    def top(self, k: int | None) -> ExplainedHits:
        """The best ``k`` (all where None)."""
        if k is None or k >= len(self):
            return self
        cut = [{name: values[:k] for name, values in table.items()} for table in (self.parts, self.raw)]
        return ExplainedHits(self.ids[:k], self.scores[:k], *cut)


def stacked(head: Hits, tail: Hits) -> Hits:
    """``head``, and below it what ``tail`` has beside, in its order, with scores that fall from just below the head's last.

    Reranking the best 20 of 100 gives the 20 in their new order and the other 80 in the old.
    """
    ids = tail.ids[~np.isin(tail.ids, head.ids)]
    if not len(ids) or not len(head):
        return head if len(head) else tail
    last = float(head.scores.min())
    step = max(1e-4, 1e-5 * abs(last))
    scores = last - step * np.arange(1, len(ids) + 1)
    return Hits(np.concatenate([head.ids, ids]), np.concatenate([head.scores, scores]).astype(np.float32))


def whole(name: str, value: int, least: int, most: int) -> None:
    """Check a parameter: a whole number from ``least`` to ``most``, or `RecipeError`. Call in ``__post_init__``."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise RecipeError(f"'{name}' is a whole number from {least} to {most}, not {value!r}")


def bounded(name: str, value: float, least: float, most: float) -> None:
    """Check a parameter: a number from ``least`` to ``most``, or `RecipeError`. Call in ``__post_init__``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value) or not least <= value <= most:
        raise RecipeError(f"'{name}' is a number from {least:g} to {most:g}, not {value!r}")


def dense_named(stage: str, name: str, representations: Mapping[str, str]) -> None:
    """See that ``name`` is a dense representation, or `RecipeError`."""
    if representations.get(name) not in ("dense", ""):
        have = ", ".join(one for one, kind in representations.items() if kind == "dense") or "none"
        kind = representations.get(name, "not there")
        raise RecipeError(f"{stage} works on a dense representation, and {name!r} is {kind}; dense are: {have}")


def token_vectors_named(stage: str, parameter: str, name: str, representations: Mapping[str, str]) -> str:
    """The representation by token vectors that a stage means: ``name``, or the only one there is. `RecipeError` otherwise."""
    have = [one for one, kind in representations.items() if kind == "tokens"]
    if name:
        if representations.get(name) not in ("tokens", ""):
            told = ", ".join(have) or "none"
            raise RecipeError(f"{stage} works with token vectors, and {name!r} has none; those that do: {told}")
        return name
    if len(have) != 1:
        told = (
            f"has {' and '.join(have)}: say which, as in {stage}({parameter}={have[0]!r})"
            if have
            else "has none: add one first: bookwheel encoders add NAME=MODEL --kind tokens"
        )
        raise RecipeError(f"{stage} works with a representation by token vectors; the library {told}")
    return have[0]


def chosen(name: str, value: str, known: Iterable[str]) -> None:
    """Check a parameter: one of the texts ``known``, or `RecipeError`. Call in ``__post_init__``."""
    known = list(known)
    if value not in known:
        raise RecipeError(f"'{name}' is one of {', '.join(map(repr, known))}, not {value!r}")


def _written(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
