"""How one snapshot of a library answers queries: recipes checked, rankings made, texts fetched."""

from __future__ import annotations

import threading
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .._errors import BookwheelError, LibraryDamaged, LibraryEmpty, RecipeError, UsageError
from ..analysis.highlight import QueryHighlighter
from ..encode.protocols import encode_queries
from ..rank.parse import parse_recipe
from ..rank.query import Query
from ..rank.recipe import Fuse, Recipe
from ..rank.runner import Runner, TracingRunner
from ..rank.trace import Ranking
from ..rank.validate import validate
from .arranging import arranged, copies_of
from .default_recipe import read_default
from .facet_counts import FACETED, Facets, facets_among, known_fields
from .late import AT_ONCE, EACH, MARK, LateResult, LateRows
from .query_texts import queries_of, query_of
from .recipe_needs import models_of, representations_of
from .resources import Resources
from .results import LEFT_OUT, Copy, Result, Results
from .retrieval.context import LibraryContext
from .retrieval.registry import representations
from .saved_recipes import names_saved, read_recipes
from .search_memory import SearchMemory
from .search_options import MAX_K, SearchOptions
from .snapshot import Snapshot
from .store import PassageRow
from .vectors.encoders import Encoders
from .whole_texts import called

__all__ = ["Searcher"]

HIGHLIGHTED = 1 << 18
"""Characters of results that are highlighted at once."""
VALUES = 100
"""Values of a facet."""
REMEMBERED = 256
"""Recipes remembered as parsed and checked."""


@dataclass(frozen=True, slots=True)
class _Checked:
    """A recipe that was parsed and checked against the snapshot."""

    recipe: Recipe
    retrievers: frozenset[str]
    representations: frozenset[str]
    """These, and what its stages read."""
    models: frozenset[tuple[str, str]]
    saved: Mapping[str, str] | None
    """The saved recipes that it was read with; None where it uses none of them."""


class Searcher:
    """Answers queries from one snapshot. Safe to use from several threads.

    ``encoders`` and ``resources`` are those of the library, and outlive the snapshot; ``ram`` is the memory allowed, in
    bytes.
    """

    def __init__(self, snapshot: Snapshot, encoders: Encoders, resources: Resources, ram: int | None = None) -> None:
        self.snapshot = snapshot
        self.encoders = encoders
        self.resources = resources
        self.memory = SearchMemory(snapshot, encoders, ram)
        self.representations = representations(snapshot.manifest)
        """Name to kind of what recipes can name."""
        self._checked: dict[str | None, _Checked] = {}
        self._problems: list[str] | None = None
        """Damaged arrays; None where nobody has looked."""
        self._looking = threading.Lock()

    # -- one query -----------------------------------------------------------------------------------------------------

    def rank(self, query: str | Query, options: SearchOptions) -> Ranking:
        """The best ``options.k`` passages with what their scores are made of."""
        self.refuse_empty()
        with self._damage_named(), self.snapshot.store.noting() as damaged:
            ranking = self._ranked(query_of(query), self.recipe(options.recipe), options, options.k)
        return _noted(ranking, damaged)

    def search(self, query: str | Query, options: SearchOptions) -> Results:
        """The best passages, or the best one of each of the best documents, with texts and highlights."""
        self.refuse_empty()
        return self._found(query_of(query), self.recipe(options.recipe), options)

    def _ranked(self, query: Query, recipe: Recipe, options: SearchOptions, k: int) -> Ranking:
        context = self.context(options.where, options.seconds)
        return (TracingRunner if options.trace else Runner)(context).ranking(recipe, query, k)

    def _grouped(self, query: Query, recipe: Recipe, options: SearchOptions) -> tuple[Ranking, list[int]]:
        """A ranking deep enough to have ``options.k`` documents in it, and the best passage of each."""
        k = options.k
        depth = 2 * k if self.snapshot.manifest.settings.unit != "document" else k
        while True:
            ranking = self._ranked(query, recipe, options, min(depth, MAX_K))
            ids = ranking.hits.ids.tolist()
            best = self._best_of_documents(ids)
            if len(best) >= k or len(ids) < depth or depth >= MAX_K:
                return ranking, best[:k]
            depth *= 4

    def _best_of_documents(self, ids: Sequence[int]) -> list[int]:
        """The first passage of each document, in the order of ``ids``."""
        documents = self.snapshot.store.documents_of(ids, known=True)
        best: dict[int, int] = {}
        for passage in ids:
            if passage in documents:
                best.setdefault(documents[passage][0], passage)
        return list(best.values())

    def _found(self, query: Query, recipe: Recipe, options: SearchOptions) -> Results:
        with self._damage_named(), self.snapshot.store.noting() as damaged:
            found = self._looked_up(query, recipe, options)
        if damaged:
            found.ranking = _noted(found.ranking, damaged)
        return found

    def _looked_up(self, query: Query, recipe: Recipe, options: SearchOptions) -> Results:
        started = time.perf_counter()
        copies: dict[int, list[tuple[int, bool]]] = {}
        if options.arranged:
            shown = arranged(self.snapshot, options, lambda depth: self._ranked(query, recipe, options, depth))
            ranking, ids, copies = shown.ranking, shown.passages, shown.copies
            if shown.notes:
                ranking = replace(ranking, notes=(*ranking.notes, *shown.notes))
        elif options.group:
            ranking, ids = self._grouped(query, recipe, options)
        else:
            ranking = self._ranked(query, recipe, options, options.k)
            ids = ranking.hits.ids.tolist()
        chances: Mapping[int, float] = {}
        if options.cutoff is not None:
            ids, chances, note = self._fitting(query, ids, options.cutoff)
            ranking = replace(ranking, notes=(*ranking.notes, *filter(None, [note])))
        ranked = time.perf_counter()
        rows = self.snapshot.store.passages(ids, EACH, AT_ONCE)
        also = copies_of(self.snapshot.store, copies) if copies else {}
        fetched = time.perf_counter()
        results = self._highlighted(query, ids, rows, ranking, options.offset, also, chances)
        timings = _stage_seconds(ranking, ranked - started)
        timings["texts"] = fetched - ranked
        counted = time.perf_counter()
        timings["highlights"] = counted - fetched
        facets = self._facets(ranking, options) if options.facets else {}
        if facets:
            timings["facets"] = time.perf_counter() - counted
        return Results(results, query=query.original, ranking=ranking, timings=timings, facets=facets)

    def _facets(self, ranking: Ranking, options: SearchOptions) -> dict[str, Facets]:
        """The values of the fields that some document has, among the documents of the best passages."""
        store = self.snapshot.store
        fields = known_fields(store, (unicodedata.normalize("NFC", field) for field in options.facets))
        counted = facets_among(store, ranking.hits.ids[:FACETED].tolist(), fields, VALUES)
        return dict(zip(fields, counted, strict=True))

    def _highlighted(
        self,
        query: Query,
        ids: list[int],
        rows: Mapping[int, PassageRow],
        ranking: Ranking,
        offset: int,
        also: Mapping[int, tuple[Copy, ...]],
        chances: Mapping[int, float],
    ) -> list[Result]:
        wanted = query.text
        if ranking.query is not None and ranking.query.text != query.text:  # corrected, or with words of earlier questions
            wanted += " " + ranking.query.text
        highlights = QueryHighlighter(wanted, self.snapshot.analyzer)
        found = [row for passage in ids if (row := rows.get(passage)) is not None]
        late = LateRows(self.snapshot.store, highlights)
        places = {passage: place for place, passage in enumerate(ranking.hits.ids.tolist())}
        scores = ranking.hits.scores.tolist()
        parts = {name: values.tolist() for name, values in ranking.parts.items()}
        results: list[Result] = []
        room = AT_ONCE
        for some in _some(found):
            for row, marked in zip(
                some, highlights.many([row.text for row in some], [row.language for row in some]), strict=True
            ):
                room -= MARK * len(marked)
                spans = None if row.late or room < 0 else tuple(marked)
                rank, copies = offset + len(results) + 1, also.get(row.id, ())
                at = places[row.id]
                of_each = {name: values[at] for name, values in parts.items()}
                results.append(_result(rank, row, scores[at], of_each, spans, late, copies, chances.get(row.id)))
        return results

    def _fitting(self, query: Query, ids: list[int], cutoff: float) -> tuple[list[int], dict[int, float], str]:
        from .retrieval.cutoff import fitting

        return fitting(self.encoders, self.snapshot, query.text, ids, cutoff)

    # -- several queries -----------------------------------------------------------------------------------------------

    def search_many(self, queries: Iterable[str | Query], options: SearchOptions) -> list[Results]:
        """`search` for each of ``queries``: encoded as one batch, on ``options.threads`` threads."""
        self.refuse_empty()
        recipe = self.recipe(options.recipe)
        asked = self._encoded(queries_of(queries), [recipe])
        if options.threads == 1 or len(asked) < 2:
            return [self._found(query, recipe, options) for query in asked]
        with ThreadPoolExecutor(options.threads, thread_name_prefix="bookwheel-search") as pool:
            return list(pool.map(lambda query: self._found(query, recipe, options), asked))

    def rank_many(
        self, queries: Iterable[str | Query], recipes: Sequence[str | Recipe | None], options: SearchOptions
    ) -> list[list[Ranking]]:
        """For each query the ranking of each recipe. What recipes have in common runs once a query."""
        from ..rank.shared import rank_all

        self.refuse_empty()
        chosen = [self.recipe(recipe) for recipe in recipes]
        asked = self._encoded(queries_of(queries), chosen)

        def one(query: Query) -> list[Ranking]:
            with self._damage_named():
                return rank_all(chosen, query, self.context(options.where, options.seconds), options.k)

        if options.threads == 1 or len(asked) < 2:
            return [one(query) for query in asked]
        with ThreadPoolExecutor(options.threads, thread_name_prefix="bookwheel-rank") as pool:
            return list(pool.map(one, asked))

    def _encoded(self, queries: list[Query], recipes: Sequence[Recipe]) -> list[Query]:
        """The queries with the vectors of the built-in encoder, made as one batch, where a recipe asks for them."""
        if len(queries) < 2 or not any("dense" in recipe.retrievers() for recipe in recipes):
            return queries
        if self.snapshot.manifest.representation("dense") is not None:  # another encoder took its place
            return queries
        encoder = self.encoders.built_in(self.snapshot.manifest)
        missing = [at for at, query in enumerate(queries) if "dense" not in query.vectors]
        if encoder is None or not missing:
            return queries
        queries = list(queries)
        vectors = encode_queries(encoder, [queries[at].text for at in missing])
        for at, vector in zip(missing, vectors, strict=True):
            queries[at] = replace(queries[at], vectors={**queries[at].vectors, "dense": np.asarray(vector, np.float32)})
        return queries

    def rank_documents(self, queries: Iterable[str | Query], options: SearchOptions) -> list[list[tuple[str, float]]]:
        """For each query the best documents as (id, score), a document scoring as its best passage."""
        self.refuse_empty()
        if options.arranged:
            raise UsageError("rank_documents takes no offset, fold, sort or facets; search does")
        recipe = self.recipe(options.recipe)
        results = []
        for asked in queries_of(queries):
            with self._damage_named():
                ranking, ids = self._grouped(asked, recipe, options)
            if options.cutoff is not None:
                ids, _, _ = self._fitting(asked, ids, options.cutoff)
            names = self.snapshot.store.documents_of(ids, known=True)
            scores = dict(zip(ranking.hits.ids.tolist(), ranking.hits.scores.tolist(), strict=True))
            results.append([(names[passage][1], scores[passage]) for passage in ids if passage in names])
        return results

    def features(self, query: str | Query, recipe: Fuse, candidates: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The candidates of a fusion with each part's normalised score: ids int64 (n,), float64 (n, parts)."""
        self.refuse_empty()
        return Runner(self.context()).features(recipe, query_of(query), candidates)

    # -- what they share -----------------------------------------------------------------------------------------------

    def context(self, where: str | None = None, seconds: float | None = None) -> LibraryContext:
        """The snapshot as the stages of a recipe see it, for one query."""
        return LibraryContext(self.snapshot, self.encoders, self.resources, where, seconds)

    def recipe(self, recipe: str | Recipe | None) -> Recipe:
        """The recipe to run, parsed and checked; the library's own where None. Raises `RecipeError`, `BudgetError`."""
        if recipe is not None and not isinstance(recipe, str):
            known = self._read(recipe)
        else:
            found = self._checked.get(recipe)
            if found is None or (found.saved is not None and found.saved is not self.saved()):
                found = self._read(recipe)
                if len(self._checked) >= REMEMBERED:
                    self._checked.clear()
                self._checked[recipe] = found
            known = found
        self.memory.require(known.representations, known.models)
        self.snapshot.begin(known.retrievers)
        return known.recipe

    def _read(self, recipe: str | Recipe | None) -> _Checked:
        saved = self.saved()
        text = self.snapshot.manifest.settings.recipe if recipe is None else recipe
        if recipe is None:
            chosen = self._default(saved)
        else:
            chosen = parse_recipe(recipe, saved)
            validate(chosen, self.representations)
        uses_saved = isinstance(text, str) and names_saved(text, saved)
        read = representations_of(chosen, self.representations)
        return _Checked(chosen, frozenset(chosen.retrievers()), read, models_of(chosen), saved if uses_saved else None)

    def _default(self, saved: Mapping[str, str]) -> Recipe:
        try:
            return read_default(self.snapshot.manifest.settings.recipe, saved, self.representations)
        except RecipeError as error:
            remedy = "choose another with `bookwheel configure --recipe`"
            raise RecipeError(f"the default recipe of this library cannot be run; {remedy}; {error}") from None

    def saved(self) -> Mapping[str, str]:
        """The library's saved recipes: name to text."""
        return read_recipes(self.snapshot.library)

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        """Turn an error that comes of a damaged array into `LibraryDamaged`, naming it."""
        try:
            yield
        except BookwheelError:
            raise
        except Exception as error:
            with self._looking:
                if self._problems is None:  # looked for once: it reads all there is
                    self._problems = [one for s in self.snapshot.segments for f in s.folders() for one in f.damaged()]
            if self._problems:
                raise LibraryDamaged(self._problems[0]) from error
            raise

    def refuse_empty(self) -> None:
        """Raise `LibraryEmpty` where there is nothing to search."""
        library, documents = self.snapshot.library, self.snapshot.documents
        if not self.snapshot.passages and not documents:
            raise LibraryEmpty(f"the library {library} is empty; add documents with: bookwheel index PATH")
        if not self.snapshot.passages:
            what = "the one document has no" if documents == 1 else f"none of the {documents:,} documents has"
            undo = f"take back what is left out: bookwheel prune {library} --undo"
            remedy = undo if self.snapshot.pruned_passages else "add others with: bookwheel index PATH"
            raise LibraryEmpty(f"{what} text to search in the library {library}; {remedy}")


def _noted(ranking: Ranking, sentences: Sequence[str]) -> Ranking:
    """``ranking`` with what was found damaged among its notes."""
    return replace(ranking, notes=(*ranking.notes, *(f"{LEFT_OUT}{one}" for one in sentences))) if sentences else ranking


def _stage_seconds(ranking: Ranking, ranked: float) -> dict[str, float]:
    """Seconds of ranking: in all, or by stage where the ranking was traced."""
    if ranking.trace is None:
        return {"ranking": ranked}
    seconds: dict[str, float] = {}
    for stage in ranking.trace.stages:
        seconds[stage.recipe] = seconds.get(stage.recipe, 0.0) + stage.seconds
    seconds["between stages"] = max(0.0, ranked - sum(seconds.values()))
    return seconds


def _some(rows: list[PassageRow]) -> Iterator[list[PassageRow]]:
    """``rows`` in groups of about as many characters as are highlighted at once."""
    group: list[PassageRow] = []
    size = 0
    for row in rows:
        group.append(row)
        size += len(row.text)
        if size >= HIGHLIGHTED:
            yield group
            group, size = [], 0
    if group:
        yield group


def _result(
    rank: int,
    row: PassageRow,
    score: float,
    parts: dict[str, float],
    highlights: tuple[tuple[int, int], ...] | None,
    late: LateRows,
    also: tuple[Copy, ...],
    chance: float | None,
) -> Result:
    """The result of ``row``; without ``highlights`` one that is read when it is looked at."""
    place = row.place.text(called(row.source, row.name), heading=False)
    if highlights is None:
        return LateResult(
            late, rank=rank, score=score, parts=parts, id=row.name, passage=row.id, source=row.source, place=place,
            where=row.place, start=row.start, end=row.end, file=row.file, also=also,
            probability=chance,
        )  # fmt: skip
    return Result(
        rank, score, parts, row.name, row.id, row.title, row.source, place, row.text, highlights, row.start, row.end,
        row.metadata, row.place, row.file, also, chance,
    )  # fmt: skip
