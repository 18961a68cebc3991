"""How a library answers queries: recipes checked, queries encoded, rankings made, texts fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .._errors import LibraryEmpty, QueryError, UsageError
from ..analysis.analyzer import highlight
from ..rank.parse import parse_recipe
from ..rank.query import Query
from ..rank.recipe import Fuse, Recipe
from ..rank.runner import Runner, TracingRunner
from ..rank.trace import Ranking
from ..rank.validate import validate
from .results import Result
from .retrieval.context import LibraryContext, Resources
from .retrieval.registry import representations
from .snapshot import Snapshot
from .store import PassageRow

if TYPE_CHECKING:
    from .reader import Reading

__all__ = ["MAX_K", "MAX_QUERY", "Searching"]

MAX_QUERY = 1 << 15
"""Longest query, in characters."""
MAX_K = 1_000_000
KNOWN = 256
"""Recipes remembered as read and checked."""


class Searching:
    """The searches of one library: what `bookwheel.Library` delegates to. Safe to use from several threads."""

    def __init__(self, library: Reading) -> None:
        self.library = library
        self.resources = Resources()
        self._known: dict[str | None, tuple[Snapshot, Mapping[str, str], Recipe]] = {}

    # -- one query -----------------------------------------------------------------------------------------------------

    def rank(
        self,
        query: str | Query,
        k: int,
        recipe: str | Recipe | None,
        where: str | None,
        seconds: float | None = None,
        trace: bool = False,
    ) -> Ranking:
        """The best ``k`` passages with their explanation."""
        snapshot = self._ready(k)
        state = _checked(query)
        chosen = self.recipe(recipe, snapshot)
        context = self.context(snapshot, where, seconds)
        return (TracingRunner if trace else Runner)(context).ranking(chosen, state, k)

    def search(
        self,
        query: str | Query,
        k: int,
        recipe: str | Recipe | None,
        where: str | None,
        group: bool,
        seconds: float | None = None,
        trace: bool = False,
        cutoff: float | None = None,
    ) -> tuple[list[Result], Ranking]:
        """The best ``k`` passages, or the best one of each of ``k`` documents, with texts and highlights.

        ``cutoff`` leaves out those that fit the query with a smaller probability.
        """
        snapshot = self._ready(k)
        if group:
            ranking, ids = self.grouped(query, k, recipe, where, seconds, trace)
        else:
            ranking = self.rank(query, k, recipe, where, seconds, trace)
            ids = ranking.hits.ids.tolist()
        if cutoff is not None:
            ids = self._fitting(query, ids, cutoff)
        rows = snapshot.store.passages(ids)
        at = {int(passage): place for place, passage in enumerate(ranking.hits.ids)}
        results: list[Result] = []
        analyzer = snapshot.manifest.settings.analyzer
        assert analyzer is not None
        text = query if isinstance(query, str) else query.text
        terms = set(analyzer(text))
        if ranking.query is not None and ranking.query.text != text:  # corrected spelling, an earlier question's words
            terms.update(analyzer(ranking.query.text))
        matches: dict[str, bool] = {}
        for passage in ids:
            # A later compaction may have forgotten a passage that this older generation still ranks: it was removed.
            if (row := rows.get(passage)) is not None:
                marked = tuple(highlight(row.text, terms, analyzer, matches))
                results.append(_result(len(results) + 1, row, ranking, at[passage], marked))
        return results, ranking

    def _fitting(self, query: str | Query, ids: list[int], cutoff: float) -> list[int]:
        """Those of ``ids`` that fit with a probability of ``cutoff`` or more."""
        from .retrieval.cutoff import fitting_probabilities

        if not 0 <= cutoff <= 1:
            raise UsageError(f"cutoff must be between 0 and 1, not {cutoff!r}")
        text = query if isinstance(query, str) else query.text
        chances = fitting_probabilities(self.library._encoders, self.library.snapshot, text, ids)
        return [number for number, chance in zip(ids, chances.tolist(), strict=True) if chance >= cutoff]

    def grouped(
        self,
        query: str | Query,
        k: int,
        recipe: str | Recipe | None,
        where: str | None,
        seconds: float | None = None,
        trace: bool = False,
    ) -> tuple[Ranking, list[int]]:
        """A ranking deep enough to have ``k`` documents in it, and the best passage of each."""
        snapshot = self._ready(k)
        depth = 2 * k if snapshot.manifest.settings.unit != "document" else k
        while True:
            ranking = self.rank(query, min(depth, MAX_K), recipe, where, seconds, trace)
            ids = ranking.hits.ids.tolist()
            best = _best_of_documents(snapshot, ids)
            if len(best) >= k or len(ids) < depth or depth >= MAX_K:
                return ranking, best[:k]
            depth *= 4

    # -- many ----------------------------------------------------------------------------------------------------------

    def rank_many(
        self,
        queries: Sequence[str | Query],
        k: int,
        recipes: Sequence[str | Recipe | None],
        where: str | None = None,
        threads: int = 1,
        seconds: float | None = None,
    ) -> list[list[Ranking]]:
        """For each query the ranking of each recipe. What recipes have in common runs once a query."""
        if not 1 <= threads <= 256:
            raise UsageError(f"threads must be a whole number between 1 and 256, not {threads!r}")
        snapshot = self._ready(k)
        states = [_checked(query) for query in queries]
        chosen = [self.recipe(recipe, snapshot) for recipe in recipes]
        states = self._encoded(states, chosen, snapshot)

        def one(state: Query) -> list[Ranking]:
            from ..rank.shared import rank_all

            return rank_all(chosen, state, self.context(snapshot, where, seconds), k)

        if threads == 1 or len(states) < 2:
            return [one(state) for state in states]
        with ThreadPoolExecutor(threads, thread_name_prefix="bookwheel-rank") as pool:
            return list(pool.map(one, states))

    def _encoded(self, states: list[Query], recipes: Sequence[Recipe], snapshot: Snapshot) -> list[Query]:
        """The queries with their vectors, encoded as one batch, where all recipes begin by asking for them."""
        encoder = self.library.encoder
        replaced = snapshot.manifest.representation("dense") is not None
        if replaced or encoder is None or len(states) < 2 or not any("dense" in recipe.retrievers() for recipe in recipes):
            return states
        missing = [at for at, state in enumerate(states) if "dense" not in state.vectors]
        vectors = encoder.encode([states[at].text for at in missing])
        states = list(states)
        for at, vector in zip(missing, vectors, strict=True):
            states[at] = replace(states[at], vectors={**states[at].vectors, "dense": np.asarray(vector, np.float32)})
        return states

    def rank_documents(
        self, queries: Sequence[str | Query], k: int, recipe: str | Recipe | None, where: str | None
    ) -> list[list[tuple[str, float]]]:
        """For each query the best ``k`` documents as (id, score), a document scoring as its best passage."""
        results = []
        for query in queries:
            ranking, ids = self.grouped(query, k, recipe, where)
            names = self.library.snapshot.store.documents_of(ids)
            scores = dict(zip(ranking.hits.ids.tolist(), ranking.hits.scores.tolist(), strict=True))
            results.append([(names[passage][1], scores[passage]) for passage in ids if passage in names])
        return results

    def features(self, query: str | Query, recipe: Fuse, candidates: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The candidates of a fusion with each part's normalised score: ids int64 (n,), float64 (n, parts)."""
        snapshot = self._ready(candidates)
        runner = Runner(self.context(snapshot))
        return runner.features(recipe, _checked(query), candidates)

    # -- what they share -----------------------------------------------------------------------------------------------

    def context(self, snapshot: Snapshot, where: str | None = None, seconds: float | None = None) -> LibraryContext:
        """The library as stages see it."""
        return LibraryContext(snapshot, self.library._encoders, self.resources, where, seconds)

    def recipe(self, recipe: str | Recipe | None, snapshot: Snapshot | None = None) -> Recipe:
        """The recipe to run, checked against the library; its own where None."""
        snapshot = snapshot or self.library.snapshot
        saved = self.saved()
        if recipe is None or isinstance(recipe, str):
            known = self._known.get(recipe)
            if known is None or known[0] is not snapshot or known[1] is not saved:
                if len(self._known) >= KNOWN:
                    self._known.clear()
                known = self._known[recipe] = snapshot, saved, self._read(recipe, snapshot, saved)
            chosen = known[2]
        else:
            chosen = self._read(recipe, snapshot, saved)
        self.library.require(chosen.retrievers())
        snapshot.begin(chosen.retrievers())
        return chosen

    def _read(self, recipe: str | Recipe | None, snapshot: Snapshot, saved: Mapping[str, str]) -> Recipe:
        available = representations(snapshot.manifest)
        if recipe is None:
            own = parse_recipe(snapshot.manifest.settings.recipe, saved)
            # The default, hybrid, means all there is: for a library without vectors that is BM25.
            return own if set(own.retrievers()) <= available.keys() else parse_recipe("bm25")
        chosen = parse_recipe(recipe, saved)
        validate(chosen, available)
        return chosen

    def saved(self) -> Mapping[str, str]:
        """The library's named recipes: name to text."""
        from .saved_recipes import read_recipes

        return read_recipes(self.library.path)

    def _ready(self, k: int) -> Snapshot:
        if not isinstance(k, int) or not 1 <= k <= MAX_K:
            raise UsageError(f"k must be a whole number between 1 and {MAX_K}, not {k!r}")
        snapshot = self.library.snapshot
        if snapshot.manifest.settings.analyzer is None or not snapshot.passages:
            raise LibraryEmpty(f"the library {self.library.path} is empty; add documents with: bookwheel index PATH")
        return snapshot


def _best_of_documents(snapshot: Snapshot, ids: Sequence[int]) -> list[int]:
    """The first passage of each document, in the order of ``ids``."""
    documents = snapshot.store.documents_of(ids)
    best: dict[int, int] = {}
    for passage in ids:
        if passage in documents:
            best.setdefault(documents[passage][0], passage)
    return list(best.values())


def _checked(query: str | Query) -> Query:
    if isinstance(query, Query):
        _checked(query.text)
        return query
    if not isinstance(query, str):
        raise QueryError(f"a query must be a string, not {type(query).__name__}")
    text = query.strip()
    if not text:
        raise QueryError('the query is empty; give words to search for, as in: bookwheel search "block max index"')
    if len(text) > MAX_QUERY:
        raise QueryError(
            f"the query can have at most {MAX_QUERY} characters, not {len(text)}; keep only its most distinctive words"
        )
    if "\0" in text:
        raise QueryError("the query contains NUL characters; remove them")
    return Query(text)


def _result(rank: int, row: PassageRow, ranking: Ranking, at: int, highlights: tuple[tuple[int, int], ...]) -> Result:
    place = row.source
    if row.page is not None:
        place = f"{row.source} p. {row.page}"
    elif row.line is not None:
        place = f"{row.source}:{row.line}"
    return Result(
        rank=rank,
        score=float(ranking.hits.scores[at]),
        parts={name: float(values[at]) for name, values in ranking.parts.items()},
        id=row.name,
        passage=row.id,
        title=row.title,
        source=row.source,
        place=place,
        text=row.text,
        highlights=highlights,
        start=row.start,
        end=row.end,
        metadata=row.metadata,
    )
