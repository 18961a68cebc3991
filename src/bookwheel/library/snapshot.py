"""A library as it stood at one generation: what every reader searches, whatever a writer does meanwhile."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import FilterError, LibraryChanged, LibraryDamaged
from ..analysis.library_analyzer import LibraryAnalyzer
from ..index.dense import DenseIndex
from ..kernels.bm25 import Bm25, idf
from .filters.parse import BUILT_IN, FILE_FIELDS, parse_filter
from .leases import Lease
from .manifest import Manifest
from .segment import Segment, bitmap
from .static_pruning.marks import Marks, inside
from .store import Store
from .vectors.adapter import Adapter

__all__ = ["Masks", "Snapshot"]

Masks = Sequence[NDArray[np.uint64] | None]
"""For each segment a bitmap of the passages that may be returned; None where all may."""

FILTERS_KEPT = 32
REMEMBERED = 100_000
"""Terms whose frequency is remembered."""
PATIENCE = 10.0
TRIES = 3
"""So many times one and the same generation must have been found damaged."""
ASKED = 16
"""Segments whose dictionaries are read at once where they are on disk."""


class Snapshot:
    """The segments, the deletions and the statistics of one generation.

    All its files are mapped and its rows kept (`leases`) for as long as it is there, whatever a writer does meanwhile.
    """

    def __init__(self, library: Path, manifest: Manifest, store: Store, lease: Lease | None = None) -> None:
        self.library = library
        self.manifest = manifest
        self.store = store
        vectors = manifest.settings.encoder is not None
        self.segments = [Segment(library, entry, vectors=vectors) for entry in manifest.segments]
        for segment in self.segments:
            segment.require_own_files()
        self.adapters = {
            one.adapter: Adapter.open(library / one.adapter) for one in manifest.representations if one.adapter is not None
        }
        """By folder: the maps from the query vectors of a representation to those of the one that it replaces."""
        self.marks = None if manifest.pruned is None else Marks.opened(library, manifest.pruned)
        """The passages that are left out (`static_pruning`); None where there are none."""
        self._lease = lease
        self._filters: OrderedDict[tuple[str, bool], Masks] = OrderedDict()
        self._frequencies: dict[str, int] = {}
        self._idf: dict[str, float] = {}
        self.word_terms: dict[str, tuple[str, ...]] = {}
        """The terms of raw words that answers have met, see `wording`."""
        self._missing: dict[str, list[NDArray[np.int64]]] = {}
        self._begun: set[str] = set()
        self.words: dict[str, Any] = {}
        """What words of queries are as terms (`retrieval.query_terms`)."""

    @classmethod
    def open(cls, library: Path) -> Snapshot:
        """The current generation, with a store of its own.

        Raises `LibraryDamaged`, `StorageError`, and `LibraryChanged` where writers were always faster for `PATIENCE` seconds.
        """
        deadline = time.monotonic() + PATIENCE
        damage = 0
        while True:
            manifest = Manifest.read(library)
            store: Store | None = None
            if (lease := Lease.take(library, manifest.generation)) is not None:
                try:
                    store = Store(library)
                    store.bind(manifest.id, manifest.generation)
                    return cls(library, manifest, store, lease)
                except (LibraryDamaged, LibraryChanged) as error:
                    lease.release()
                    if store is not None:
                        store.close()
                    if Manifest.read(library).version == manifest.version:
                        damage += 1  # unless its folder is just being deleted or made anew
                        if damage == TRIES:
                            if isinstance(error, LibraryDamaged):
                                raise
                            raise LibraryDamaged(f"{error}; index the sources again into a new library") from error
                except BaseException:
                    lease.release()
                    if store is not None:
                        store.close()
                    raise
            if time.monotonic() > deadline:
                raise LibraryChanged(f"{library} changes faster than it can be opened; try again when its writer is done")
            time.sleep(0.02 if damage else 0.002)

    def close(self) -> None:
        """Close the database; the memory of the arrays goes back with the last that uses them."""
        self.store.close()
        if self._lease is not None:
            self._lease.release()

    def begin(self, names: Iterable[str]) -> None:
        """Ask the system for what searching the representations ``names`` reads whole, before the first search by them.

        Whatever else comes first then does not wait for it: BM25 is searched while the sketches are on their way.
        """
        if new := set(names) - self._begun:
            self._begun |= new
            waiting = []
            for segment in self.segments:
                if "bm25" in new:
                    segment.sparse  # noqa: B018 - opened, before the disk is busy with sketches
                for name in sorted(new):
                    if (representation := self.manifest.representation(name)) is not None:
                        waiting += [part.index for part in segment.parts_of(representation.key)]
                    elif name == "dense":
                        waiting.append(segment.dense)
            for index in waiting:
                if isinstance(index, DenseIndex):
                    index.warm()

    @property
    def generation(self) -> int:
        """The number of the commit."""
        return self.manifest.generation

    @property
    def documents(self) -> int:
        """Documents alive."""
        return self.manifest.documents

    @cached_property
    def _gone(self) -> list[NDArray[np.int64]]:
        """For each segment the local positions of the passages whose documents were removed, rising."""
        ranges = self.store.removed_ranges(self.generation)
        return [np.sort(segment.positions(ranges)) for segment in self.segments]

    @cached_property
    def _removed(self) -> list[NDArray[np.int64]]:
        """Of these, and of the passages left out."""
        if self.marks is None:
            return self._gone
        out = [segment.locate(self.marks.passages)[1] for segment in self.segments]
        return [np.union1d(gone, left) for gone, left in zip(self._gone, out, strict=True)]

    @cached_property
    def alive(self) -> Masks:
        """Masks of the passages that are searched: not removed, and not left out."""
        return self._without(self._removed)

    @cached_property
    def kept(self) -> Masks:
        """Masks of the passages not removed, those left out among them."""
        return self.alive if self.marks is None else self._without(self._gone)

    def _without(self, positions: Sequence[NDArray[np.int64]]) -> Masks:
        return [
            bitmap(len(segment.ids), some, False) if len(some) else None
            for segment, some in zip(self.segments, positions, strict=True)
        ]

    @cached_property
    def removed_passages(self) -> int:
        """Passages that are removed but still take room in a segment."""
        return sum(map(len, self._gone))

    @cached_property
    def pruned_passages(self) -> int:
        """Passages that are left out, of documents that are there."""
        if self.marks is None:
            return 0
        return int((~inside(self.marks.passages, self.store.removed_ranges(self.generation))).sum())

    def dropped(self, where: str | None = None) -> NDArray[np.int64]:
        """Those of them that no segment has any more, of documents that meet the filter ``where``: int64, rising."""
        if self.marks is None:
            return np.empty(0, np.int64)
        out = self.marks.passages
        held = [segment.locate(out)[0] for segment in self.segments]
        out = np.delete(out, np.concatenate(held)) if held else np.asarray(out)
        if where is None:
            return out[~inside(out, self.store.removed_ranges(self.generation))]
        return out[inside(out, self.store.matching_ranges(self.generation, *self._condition(where)))]

    def _condition(self, where: str) -> tuple[str, Sequence[Any]]:
        """A filter in SQL, with its parameters. Raises `FilterError`."""
        condition = parse_filter(where)
        self.require_fields(condition.fields)
        return condition.sql()

    @cached_property
    def unjudged_passages(self) -> int:
        """Passages added since some were left out; 0 where none are."""
        if (pruned := self.manifest.pruned) is None:
            return 0
        starts = [int(np.searchsorted(segment.ids, pruned.until)) for segment in self.segments]
        return sum(
            len(segment.ids) - start - int((gone >= start).sum())
            for segment, start, gone in zip(self.segments, starts, self._gone, strict=True)
        )

    @cached_property
    def passages(self) -> int:
        """Passages that are searched."""
        return sum(entry.passages for entry in self.manifest.segments) - sum(map(len, self._removed))

    @cached_property
    def analyzer(self) -> LibraryAnalyzer:
        """How words become terms, in the languages of what is alive."""
        return LibraryAnalyzer(self.manifest.settings.fixed_analyzer, self.manifest.languages)

    @cached_property
    def bm25(self) -> Bm25:
        """The parameters of BM25."""
        return Bm25(self.manifest.settings.k1, self.manifest.settings.b)

    @cached_property
    def average_length(self) -> float:
        """Mean length of the passages alive, in terms."""
        total = sum(entry.terms for entry in self.manifest.segments)
        for segment, removed in zip(self.segments, self._removed, strict=True):
            if len(removed):
                total -= int(segment.sparse.lengths[removed].sum(dtype=np.int64))
        return total / max(self.passages, 1)

    def idf(self, terms: Sequence[str]) -> NDArray[np.float64]:
        """BM25's inverse document frequency of each of ``terms`` over the living passages: float64 of shape (len(terms),)."""
        known = self._idf
        try:
            return np.array([known[term] for term in terms], np.float64)
        except KeyError:
            pass
        if len(known) > REMEMBERED:  # not cleared: another thread may be reading it
            known = self._idf = {}
        every = list(dict.fromkeys(terms))
        known.update(zip(every, idf(self.document_frequencies(every), self.passages).tolist(), strict=True))
        return np.array([known[term] for term in terms], np.float64)

    def document_frequencies(self, terms: Sequence[str]) -> NDArray[np.int64]:
        """In how many living passages each of ``terms`` occurs: int64 of shape (len(terms),)."""
        known = self._frequencies
        if missing := [term for term in dict.fromkeys(terms) if term not in known]:
            if len(self.segments) > 1 and any(segment.sparse.cold() for segment in self.segments):
                with ThreadPoolExecutor(min(len(self.segments), ASKED)) as pool:  # what they wait for is the disk
                    list(pool.map(lambda segment: segment.sparse.records(missing), self.segments))
            counts = np.zeros(len(missing), np.int64)
            for segment, removed in zip(self.segments, self._removed, strict=True):
                counts += segment.sparse.document_frequencies(missing, removed)
            if len(known) > REMEMBERED:
                known = self._frequencies = {term: known[term] for term in terms if term in known}
            known.update(zip(missing, counts.tolist(), strict=True))
        return np.array([known[term] for term in terms], np.int64)

    def missing(self, key: str) -> list[NDArray[np.int64]]:
        """For each segment the local positions of the passages not embedded for representation ``key``, rising."""
        if key not in self._missing:
            missing = []
            for segment, removed in zip(self.segments, self._removed, strict=True):
                absent = np.ones(len(segment.ids), np.bool_)
                absent[removed] = False
                for part in segment.parts_of(key):
                    absent[part.positions] = False
                missing.append(np.flatnonzero(absent))
            self._missing[key] = missing
        return self._missing[key]

    def complete(self, key: str) -> bool:
        """Whether every passage is embedded for representation ``key``."""
        # Counting is enough where nothing was removed; it reads no array.
        if all(entry.embedded(key) == entry.passages for entry in self.manifest.segments):
            return True
        return any(map(len, self._removed)) and not any(map(len, self.missing(key)))

    def require_fields(self, names: Sequence[str]) -> None:
        """Raise `FilterError` for a field that no document has, `LibraryDamaged` for one whose values are damaged."""
        known = self.store.fields()
        if unknown := [name for name in names if name not in (*BUILT_IN, *FILE_FIELDS) and name not in known]:
            fields = list(dict.fromkeys([*BUILT_IN, *self.store.file_fields(), *known]))[:30]
            raise FilterError(f"no document has a field {unknown[0]!r:.100}; the fields are {', '.join(fields)}")
        for name in names:
            self.store.require_field(name)

    def masks(self, where: str | None, *, pruned: bool = False) -> Masks:
        """Masks of the living passages whose document meets the filter ``where``; with ``pruned``, of those left out too.

        Raises `FilterError`.
        """
        if where is None:
            return self.kept if pruned else self.alive
        key = where, pruned and self.marks is not None
        if (known := self._filters.get(key)) is not None:
            return known
        sql, parameters = self._condition(where)
        with self.store.noting() as met:
            ranges = self.store.matching_ranges(self.generation, sql, parameters)
        masks: Masks = [segment.mask(ranges) for segment in self.segments]
        if self.marks is not None and not pruned:
            masks = [one if out is None or one is None else one & out for one, out in zip(masks, self.alive, strict=True)]
        if met:  # named by each search with this filter
            for sentence in met:
                self.store.met(sentence)
            return masks
        self._filters[key] = masks
        if len(self._filters) > FILTERS_KEPT:
            self._filters.popitem(last=False)
        return masks  # not what is kept: another thread may have dropped that
