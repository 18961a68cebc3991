"""A library as it is read: its state, searches, and what it holds."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from .._errors import LibraryDamaged, UsageError
from .._numbers import whole
from ..documents.places import Place
from ..encode.protocols import DenseEncoder
from ..hits import Hits
from ..memory.plan import MemoryPlan
from ..memory.process import PROCESS
from ..memory.sizes import ram_of
from ..progress import Progress, silent
from ..rank.query import Query
from ..rank.recipe import Fuse, Recipe
from ..rank.trace import Ranking
from ..read.answer import Answer
from ..read.answering import Event
from ..read.options import AskOptions
from .facets import DEPTH, Facets, facets
from .manifest import Manifest
from .naming import addresses, ambiguous, find
from .resources import Resources
from .results import Info, Reason, Results, StoredDocument
from .search_options import SearchOptions, with_options
from .searcher import Searcher, asked
from .settings import Settings
from .snapshot import Snapshot
from .vectors.encoders import Encoders

if TYPE_CHECKING:
    from ..read.conversation import Turn
    from .conversation import Conversation
    from .conversations import ConversationInfo
    from .mentions import Mentions, Together

__all__ = ["Reader"]

_readers: weakref.WeakSet[Reader] = weakref.WeakSet()


class Reader:
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

    @property
    def _snapshot(self) -> Snapshot:
        return self._searcher.snapshot

    def refresh(self) -> None:
        """Move on to the newest generation, or to another library that was made at the same path.

        Searches that are under way in other threads end with the generation that they began with.
        """
        current = self._current
        if current is not None and Manifest.read(self.path).version != current.snapshot.manifest.version:
            self._leave(current)

    def _leave(self, searcher: Searcher | None = None) -> None:
        """Let go of the generation being read, unless it is no longer that of ``searcher``."""
        with self._lock:
            if searcher is None or self._current is searcher:
                self._current = None

    @property
    def settings(self) -> Settings:
        """The library's settings."""
        return self._snapshot.manifest.settings

    @property
    def generation(self) -> int:
        """Number of the commit being read."""
        return self._snapshot.generation

    @property
    def document_count(self) -> int:
        """Number of documents; ``len(library)`` is the same."""
        return self._snapshot.documents

    @property
    def passage_count(self) -> int:
        """Number of passages."""
        return self._snapshot.passages

    @property
    def encoder(self) -> DenseEncoder | None:
        """The encoder of the vectors made while indexing, loaded when first needed; None without one. Raises `ModelError`."""
        return self._encoders.built_in(self._snapshot.manifest)

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

    # -- asking --------------------------------------------------------------------------------------------------------

    @with_options(AskOptions)
    def ask(self, question: str, options: AskOptions) -> Answer:
        """An answer to ``question`` from the documents, every quote of it stored text, or a refusal with its reason.

        ``ask(question, model=None, *, …)``: see `AskOptions`. Without a model the answer quotes. Raises `QueryError`,
        `FilterError`, `RecipeError`, `LibraryEmpty`, `ModelError`, `UsageError`.
        """
        from ..read.asking import ask
        from .asking import LibraryCollection

        self._searcher.refuse_empty()
        return ask(LibraryCollection(self._searcher), asked(question), options)

    @with_options(AskOptions)
    def ask_events(self, question: str, options: AskOptions) -> Iterator[Event]:
        """What happens while `ask` answers: the evidence first, then a model's draft as it is written, last the `Answer`."""
        return self._asked(question, options)

    def _asked(self, question: str, options: AskOptions, turns: Sequence[Turn] = ()) -> Iterator[Event]:
        from ..read.asking import ask_events
        from .asking import LibraryCollection

        self._searcher.refuse_empty()
        return ask_events(LibraryCollection(self._searcher), asked(question), options, turns)

    def conversation(self, name: str) -> Conversation:
        """The conversation ``name``, kept in the library: ``library.conversation("trip").ask("And in winter?")``.

        Raises `UsageError` for what is no name.
        """
        from .conversation import Conversation

        return Conversation(self, name)

    def conversations(self) -> list[ConversationInfo]:
        """The conversations that are kept, the one continued last first."""
        from .conversations import Conversations

        return Conversations(self.path).names()

    def forget_conversations(self, names: str | Sequence[str] | None = None) -> int:
        """Delete the conversations ``names``, or all, from the disk; returns how many questions they had.

        Raises `UsageError` for a name that is none, deleting nothing.
        """
        from .conversations import Conversations

        return Conversations(self.path).forget([names] if isinstance(names, str) else names)

    def find_all(
        self,
        phrases: str | Sequence[str],
        *,
        where: str | None = None,
        together: Together = "all",
        exact: bool = False,
    ) -> Mentions:
        """Every document that mentions ``phrases``, with every place: exact counts over the whole collection, no top ten.

        A phrase is words in a row, each fitting as in a search (*panel* fits *Panels*), or with ``exact`` only itself. Of
        several phrases a document must have all, or any (``together="any"``). Raises `QueryError`, `FilterError`,
        `LibraryEmpty`.
        """
        from .mentions import Mentions

        self._searcher.refuse_empty()
        wanted: list[Any] = list(phrases) if isinstance(phrases, list | tuple) else [phrases]
        return Mentions(self._snapshot, wanted, where=where, together=together, exact=exact)

    def summarise(
        self,
        names: str | Sequence[str] = (),
        *,
        where: str | None = None,
        sentences: int = 5,
        words: int | None = None,
        query: str = "",
        hidden: bool = False,
    ) -> Answer:
        """The sentences that say most of what documents say, each an exact quote with its place, in the order of the text.

        ``names``: ids, files or folders; ``where``: a filter; of both, what meets both. At most ``sentences``, and ``words``
        where given; with a ``query`` the summary is about that. Raises `InputError`, `FilterError`, `UsageError`, `LibraryEmpty`.
        """
        from ..read.summary import SummaryOptions
        from .summarising import summarise, wanted

        self._searcher.refuse_empty()
        for name, value, least in (("sentences", sentences, 1), ("words", words, 1)):
            if value is not None and whole(value, name) < least:
                raise UsageError(f"{name} must be a whole number of {least} or more, not {value!r}")
        given = [names] if isinstance(names, str) else list(names)
        numbers = wanted(self._searcher, given, where)
        what = ", ".join(given[:3]) + (f" and {len(given) - 3} more" if len(given) > 3 else "") if given else f"where {where}"
        return summarise(self._searcher, numbers, what, SummaryOptions(sentences, words, query.strip()), hidden=hidden)

    # -- looking -------------------------------------------------------------------------------------------------------

    def get(self, name: str, limit: int | None = None) -> list[StoredDocument]:
        """The documents with this id, or from the file of this path (none where there is none); the first ``limit`` of them.

        Where files have an id in common, ``path::id`` is the one in that file.
        """
        snapshot = self._snapshot
        return [snapshot.store.document(number) for number in find(snapshot.store, snapshot.generation, name)[:limit]]

    def __getitem__(self, name: str) -> StoredDocument:
        """The document with this id, or the first from the file of this path (`get` gives all).

        Raises `KeyError` where there is none, and `UsageError` where documents of several files have this id: ``path::id``
        is the one in that file.
        """
        if not isinstance(name, str):
            raise TypeError(f"a document's id is a string, not {type(name).__name__}")
        if several := self.full_ids(name):
            raise UsageError(ambiguous(name, several))
        if found := self.get(name, 1):
            return found[0]
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        """Whether there is a document with this id, or from the file of this path."""
        return isinstance(name, str) and self.count(name) > 0

    def __len__(self) -> int:
        """Number of documents."""
        return self.document_count

    def __bool__(self) -> bool:
        """True, also without documents: ``if library:`` asks whether there is a library, ``len(library)`` what is in it."""
        return True

    def __iter__(self) -> Iterator[StoredDocument]:
        """All documents, in the order in which they were added.

        Those that are damaged are left out, and named by `LibraryDamaged` when all others were given.
        """
        snapshot = self._snapshot  # held to the end, whatever is refreshed meanwhile
        damaged: list[str] = []
        count = 0
        for number in snapshot.store.numbers(snapshot.generation):
            count += 1
            try:
                document = snapshot.store.document(number)
            except LibraryDamaged as error:
                damaged.append(str(error))
            else:
                yield document
        if damaged:
            more = f", and {len(damaged) - 1} more; run `bookwheel check` to see all" if len(damaged) > 1 else ""
            raise LibraryDamaged(f"{damaged[0]}{more}")
        if count != snapshot.documents:
            raise LibraryDamaged(
                f"{snapshot.store.path} is damaged: it gives {count:,} documents where the manifest says {snapshot.documents:,}; run "
                "`bookwheel check` to see all that is damaged, then index the files again into a new library"
            )

    def count(self, name: str) -> int:
        """How many documents have this id, or come from the file of this path."""
        snapshot = self._snapshot
        return len(find(snapshot.store, snapshot.generation, name))

    def facets(
        self,
        field: str,
        query: str | Query | None = None,
        *,
        where: str | None = None,
        k: int = 100,
        recipe: str | Recipe | None = None,
        depth: int = DEPTH,
    ) -> Facets:
        """How many documents have each value of ``field``: the ``k`` most frequent values, the most frequent first.

        ``where`` counts only documents that meet the filter; with ``query`` only those of the best ``depth`` passages, by
        ``recipe`` (the library's own where None). A document with several values counts for each. Files are counted by the
        folder they are in and by the day they were modified. Raises `FilterError` for a field that no document has, and what
        `search` raises.
        """
        return facets(self._searcher, field, query, where, k, recipe, depth)

    def documents_of(self, passages: Iterable[int]) -> dict[int, tuple[int, str]]:
        """Number and id of the document of each of ``passages`` (numbers, as `rank` gives them) that is there."""
        return self._snapshot.store.documents_of([int(number) for number in passages])

    def places(self, document: str | int, spans: Iterable[tuple[int, int]]) -> list[Place]:
        """The place of each of ``spans`` (start and end in code points) of the document with this id or number.

        Page and printed label, slide, cells, chapter or attachment, headings, line, and what of the span is hidden. `places_of`
        takes spans of several documents. Raises `KeyError` where there is no such document, and `UsageError` for what is no span.
        """
        snapshot = self._snapshot
        if isinstance(document, str):
            found = find(snapshot.store, snapshot.generation, document)
            if not found:
                raise KeyError(document)
            if several := self.full_ids(document):
                raise UsageError(ambiguous(document, several))
            document = found[0]
        return self.places_of([(document, start, end) for start, end in spans])

    def places_of(self, spans: Iterable[tuple[int, int, int]]) -> list[Place]:
        """The place of each of ``spans``: number of a document (`documents_of` tells it), start and end. Raises as `places`."""
        snapshot = self._snapshot
        asked = [(int(number), int(start), int(end)) for number, start, end in spans]
        for _, start, end in asked:
            if not 0 <= start <= end:
                raise UsageError(f"a span begins at 0 or later and ends where it begins or later, not {start} to {end}")
        there = set(snapshot.store.alive(snapshot.generation, list({number for number, _, _ in asked})))
        for number, _, _ in asked:
            if number not in there:
                raise KeyError(number)
        return snapshot.store.places(asked)

    def terms(self, name: str, passages: Sequence[int], n: int = 10) -> list[list[tuple[str, float]]]:
        """What the sparse representation ``name`` made of ``passages`` (numbers): each one's ``n`` strongest terms with weights.

        None for a passage that it does not hold yet. Raises `RecipeError` for a name that is no sparse representation.
        """
        from .retrieval.matches import top_terms

        return top_terms(self._encoders, self._snapshot, name, passages, n)

    def why(self, query: str, passages: Sequence[int], recipe: str | Recipe | None = None) -> list[list[Reason]]:
        """What of ``query`` each of ``passages`` met, by the learned-sparse and token representations that ``recipe`` uses.

        None where it uses neither; BM25's words are the highlights of a `Result`.
        """
        from .retrieval.matches import reasons, used_by

        searcher = self._searcher
        found: list[list[Reason]] = [[] for _ in passages]
        for name in used_by(searcher.recipe(recipe), searcher.representations):
            some = reasons(self._encoders, searcher.snapshot, name, query, passages)
            found = [a + b for a, b in zip(found, some, strict=True)]
        return found

    def full_ids(self, name: str) -> list[str]:
        """``path::id`` for each file that has a document with the id ``name``, where several have; none where it is clear."""
        return addresses(self._snapshot.store, self.generation, name)

    def info(self) -> Info:
        """The state of the library, and its bytes on disk and in memory by part."""
        from .summary import summary

        return summary(self._snapshot)

    def memory_plan(self, ram: str | int | None = None, names: Iterable[str] | None = None) -> MemoryPlan:
        """What searching the representations ``names`` (all where None) takes: planned by part, and what is in use now.

        ``ram`` is the library's own where None. Raises `BudgetError` where it does not fit.
        """
        return self._searcher.memory.plan(None if ram is None else ram_of(ram), names)

    def recall(self, k: int = 10, sample: int = 100) -> float:
        """Share of the true nearest ``k`` passages, by brute force over the float vectors, that dense search finds.

        The queries are the first words of ``sample`` passages drawn with the library's seed. Raises `UsageError` for a
        library without vectors.
        """
        from .retrieval.recall import dense_recall

        encoder = self.encoder
        if encoder is None:
            raise UsageError(
                f"the library {self.path} has no dense vectors, so that recall cannot be measured; index with an encoder"
            )
        return dense_recall(self._snapshot, encoder, k, sample)

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
