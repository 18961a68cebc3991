"""A library as it is read: its state, searches, and what it holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .. import kernels
from .._errors import UsageError
from .._system import anonymous_bytes
from ..encode.protocols import DenseEncoder
from ..hits import Hits
from ..memory.plan import MemoryPlan
from ..memory.shares import COMPILING
from ..memory.sizes import ram_of, round_up
from ..progress import Progress, silent
from ..rank.query import Query
from ..rank.recipe import Recipe
from ..rank.trace import Ranking
from .manifest import Manifest
from .memory_plan import plan_search
from .results import Info, Result
from .retrieval.registry import representations
from .searcher import Searching
from .settings import Settings
from .snapshot import Snapshot
from .store import Store, StoredDocument
from .vectors.encoders import Encoders

if TYPE_CHECKING:
    from .retrieval.matches import Reason

__all__ = ["Reading"]


class Reading:
    """What can be asked of a library that is open; `bookwheel.Library` adds what changes it."""

    def __init__(self, path: Path, *, ram: int | None = None) -> None:
        self.path = path
        self.ram = ram
        """The budget in bytes; None where none was named."""
        self._within: set[tuple[int, int, frozenset[str]]] = set()
        self._store: Store | None = None
        self._snapshot: Snapshot | None = None
        self._encoders = Encoders(path)

    # -- state ---------------------------------------------------------------------------------------------------------

    @property
    def snapshot(self) -> Snapshot:
        """The generation being read."""
        if self._snapshot is None:
            self._store = self._store or Store(self.path)
            self._snapshot = Snapshot.open(self.path, self._store)
        return self._snapshot

    def refresh(self) -> None:
        """Move on to the newest generation."""
        if self._snapshot is not None and Manifest.read(self.path).generation != self._snapshot.generation:
            self._snapshot = None

    @property
    def settings(self) -> Settings:
        """The library's settings."""
        return self.snapshot.manifest.settings

    @property
    def generation(self) -> int:
        """Number of the commit being read."""
        return self.snapshot.generation

    @property
    def documents(self) -> int:
        """Number of documents."""
        return self.snapshot.documents

    @property
    def passages(self) -> int:
        """Number of passages."""
        return self.snapshot.passages

    @property
    def encoder(self) -> DenseEncoder | None:
        """The encoder of the vectors made while indexing, loaded when first needed; None for a library without them.

        Raises `ModelError` where it is missing, or not the one that made them.
        """
        return self._encoders.built_in(self.snapshot.manifest)

    def check(self, progress: Progress = silent) -> list[str]:
        """Verify everything on disk against its checksums; one sentence for each problem, none where all is sound."""
        from .verification import problems

        return problems(self.path, progress)

    # -- searching -----------------------------------------------------------------------------------------------------

    @cached_property
    def searching(self) -> Searching:
        """What runs recipes on this library."""
        return Searching(self)

    def search(
        self,
        query: str | Query,
        k: int = 10,
        *,
        recipe: str | Recipe | None = None,
        where: str | None = None,
        group: bool = False,
        seconds: float | None = None,
        cutoff: float | None = None,
    ) -> list[Result]:
        """The best ``k`` passages for ``query``, best first; with ``group``, the best passage of each of ``k`` documents.

        ``recipe`` says how to rank (the library's own where None), ``where`` filters by metadata (``year >= 2020``),
        ``seconds`` bounds the time of slow stages (rerankers, language models), which then give the best they have; ``cutoff``
        leaves out what fits the query with a smaller probability (0.5, say), all of it perhaps: fitted on the library. Raises
        `QueryError`, `RecipeError`, `FilterError`, `LibraryEmpty`, `ModelError`.
        """
        return self.searching.search(query, k, recipe, where, group, seconds, cutoff=cutoff)[0]

    def rank(
        self,
        query: str | Query,
        k: int = 10,
        *,
        recipe: str | Recipe | None = None,
        where: str | None = None,
        seconds: float | None = None,
    ) -> Hits:
        """Ids and scores of the best ``k`` passages, without fetching them."""
        return self.searching.rank(query, k, recipe, where, seconds).hits

    def rank_many(
        self,
        queries: Sequence[str | Query],
        k: int = 10,
        recipe: str | Recipe | None = None,
        where: str | None = None,
        *,
        threads: int = 1,
    ) -> list[Hits]:
        """`rank` for each of ``queries``, encoded as one batch, on ``threads`` threads."""
        return [ranking.hits for (ranking,) in self.searching.rank_many(queries, k, [recipe], where, threads)]

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
        return self.searching.rank(query, k, recipe, where, seconds, trace=True)

    def rank_documents(
        self, queries: Sequence[str | Query], k: int, *, recipe: str | Recipe | None = None, where: str | None = None
    ) -> list[list[tuple[str, float]]]:
        """For each query the best ``k`` documents as (id, score), a document scoring as its best passage."""
        return self.searching.rank_documents(queries, k, recipe, where)

    @property
    def recipes(self) -> Mapping[str, str]:
        """The recipes that this library keeps: name to text. They can be used wherever a recipe can."""
        return self.searching.saved()

    # -- looking -------------------------------------------------------------------------------------------------------

    def get(self, name: str, limit: int | None = None) -> list[StoredDocument]:
        """The documents with this id, or from the file of this path (none where there is none); the first ``limit`` of them."""
        store = self.snapshot.store
        return [store.document(number) for number in self._find(store, self.generation, name)[:limit]]

    def terms(self, name: str, passages: Sequence[int], n: int = 10) -> list[list[tuple[str, float]]]:
        """What the sparse representation ``name`` made of ``passages`` (numbers): each one's ``n`` strongest terms with weights.

        None for a passage that it does not hold yet. Raises `RecipeError` for a name that is no sparse representation.
        """
        from .retrieval.matches import top_terms

        return top_terms(self._encoders, self.snapshot, name, passages, n)

    def why(self, query: str, passages: Sequence[int], recipe: str | Recipe | None = None) -> list[list[Reason]]:
        """What of ``query`` each of ``passages`` met, by the learned-sparse and token representations that ``recipe`` uses.

        None where it uses neither; BM25's words are the highlights of a `Result`.
        """
        from .retrieval.matches import reasons, used_by

        chosen = self.searching.recipe(recipe)
        found: list[list[Reason]] = [[] for _ in passages]
        for name in used_by(chosen, representations(self.snapshot.manifest)):
            some = reasons(self._encoders, self.snapshot, name, query, passages)
            found = [a + b for a, b in zip(found, some, strict=True)]
        return found

    def count(self, name: str) -> int:
        """How many documents have this id, or come from the file of this path."""
        return len(self._find(self.snapshot.store, self.generation, name))

    def _find(self, store: Store, generation: int, name: str) -> list[int]:
        try:
            name.encode()
        except UnicodeEncodeError:  # half a character: no id has one
            return []
        return store.find(generation, name) or store.find(generation, str(Path(name).absolute()))

    def __iter__(self) -> Iterator[StoredDocument]:
        """All documents, in the order they were added."""
        store = self.snapshot.store
        for number in store.numbers(self.generation):
            yield store.document(number)

    def info(self) -> Info:
        """The state of the library, and its bytes on disk and in memory by part."""
        from .summary import summary

        return summary(self.snapshot)

    def memory_plan(self, ram: str | int | None = None, names: Iterable[str] | None = None) -> MemoryPlan:
        """What searching the representations ``names`` (all where None) takes: planned by part, and what is in use now.

        ``ram`` is the library's own where None. Raises `BudgetError` where it does not fit.
        """
        allowed = self.ram if ram is None else ram_of(ram)
        memory = plan_search(self.snapshot, allowed, names, self._encoders.nbytes)
        memory.check(f"searching {self.path}", self._smaller(allowed, names))
        if (anonymous := anonymous_bytes()) is not None:
            memory.measure("all anonymous memory", anonymous)
        return memory

    def _smaller(self, ram: int | None, names: Iterable[str] | None) -> str:
        """What else one could do where searching does not fit."""
        lexical = names is None or set(names) != {"bm25"}
        if not lexical or ram is None:
            return ""
        if any(segment.dense is not None and segment.dense.bits > 1 for segment in self.snapshot.segments):
            return f"make the sketches smaller: bookwheel compact --ram {round_up(ram)}"
        fits = plan_search(self.snapshot, ram, ["bm25"]).planned() <= ram
        return "search with --recipe bm25, which fits" if fits else ""

    def require(self, names: Iterable[str]) -> None:
        """Raise `BudgetError` where searching the representations ``names`` does not fit the library's budget."""
        if self.ram is None:
            return
        wanted = (self.generation, self._encoders.nbytes, frozenset(names))
        if wanted not in self._within:
            if self.ram < COMPILING:
                kernels.prepare()
            self.memory_plan(names=wanted[2])
            self._within = {*self._within, wanted} if len(self._within) < 100 else {wanted}

    def recall(self, k: int = 10, sample: int = 100) -> float:
        """Share of the true nearest ``k`` passages, by brute force over the float vectors, that dense search finds.

        The queries are the first words of ``sample`` passages drawn with the library's seed. Raises `UsageError` for a
        library without vectors.
        """
        from .retrieval.recall import dense_recall

        if self.encoder is None:
            raise UsageError(
                f"the library {self.path} has no dense vectors, so that recall cannot be measured; index with an encoder"
            )
        return dense_recall(self.snapshot, self.encoder, k, sample)

    # -- closing -------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of the files."""
        self._snapshot = None
        self._encoders.close()
        if self._store is not None:
            self._store.close()
            self._store = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<bookwheel.Library {str(self.path)!r}>"
