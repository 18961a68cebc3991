"""The library as programs and the command line use it."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from ._errors import LibraryEmpty, QueryError, UsageError
from .budget import BASE, DEFAULT, Bill, anonymous_bytes
from .documents.analyzers import highlight
from .documents.base import Document
from .documents.read import Fields
from .encode.base import BUILT_IN, DenseEncoder
from .library.encoders import encoder_of
from .library.manifest import Manifest
from .library.places import locate
from .library.results import IndexReport, Info, Result
from .library.retrievers import Bm25Retriever, DenseRetriever
from .library.settings import Settings
from .library.snapshot import Snapshot
from .library.store import PassageRow, Store, StoredDocument
from .progress import Progress, silent
from .rank.hits import Hits
from .rank.parse import check, parse_recipe
from .rank.recipe import Recipe
from .rank.run import Ranking, Retriever, run

__all__ = ["MAX_QUERY", "Library", "open_library"]

MAX_QUERY = 1 << 15
"""Longest query, in characters."""
MAX_K = 1_000_000


def open_library(name: str | Path = "default", *, create: bool = False, **settings: Any) -> Library:
    """Open the library ``name`` (a name, or a path), making it where ``create`` is true and there is none.

    ``settings`` are those of `Settings` (``unit``, ``words``, ``language``, ``encoder``, ``k1``, ``b``, ``recipe``, ``seed``).
    For a library that exists they must agree with its own, or a `UsageError` says which do not. Raises `LibraryNotFound`,
    `LibraryFormat`, `LibraryDamaged`, `StorageError`.
    """
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
    return Library(path)


class Library:
    """One collection on disk with its indexes. Use `carrel.open` to get one; safe to search from several threads.

    A library reads the generation that was current when it was first used; `refresh` moves on to the newest.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._store: Store | None = None
        self._snapshot: Snapshot | None = None

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
        ram: int | None = None,
        progress: Progress = silent,
    ) -> IndexReport:
        """Bring the library up to date with files, folders, globs or ``-`` (standard input).

        Only what changed since the last time is read; documents of files that disappeared from a given folder are removed
        unless ``prune`` is false. ``ram`` bounds the memory of building, in bytes. Interrupted at any instant, the same call
        goes on where it was. Raises `InputError` for paths that match nothing, `LibraryLocked`, `StorageError`, `BudgetError`.
        """
        from .library.indexing import index_paths
        from .library.writer import Writer

        given = [paths] if isinstance(paths, (str, Path)) else list(paths)
        with Writer(self.path, ram=ram) as writer:
            writer.plan()
            report = index_paths(writer, given, fields=fields, prune=prune, hidden=hidden, progress=progress)
        self.refresh()
        return report

    def add(self, documents: Iterable[Document], *, ram: int | None = None) -> IndexReport:
        """Add documents, replacing those of the same id that were added this way before."""
        from .library.indexing import add_documents
        from .library.writer import Writer

        with Writer(self.path, ram=ram) as writer:
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
        with writing(self.path) as writer:
            found = {name: self._find(writer.store, writer.manifest.generation, name) for name in given}
            if missing := [name for name, numbers in found.items() if not numbers]:
                raise UsageError(f"no document or file {', '.join(map(repr, missing))} in {self.path}; nothing was removed")
            count = writer.remove(sorted({number for numbers in found.values() for number in numbers}))
        self.refresh()
        return count

    def compact(self) -> None:
        """Merge all segments into one and let go of what was removed."""
        from .library.writer import Writer

        with Writer(self.path) as writer:
            writer.compact()
        self.refresh()

    def configure(self, **changes: Any) -> None:
        """Change ``k1``, ``b`` or ``recipe``; takes seconds, since no document is read again."""
        if fixed := changes.keys() - {"k1", "b", "recipe"}:
            raise UsageError(f"{', '.join(sorted(fixed))} cannot be changed in a library that exists; k1, b and recipe can")
        from .library.writer import Writer

        with Writer(self.path) as writer:
            settings = writer.manifest.settings.change(**changes)
            if "recipe" in changes:
                check(parse_recipe(settings.recipe), self._available(settings))
            writer.configure(settings)
        self.refresh()

    def check(self, progress: Progress = silent) -> list[str]:
        """Verify everything on disk against its checksums; one sentence for each problem, none where all is sound."""
        from .library.verify import problems

        return problems(self.path, progress)

    # -- searching -----------------------------------------------------------------------------------------------------

    def search(
        self,
        query: str,
        k: int = 10,
        *,
        recipe: str | Recipe | None = None,
        where: str | None = None,
        group: bool = False,
    ) -> list[Result]:
        """The best ``k`` passages for ``query``, best first; with ``group``, the best passage of each of ``k`` documents.

        ``recipe`` says how to rank (the library's own where None), ``where`` filters by metadata (``year >= 2020``).
        Raises `QueryError`, `RecipeError`, `FilterError`, `LibraryEmpty`, `ModelError`.
        """
        snapshot = self.snapshot
        if group:
            ranking, ids = self._grouped(query, k, recipe, where)
        else:
            ranking = self._rank(query, k, recipe, where)
            ids = ranking.hits.ids.tolist()
        rows = snapshot.store.passages(ids)
        at = {int(passage): place for place, passage in enumerate(ranking.hits.ids)}
        results: list[Result] = []
        analyzer = self.settings.analyzer
        assert analyzer is not None
        terms = frozenset(analyzer(query))
        matches: dict[str, bool] = {}
        for passage in ids:
            # A later compaction may have forgotten a passage that this older generation still ranks: it was removed.
            if (row := rows.get(passage)) is not None:
                marked = tuple(highlight(row.text, terms, analyzer, matches))
                results.append(_result(len(results) + 1, row, ranking, at[passage], marked))
        return results

    def rank(self, query: str, k: int = 10, *, recipe: str | Recipe | None = None, where: str | None = None) -> Hits:
        """Ids and scores of the best ``k`` passages, without fetching them."""
        return self._rank(query, k, recipe, where).hits

    def rank_documents(
        self, queries: Sequence[str], k: int, *, recipe: str | Recipe | None = None, where: str | None = None
    ) -> list[list[tuple[str, float]]]:
        """For each query the best ``k`` documents as (id, score), a document scoring as its best passage."""
        results = []
        for query in queries:
            ranking, ids = self._grouped(query, k, recipe, where)
            names = self.snapshot.store.documents_of(ids)
            scores = dict(zip(ranking.hits.ids.tolist(), ranking.hits.scores.tolist(), strict=True))
            results.append([(names[passage][1], scores[passage]) for passage in ids if passage in names])
        return results

    def _rank(self, query: str, k: int, recipe: str | Recipe | None, where: str | None) -> Ranking:
        if not isinstance(k, int) or not 1 <= k <= MAX_K:
            raise UsageError(f"k = {k!r} results; give a whole number from 1 to {MAX_K}")
        snapshot, settings = self.snapshot, self.settings
        if settings.analyzer is None or not snapshot.passages:
            raise LibraryEmpty(f"the library {self.path} is empty; fill it with: carrel index PATH")
        text = _checked(query)
        available = self._available(settings)
        chosen = self._recipe(recipe, settings, available)
        masks = snapshot.masks(where)
        retrievers: dict[str, Retriever] = {}
        for name in chosen.retrievers():
            if name == "bm25":
                retrievers[name] = Bm25Retriever(snapshot, settings.analyzer(text), masks)
            elif self.encoder is not None:
                retrievers[name] = DenseRetriever(snapshot, self.encoder.encode([text])[0], masks)
        return run(chosen, retrievers, k)

    def _available(self, settings: Settings) -> set[str]:
        return {"bm25"} if settings.encoder is None else {"bm25", "dense"}

    def _recipe(self, recipe: str | Recipe | None, settings: Settings, available: set[str]) -> Recipe:
        if recipe is None:
            own = parse_recipe(settings.recipe)
            # The default, hybrid, means all there is: for a library without vectors that is BM25.
            return own if set(own.retrievers()) <= available else parse_recipe("bm25")
        chosen = parse_recipe(recipe)
        check(chosen, available)
        return chosen

    def _grouped(self, query: str, k: int, recipe: str | Recipe | None, where: str | None) -> tuple[Ranking, list[int]]:
        """A ranking deep enough to have ``k`` documents in it, and the best passage of each."""
        depth = 2 * k if self.settings.unit != "document" else k
        while True:
            ranking = self._rank(query, min(depth, MAX_K), recipe, where)
            ids = ranking.hits.ids.tolist()
            documents = self.snapshot.store.documents_of(ids)
            best: dict[int, int] = {}
            for passage in ids:
                if passage in documents:
                    best.setdefault(documents[passage][0], passage)
            if len(best) >= k or len(ids) < depth or depth >= MAX_K:
                return ranking, list(best.values())[:k]
            depth *= 4

    # -- looking -------------------------------------------------------------------------------------------------------

    def get(self, name: str, limit: int | None = None) -> list[StoredDocument]:
        """The documents with this id, or from the file of this path (none where there is none); the first ``limit`` of them."""
        store = self.snapshot.store
        return [store.document(number) for number in self._find(store, self.generation, name)[:limit]]

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
        snapshot = self.snapshot
        disk: dict[str, int] = dict(snapshot.store.sizes())
        memory: dict[str, int] = {}
        for segment in snapshot.segments:
            for folder in segment.folders():
                kind = folder.folder.name.split("-0")[0]
                for name, size in folder.sizes().items():
                    disk[f"{kind}/{name}"] = disk.get(f"{kind}/{name}", 0) + size
            memory["sparse directory"] = memory.get("sparse directory", 0) + segment.sparse.hot_bytes
            if segment.dense is not None:
                memory["dense sketches"] = memory.get("dense sketches", 0) + segment.dense.hot_bytes
        return Info(
            path=str(self.path),
            generation=self.generation,
            documents=self.documents,
            passages=self.passages,
            removed_passages=snapshot.removed_passages,
            segments=len(snapshot.segments),
            settings=self.settings,
            fields=tuple(snapshot.store.fields()),
            disk=disk,
            memory=memory,
        )

    def bill(self, ram: int | None = None) -> Bill:
        """What searching takes: planned by part, and the process's anonymous memory as it is now."""
        bill = Bill(ram or DEFAULT)
        bill.plan("Python, numpy, compiled kernels", BASE)
        for part, size in self.info().memory.items():
            bill.plan(part, size)
            bill.measure(part, size)
        bill.check("searching")
        if (anonymous := anonymous_bytes()) is not None:
            bill.measure("all anonymous memory", anonymous)
        return bill

    def recall(self, k: int = 10, sample: int = 100) -> float:
        """Share of the true nearest ``k`` passages, by brute force over the float vectors, that dense search finds.

        The queries are the first words of ``sample`` passages drawn with the library's seed. Raises `UsageError` for a
        library without vectors.
        """
        if self.encoder is None:
            raise UsageError(f"the library {self.path} has no vectors; dense recall needs an encoder")
        snapshot = self.snapshot
        alive = np.concatenate([segment.ids for segment in snapshot.segments] or [np.empty(0, np.int64)])
        chosen = random.Random(self.settings.seed).sample(alive.tolist(), min(sample, len(alive)))
        texts = [" ".join(row.text.split()[:12]) for row in snapshot.store.passages(chosen).values()]
        vectors = [vector for vector in self.encoder.encode(texts) if vector.any()]
        if not vectors:
            raise LibraryEmpty(f"the library {self.path} is empty; fill it with: carrel index PATH")
        found = total = 0
        for vector in vectors:
            hits = DenseRetriever(snapshot, vector, snapshot.alive).retrieve(k)
            parts = []
            for segment, mask in zip(snapshot.segments, snapshot.alive, strict=True):
                if segment.dense is not None:
                    exact = segment.dense.exact(vector, k, mask)
                    parts.append(Hits(segment.ids[exact.ids], exact.scores))
            truth = Hits.merged(parts, k)
            found += len(np.intersect1d(hits.ids, truth.ids))
            total += len(truth)
        return found / max(total, 1)

    # -- closing -------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of the files."""
        self._snapshot = None
        if self._store is not None:
            self._store.close()
            self._store = None

    def __enter__(self) -> Library:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<carrel.Library {str(self.path)!r}>"


def _checked(query: str) -> str:
    if not isinstance(query, str):
        raise QueryError(f"a query is a text, not {type(query).__name__}")
    text = query.strip()
    if not text:
        raise QueryError('the query is empty; give words to search for, as in: carrel search "block max index"')
    if len(text) > MAX_QUERY:
        raise QueryError(f"the query has {len(text)} characters where {MAX_QUERY} are allowed; give its most telling words")
    if "\0" in text:
        raise QueryError("the query has NUL characters; give plain words")
    return text


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
