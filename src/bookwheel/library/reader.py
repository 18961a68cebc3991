"""A library as it is read: its state, searches, and what it holds."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from ..hits import Hits
from ..memory.process import PROCESS
from ..progress import Progress, silent
from ..rank.query import Query
from ..rank.recipe import Fuse, Recipe
from ..rank.trace import Ranking
from .contents import Contents
from .manifest import Manifest
from .questions import Questions
from .resources import Resources
from .results import Results
from .search_options import SearchOptions, with_options
from .searcher import Searcher
from .settings import Settings
from .snapshot import Snapshot
from .vectors.encoders import Encoders

if TYPE_CHECKING:
    from .experiments import Experiments

__all__ = ["Reader"]

_readers: weakref.WeakSet[Reader] = weakref.WeakSet()


class Reader(Contents, Questions):
    """What can be asked of a library that is open; `bookwheel.Library` adds what changes it.

    A query goes from here to the `Searcher` of the generation being read, and from there down.
    """

    wait: float = 0.0
    """Seconds that what changes the library waits for another writer."""

    def __init__(self, path: Path, *, ram: int | None = None) -> None:
        self.path = path
        self.ram = ram
        """The budget in bytes; None where none was named."""
        self._encoders = Encoders(path)
        self._resources = Resources()
        self._identity: str | None = None
        """Of the library that `_encoders` and `_resources` are for; None before the first snapshot."""
        self._current: Searcher | None = None
        self._is_pinned = False
        self._lock = threading.RLock()
        _readers.add(self)

    # -- state ---------------------------------------------------------------------------------------------------------

    @property
    def _searcher(self) -> Searcher:
        """The searcher of the generation being read, opened when first needed."""
        if (current := self._current) is not None:
            return current
        with self._lock:
            if self._current is None:
                snapshot = Snapshot.open(self.path)
                if self._identity not in (None, snapshot.manifest.id):
                    # Made anew at the same path: passages and generations of the same numbers are others.
                    self._encoders, self._resources = self._encoders.renewed(), Resources()
                self._identity = snapshot.manifest.id
                self._current = Searcher(snapshot, self._encoders, self._resources, self.ram)
            return self._current

    def refresh(self) -> None:
        """Move on to the newest generation, or to another library that was made at the same path.

        Searches that are under way in other threads end with the generation that they began with.
        """
        current = self._current
        if (
            current is not None
            and not self._is_pinned
            and Manifest.read(self.path).version != current.snapshot.manifest.version
        ):
            self._leave(current)

    def _pinned(self) -> Self:
        """This library as it is now, whatever is refreshed meanwhile: for work of several steps that must fit together."""
        # `copy` would open it anew, by its path. Both have the same encoders, and the same room for what is in memory.
        pinned = object.__new__(type(self))
        searcher = self._searcher
        pinned.__dict__.update(self.__dict__)
        pinned._current = searcher
        pinned._lock = threading.RLock()
        pinned._is_pinned = True
        _readers.add(pinned)
        return pinned

    def _leave(self, searcher: Searcher | None = None) -> None:
        """Let go of the generation being read, unless it is no longer that of ``searcher``."""
        with self._lock:
            if searcher is None or self._current is searcher:
                self._current = None

    @property
    def settings(self) -> Settings:
        """The library's settings."""
        return self._snapshot.manifest.settings

    def state(self) -> dict[str, Any]:
        """What the library is now: identity, generation, counts, settings and encoders, to be kept with an experiment."""
        from .state import state

        return state(self._snapshot)

    @property
    def experiments(self) -> Experiments:
        """What recipes reached on judged queries, as `bookwheel.evaluate.keep` keeps it in the library."""
        from .experiments import Experiments

        return Experiments(self.path)

    def check(self, progress: Progress = silent) -> list[str]:
        """Verify everything on disk against its checksums; one sentence for each problem, none where all is sound."""
        from .verification import problems

        return problems(self.path, progress)

    # -- searching -----------------------------------------------------------------------------------------------------

    @with_options(SearchOptions)
    def search(self, query: str | Query, options: SearchOptions) -> Results:
        """The best ``k`` passages for ``query``, best first, with texts, highlights, notes and timings.

        ``search(query, k=10, *, recipe=None, where=None, group=False, seconds=None, cutoff=None, trace=False)``: see
        `SearchOptions`. With ``group``, the best passage of each of the best ``k`` documents. Raises `QueryError`,
        `RecipeError`, `FilterError`, `LibraryEmpty`, `ModelError`, `BudgetError`, and `UsageError` for a wrong option.
        """
        return self._searcher.search(query, options)

    @with_options(SearchOptions)
    def search_many(self, queries: Iterable[str | Query], options: SearchOptions) -> list[Results]:
        """`search` for each of ``queries``, encoded as one batch, ``threads`` of them at once. Takes and raises the same."""
        return self._searcher.search_many(queries, options)

    def rank(
        self,
        query: str | Query,
        k: int = 10,
        *,
        recipe: str | Recipe | None = None,
        where: str | None = None,
        seconds: float | None = None,
    ) -> Hits:
        """Ids (int64) and scores (float32) of the best ``k`` passages, without fetching them. Raises as `search`."""
        return self._searcher.rank(query, SearchOptions(k, recipe=recipe, where=where, seconds=seconds)).hits

    def rank_many(
        self,
        queries: Iterable[str | Query],
        k: int = 10,
        recipe: str | Recipe | None = None,
        where: str | None = None,
        *,
        threads: int = 1,
    ) -> list[Hits]:
        """`rank` for each of ``queries``, encoded as one batch, on ``threads`` threads."""
        options = SearchOptions(k, where=where, threads=threads)
        return [ranking.hits for (ranking,) in self._searcher.rank_many(queries, [recipe], options)]

    def rank_recipes(
        self,
        queries: Iterable[str | Query],
        recipes: Sequence[str | Recipe | None],
        k: int = 10,
        *,
        where: str | None = None,
        threads: int = 1,
    ) -> list[list[Ranking]]:
        """For each of ``queries`` the ranking by each of ``recipes``; what the recipes have in common runs once a query."""
        return self._searcher.rank_many(queries, recipes, SearchOptions(k, where=where, threads=threads))

    def explain(
        self,
        query: str | Query,
        k: int = 10,
        *,
        recipe: str | Recipe | None = None,
        where: str | None = None,
        seconds: float | None = None,
    ) -> Ranking:
        """The ranking with what each part gave to the scores, and each stage's time, number of hits and notes."""
        return self._searcher.rank(query, SearchOptions(k, recipe=recipe, where=where, seconds=seconds, trace=True))

    @with_options(SearchOptions)
    def rank_documents(self, queries: Iterable[str | Query], options: SearchOptions) -> list[list[tuple[str, float]]]:
        """For each query the best ``k`` documents as (id, score), a document scoring as its best passage.

        Takes the options of `search`, and raises the same errors.
        """
        return self._searcher.rank_documents(queries, options)

    def features(self, query: str | Query, recipe: Fuse, candidates: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The best ``candidates`` passages of a fusion with each part's normalised score, before weights.

        Passage ids, int64 (n,), and scores, float64 (n, parts): what weights are fitted on.
        """
        return self._searcher.features(query, recipe, candidates)

    def recipe(self, recipe: str | Recipe | None = None) -> Recipe:
        """``recipe`` parsed and checked against this library; its own where None. Raises `RecipeError`, `BudgetError`."""
        return self._searcher.recipe(recipe)

    @property
    def recipes(self) -> Mapping[str, str]:
        """The recipes that this library keeps: name to text. They can be used wherever a recipe can."""
        return self._searcher.saved()

    def recipe_evidence(self) -> dict[str, dict[str, Any]]:
        """What saved recipes were chosen by (`bookwheel tune`), by name; those saved by hand have none."""
        from .saved_recipes import read_evidence

        return read_evidence(self.path)

    # -- closing -------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the files, and let go of the memory; what is asked next opens them again.

        What other threads are asking at this moment may raise `LibraryError`.
        """
        with self._lock:
            if self._current is not None:
                self._current.snapshot.close()
            self._current = None
            self._resources = Resources()
            self._encoders.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled by path: the copy opens the library anew, without encoders that were given as objects."""
        return _reopened, (type(self), self.path.absolute(), self.ram)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<bookwheel.Library {str(self.path)!r}>"


def _reopened(kind: type[Reader], path: Path, ram: int | None) -> Reader:
    Manifest.read(path)  # so that it is told at once where there is no library
    return kind(path, ram=ram)


def _after_fork() -> None:
    """In a forked child no other thread is there to release a lock that it held."""
    for reader in list(_readers):
        reader._lock = threading.RLock()
        reader._encoders.after_fork()
        reader._resources.after_fork()
    PROCESS.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
