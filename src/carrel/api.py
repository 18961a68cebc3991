"""The library as programs and the command line use it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ._errors import UsageError
from .budget import Bill, anonymous_bytes, ram_of
from .documents.base import Document
from .documents.read import Fields
from .encode.base import BUILT_IN, DenseEncoder
from .library.bills import search_bill
from .library.context import representations
from .library.encoders import encoder_of
from .library.manifest import Manifest
from .library.places import locate
from .library.represented import Represented
from .library.results import IndexReport, Info, RefineReport, Result
from .library.settings import Representation, Settings
from .library.snapshot import Snapshot
from .library.store import Store, StoredDocument
from .progress import Progress, silent
from .rank.check import check
from .rank.explained import Ranking
from .rank.hits import Hits
from .rank.parse import parse_recipe
from .rank.query_state import Query
from .rank.recipe import Recipe
from .searching import MAX_QUERY, Searching

if TYPE_CHECKING:
    from .library.why import Reason

__all__ = ["MAX_QUERY", "Library", "open_library"]


def open_library(
    name: str | Path = "default", *, create: bool = False, ram: str | int | None = None, **settings: Any
) -> Library:
    """Open the library ``name`` (a name, or a path), making it where ``create`` is true and there is none.

    ``settings`` are those of `Settings` (``unit``, ``words``, ``language``, ``encoder``, ``k1``, ``b``, ``recipe``, ``seed``).
    For a library that exists they must agree with its own, or a `UsageError` says which do not. ``ram`` is the memory that
    this process may use for it (``"512MB"``, or bytes; at least 256 MB), while building and while searching; 1 GB for building
    where it is None. Raises `LibraryNotFound`, `LibraryFormat`, `LibraryDamaged`, `StorageError`, `BudgetError`.
    """
    allowed = None if ram is None else ram_of(ram)
    path = locate(name)
    encoder = settings.get("encoder")
    if encoder is not None and encoder not in BUILT_IN:
        folder = Path(os.path.expanduser(encoder))  # noqa: PTH111 - Path.expanduser raises for a user there is not
        if folder.is_dir():
            settings["encoder"] = str(folder.absolute())  # it must be found from any folder later
    wanted = Settings().change(**settings)
    if create and not (path / "manifest.json").is_file():
        from .library import making

        making.create(path, wanted)
    manifest = Manifest.read(path)
    differing = [
        f"{key} {value!r} (it has {getattr(manifest.settings, key)!r})"
        for key, value in settings.items()
        if getattr(manifest.settings, key) != value
    ]
    if differing:
        raise UsageError(
            f"the library {path} was made with other settings than {', '.join(differing)}; leave them out, change k1, b and "
            "recipe with `carrel configure`, or index into another library with --library"
        )
    return Library(path, ram=allowed)


class Library:
    """One collection on disk with its indexes. Use `carrel.open` to get one; safe to search from several threads.

    A library reads the generation that was current when it was first used; `refresh` moves on to the newest.
    """

    def __init__(self, path: Path, *, ram: int | None = None) -> None:
        self.path = path
        self.ram = ram
        """The budget in bytes; None where none was named."""
        self._within: set[tuple[int, int, frozenset[str]]] = set()
        self._store: Store | None = None
        self._snapshot: Snapshot | None = None
        self.represented = Represented(path)

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

    @cached_property
    def encoder(self) -> DenseEncoder | None:
        """The dense encoder, loaded when first needed; None for a lexical library. Raises `ModelError`."""
        return encoder_of(self.settings)

    # -- changing ------------------------------------------------------------------------------------------------------

    def index(
        self,
        paths: str | Path | Sequence[str | Path],
        *,
        fields: Fields = Fields(),  # noqa: B008 - immutable
        prune: bool = True,
        hidden: bool = False,
        ram: str | int | None = None,
        progress: Progress = silent,
    ) -> IndexReport:
        """Bring the library up to date with files, folders, globs or ``-`` (standard input).

        Only what changed since the last time is read; documents of files that disappeared from a given folder are removed
        unless ``prune`` is false. ``ram`` bounds the memory of building (the library's own where None). Interrupted at any
        instant, the same call goes on where it was. Raises `InputError` for paths that match nothing, `LibraryLocked`,
        `StorageError`, `BudgetError`.
        """
        from .library.indexing import index_paths
        from .library.writer import Writer

        given = [paths] if isinstance(paths, (str, Path)) else list(paths)
        with Writer(self.path, ram=self._allowed(ram)) as writer:
            writer.plan()
            report = index_paths(writer, given, fields=fields, prune=prune, hidden=hidden, progress=progress)
        self.refresh()
        return report

    def add(self, documents: Iterable[Document], *, ram: str | int | None = None) -> IndexReport:
        """Add documents, replacing those of the same id that were added this way before."""
        from .library.indexing import add_documents
        from .library.writer import Writer

        with Writer(self.path, ram=self._allowed(ram)) as writer:
            writer.plan()
            report = add_documents(writer, documents)
        self.refresh()
        return report

    def remove(self, names: str | Sequence[str]) -> int:
        """Remove the documents with these ids, or from the files of these paths; returns how many there were.

        Raises `UsageError`, removing nothing, where a name is neither.
        """
        from .library.writer import writing

        given = [names] if isinstance(names, str) else list(names)
        with writing(self.path, self.ram) as writer:
            found = {name: self._find(writer.store, writer.manifest.generation, name) for name in given}
            if missing := [name for name, numbers in found.items() if not numbers]:
                raise UsageError(f"no document or file {', '.join(map(repr, missing))} in {self.path}; nothing was removed")
            count = writer.remove(sorted({number for numbers in found.values() for number in numbers}))
        self.refresh()
        return count

    def _allowed(self, ram: str | int | None) -> str | int | None:
        return self.ram if ram is None else ram

    def compact(self, *, ram: str | int | None = None, progress: Progress = silent) -> None:
        """Merge all segments into one and let go of what was removed. Searches may go on meanwhile, in any process.

        ``ram`` bounds the memory (the library's own where None). Raises `LibraryLocked`, `StorageError`, `BudgetError`.
        """
        from .library.writer import Writer

        with Writer(self.path, ram=self._allowed(ram)) as writer:
            writer.compact(progress)
        self.refresh()

    def configure(self, **changes: Any) -> None:
        """Change ``k1``, ``b`` or ``recipe``; takes seconds, since no document is read again."""
        if fixed := changes.keys() - {"k1", "b", "recipe"}:
            raise UsageError(f"{', '.join(sorted(fixed))} cannot be changed in a library that exists; k1, b and recipe can")
        from .library.writer import Writer

        with Writer(self.path, ram=self.ram) as writer:
            settings = writer.manifest.settings.change(**changes)
            if "recipe" in changes:
                check(parse_recipe(settings.recipe, self.recipes), representations(writer.manifest))
            writer.configure(settings)
        self.refresh()

    def represent(
        self, name: str, encoder: Any, *, kind: str = "dense", replace: bool = False, bits: int | None = None
    ) -> Representation:
        """Give the library one more representation, called ``name`` in recipes; `refine` fills it.

        ``encoder`` is the name or folder of a model, a function from texts to vectors, or an encoder (`carrel.encode.base`);
        ``kind`` is ``dense``, ``sparse`` or ``tokens`` (``bits``: 1, 2 or 4 a dimension). Where ``name`` is made by another model
        this is refused unless ``replace``: then the old vectors serve until the new ones are complete. Raises `UsageError`,
        `ModelError`, `LibraryLocked`.
        """
        from .library.representing import represent

        made = represent(self.path, self.represented, name, encoder, kind=kind, replacing=replace, bits=bits)
        self.refresh()
        return made

    def attach(
        self,
        name: str,
        vectors: Any,
        *,
        encoder: Any = None,
        replace: bool = False,
        ram: str | int | None = None,
    ) -> Representation:
        """Give the library a representation ``name`` of vectors that were made elsewhere.

        ``vectors``: an array (n, d) or a ``.npy`` file of one, a row for each passage in the order of ``carrel export --passages`` or
        for each document in that of ``carrel export``; or weighted terms by document or passage: ``.jsonl`` of ``{"id": …,
        "vector": {term: weight}}``, or ``.ciff``. ``encoder`` encodes queries and what is added later. All of it is checked before
        anything is changed: raises `InputError`, `UsageError`, `ModelError`, `BudgetError`, `LibraryLocked`.
        """
        from .library.attaching import attach

        made = attach(self.path, self.represented, name, vectors, encoder=encoder, replacing=replace, ram=self._allowed(ram))
        self.refresh()
        return made

    def forget(self, name: str) -> int:
        """Take representation ``name`` out of the library; returns how many passages it held."""
        from .library.representing import forget

        held = forget(self.path, name)
        self.refresh()
        return held

    def refine(
        self,
        names: str | Sequence[str] | None = None,
        *,
        cpu: float = 1.0,
        minutes: float | None = None,
        ram: str | int | None = None,
        passages: int | None = None,
        progress: Progress = silent,
    ) -> list[RefineReport]:
        """Encode passages for the representations ``names`` (all that are not complete where None), the most useful first.

        Every few thousand passages are committed, and found by searches at once; interrupted at any instant, the same call goes
        on where it was. ``cpu`` is the share of all cores it may take, ``minutes`` and ``passages`` bound the work, ``ram`` its
        memory. Raises `ModelError`, `BudgetError`, `LibraryLocked`.
        """
        from .library.refine import Limits, refine_all

        given = [names] if isinstance(names, str) else names
        limits = Limits(cpu, None if minutes is None else 60 * minutes, self._allowed(ram), passages)
        reports = refine_all(self.path, self.represented, given, limits, progress=progress)
        self.refresh()
        return reports

    def refinement(self) -> list[RefineReport]:
        """How much of each representation is filled."""
        from .library.refine import state

        return [state(self.snapshot, representation) for representation in self.snapshot.manifest.representations]

    def check(self, progress: Progress = silent) -> list[str]:
        """Verify everything on disk against its checksums; one sentence for each problem, none where all is sound."""
        from .library.verify import problems

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

    def save_recipe(self, name: str, recipe: str | Recipe | None) -> None:
        """Keep a recipe under ``name``; None forgets it. Raises `RecipeError` for one that this library cannot run."""
        from .library.named_recipes import save_recipe

        chosen = None if recipe is None else self.searching.recipe(recipe)
        save_recipe(self.path, name, chosen, representations(self.snapshot.manifest))

    # -- looking -------------------------------------------------------------------------------------------------------

    def get(self, name: str, limit: int | None = None) -> list[StoredDocument]:
        """The documents with this id, or from the file of this path (none where there is none); the first ``limit`` of them."""
        store = self.snapshot.store
        return [store.document(number) for number in self._find(store, self.generation, name)[:limit]]

    def terms(self, name: str, passages: Sequence[int], n: int = 10) -> list[list[tuple[str, float]]]:
        """What the sparse representation ``name`` made of ``passages`` (numbers): each one's ``n`` strongest terms with weights.

        None for a passage that it does not hold yet. Raises `RecipeError` for a name that is no sparse representation.
        """
        from .library.why import top_terms

        return top_terms(self.represented, self.snapshot, name, passages, n)

    def why(self, query: str, passages: Sequence[int], recipe: str | Recipe | None = None) -> list[list[Reason]]:
        """What of ``query`` each of ``passages`` met, by the learned-sparse and token representations that ``recipe`` uses.

        None where it uses neither; BM25's words are the highlights of a `Result`.
        """
        from .library.why import reasons, used_by

        chosen = self.searching.recipe(recipe)
        found: list[list[Reason]] = [[] for _ in passages]
        for name in used_by(chosen, representations(self.snapshot.manifest)):
            some = reasons(self.represented, self.snapshot, name, query, passages)
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
        """The state of the library and its bill of bytes by part."""
        from .library.summary import summary

        return summary(self.snapshot)

    def bill(self, ram: str | int | None = None, names: Iterable[str] | None = None) -> Bill:
        """What searching the representations ``names`` (all where None) takes: planned by part, and what is in use now.

        ``ram`` is the library's own where None. Raises `BudgetError` where it does not fit.
        """
        allowed = self.ram if ram is None else ram_of(ram)
        bill = search_bill(self.snapshot, allowed, names, self.represented.encoder_bytes())
        bill.check(f"searching {self.path}", self._smaller(allowed, names))
        if (anonymous := anonymous_bytes()) is not None:
            bill.measure("all anonymous memory", anonymous)
        return bill

    def _smaller(self, ram: int | None, names: Iterable[str] | None) -> str:
        """What else one could do where searching does not fit."""
        lexical = names is None or set(names) != {"bm25"}
        fits = lexical and ram is not None and search_bill(self.snapshot, ram, ["bm25"]).planned() <= ram
        return "search with --recipe bm25, which fits" if fits else ""

    def require(self, names: Iterable[str]) -> None:
        """Raise `BudgetError` where searching the representations ``names`` does not fit the library's budget."""
        if self.ram is None:
            return
        wanted = (self.generation, self.represented.encoder_bytes(), frozenset(names))
        if wanted not in self._within:
            self.bill(names=wanted[2])
            self._within = {*self._within, wanted} if len(self._within) < 100 else {wanted}

    def recall(self, k: int = 10, sample: int = 100) -> float:
        """Share of the true nearest ``k`` passages, by brute force over the float vectors, that dense search finds.

        The queries are the first words of ``sample`` passages drawn with the library's seed. Raises `UsageError` for a
        library without vectors.
        """
        from .library.recall import dense_recall

        if self.encoder is None:
            raise UsageError(f"the library {self.path} has no vectors; dense recall needs an encoder")
        return dense_recall(self.snapshot, self.encoder, k, sample)

    # -- closing -------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of the files."""
        self._snapshot = None
        self.represented.close()
        if self._store is not None:
            self._store.close()
            self._store = None

    def __enter__(self) -> Library:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<carrel.Library {str(self.path)!r}>"
