"""The background worker: encodes passages, the most useful first, and commits them chunk by chunk.

What is encoded goes into the side cache at once, where searches find it, and from there into the library, a few thousand passages
a commit. The writer's lock is held only while committing, so that `index` and `refine` can run beside each other. Killed at any
instant, a worker loses at most the batch it was at.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..._errors import LibraryLocked, StorageError
from ..._system import anonymous_bytes
from ...encode.protocols import nbytes
from ...encode.remote import Estimate, RemoteEncoder
from ...hits import Hits
from ...memory.plan import MemoryPlan
from ...memory.shares import BASE
from ...memory.sizes import MIB, ram_of
from ...progress import Progress, silent
from ..indexing import interruptible
from ..manifest import Manifest
from ..passage_texts import passage_texts
from ..results import RefineReport
from ..retrieval.partial import cache_key
from ..settings import Representation
from ..snapshot import Snapshot
from ..store import Store
from ..writer import Writer
from .calibration import fit_adapter_of, fit_line_of
from .commit import finished, fold, replaced, sweep
from .encoders import Represented
from .kinds import kind_of
from .order import likely_queries, next_passages

__all__ = ["Limits", "costs", "refine", "refine_all", "state"]

BATCH = 64
"""Passages given to the encoder at a time: what an interruption can cost."""
CHUNK = 2048
"""Passages after which the order is made anew and what was encoded is committed."""
CHUNK_SECONDS = 60.0
"""The same, by time."""
CHUNK_BYTES = 32 * MIB
FEWEST = 64
"""Passages with a vector before anything is fitted on them."""
SAMPLE = 1000
"""Passages looked at to tell what the others would cost."""
PATIENCE = 600.0
"""Seconds to wait for another writer, while what was encoded is safe in the cache."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a refinement may take."""

    cpu: float = 1.0
    """Share of all cores, on average."""
    seconds: float | None = None
    ram: str | int | None = None
    passages: int | None = None


def refine(
    library: Path,
    represented: Represented,
    name: str,
    limits: Limits,
    *,
    progress: Progress = silent,
    stop: Callable[[], bool] = lambda: False,
) -> RefineReport:
    """Fill the representation ``name`` until it is complete, a limit is met, or ``stop()`` says so.

    Raises `BudgetError` where the model does not fit, `ModelError` for a model that is missing or gives what are no vectors: what
    was encoded before is kept.
    """
    store = Store(library)
    try:
        return _Worker(library, store, represented, name, limits, progress, stop).run()
    finally:
        store.close()


def refine_all(
    library: Path,
    represented: Represented,
    names: Sequence[str] | None,
    limits: Limits,
    *,
    progress: Progress = silent,
) -> list[RefineReport]:
    """`refine` for each of ``names`` (all where None), within ``limits`` together; Ctrl-C ends it after the passages at hand.

    Raises `RecipeError` for a name that there is not.
    """
    manifest = Manifest.read(library)
    chosen = names
    if chosen is None:
        # What was made elsewhere nobody here can go on with.
        chosen = list(dict.fromkeys(r.name for r in manifest.representations if represented.can_encode(r)))
    for name in chosen:
        represented.named(manifest, name)
    reports: list[RefineReport] = []
    began = time.monotonic()
    with interruptible() as stop:
        for name in chosen:
            seconds, passages = limits.seconds, limits.passages
            left = replace(
                limits,
                seconds=None if seconds is None else seconds - (time.monotonic() - began),
                passages=None if passages is None else passages - sum(report.encoded for report in reports),
            )
            reports.append(refine(library, represented, name, left, progress=progress, stop=stop))
            if stop():
                raise KeyboardInterrupt
    return reports


def costs(
    library: Path, represented: Represented, names: Sequence[str] | None, passages: int | None = None
) -> dict[str, tuple[RemoteEncoder, Estimate]]:
    """What filling ``names`` (all where None) would ask of models behind an address, by name; no request is made."""
    store = Store(library)
    try:
        snapshot = Snapshot.open(library, store)
        found: dict[str, tuple[RemoteEncoder, Estimate]] = {}
        for representation in snapshot.manifest.representations:
            if (names is not None and representation.name not in names) or not represented.can_encode(representation):
                continue
            encoder = represented.encoder(representation)
            absent = [s.ids[at] for s, at in zip(snapshot.segments, snapshot.unfilled(representation.key), strict=True)]
            missing = np.concatenate([np.empty(0, np.int64), *absent])
            if isinstance(encoder, RemoteEncoder) and len(missing):
                texts = represented.texts(snapshot, missing[:: -(-len(missing) // SAMPLE)])
                mean = sum(map(len, texts)) / max(len(texts), 1)
                estimate = encoder.estimate_many(len(missing) if passages is None else min(len(missing), passages), mean)
                found[representation.name] = encoder, estimate
        return found
    finally:
        store.close()


def state(snapshot: Snapshot, representation: Representation) -> RefineReport:
    """How much of ``representation`` is filled."""
    report = RefineReport(representation.name, representation.kind, representation.info.name)
    report.passages = snapshot.passages
    report.filled = report.passages - sum(map(len, snapshot.unfilled(representation.key)))
    report.complete = report.filled == report.passages
    return report


class _Worker:
    def __init__(
        self,
        library: Path,
        store: Store,
        represented: Represented,
        name: str,
        limits: Limits,
        progress: Progress,
        stop: Callable[[], bool],
    ) -> None:
        self.library = library
        self.store = store
        self.represented = represented
        self.cache = represented.cache
        self.limits = limits
        self.progress = progress
        self.stop = stop
        self.snapshot = Snapshot.open(library, store)
        self.representation = represented.named(self.snapshot.manifest, name)
        self.kind = kind_of(self.representation.kind)
        self.started = time.monotonic()
        self.report = RefineReport(name, self.representation.kind, self.representation.info.name)
        self.memory_plan = MemoryPlan(ram_of(limits.ram))
        self.report.memory_plan = self.memory_plan
        self._queries: Iterator[str] = iter(())
        self._fitted = 0

    def run(self) -> RefineReport:
        """See `refine`."""
        passages = self.snapshot.passages
        held = passages - sum(map(len, self.snapshot.unfilled(self.representation.key)))
        self._fitted = held if self.representation.line else 0
        if held < passages:
            encoder = self.represented.encoder(self.representation)
            self._plan(encoder)
            self._queries = likely_queries(self.snapshot, self.snapshot.manifest.settings.seed)
            task = self.progress(f"refining {self.report.name}", passages, "passages")
            try:
                task.advance(held)
                # An earlier run may have been stopped between encoding and committing.
                self._commit()
                while not self._over() and self._chunk(encoder, task.advance):
                    pass
            except BaseException:
                self._commit(fit=False)  # what was encoded before is kept
                raise
            finally:
                task.close()
            self._commit()
        elif self.representation.replaces:
            self._commit()
        self._tell()
        return self.report

    def _plan(self, encoder: Any) -> None:
        self.memory_plan.plan("Python, numpy, compiled kernels", BASE)
        self.memory_plan.plan(f"model {self.report.model} with its batches", nbytes(encoder))
        self.memory_plan.plan("passages between encoding and commit", 2 * CHUNK_BYTES)
        self.memory_plan.check("refining")

    def _over(self) -> bool:
        seconds, passages = self.limits.seconds, self.limits.passages
        return (
            self.stop()
            or (seconds is not None and time.monotonic() - self.started >= seconds)
            or (passages is not None and self.report.encoded >= passages)
        )

    def _ask(self, query: str) -> Hits:
        """What first stages would bring up: half by words, half by what stands in for this representation."""
        snapshot = self.snapshot
        hits = self.represented.retriever(snapshot, "bm25", query, snapshot.alive).retrieve(10)
        if self.represented.built_in(snapshot.manifest) is not None:
            dense = self.represented.instant(snapshot, query, snapshot.alive).retrieve(10)
            ids = list(dict.fromkeys(number for pair in zip(hits.ids, dense.ids, strict=False) for number in pair))
            return Hits(np.array(ids, np.int64), np.zeros(len(ids), np.float32))
        return hits

    def _chunk(self, encoder: Any, advance: Callable[[int], None]) -> bool:
        """Encode the next passages and commit them; false where none are left."""
        key = cache_key(self.representation)
        kept = set(self.cache.kept(key))
        ids = next_passages(self.snapshot, self.representation.key, self.cache, kept, CHUNK, self._ask, self._queries)
        began, size = time.monotonic(), 0
        for start in range(0, len(ids), BATCH):
            some = ids[start : start + BATCH].tolist()
            if self.limits.passages is not None:
                some = some[: self.limits.passages - self.report.encoded]
            wall, processor = time.monotonic(), time.process_time()
            packed = self.kind.pack(self.kind.encode(encoder, passage_texts(self.store, some)))
            self.cache.put(key, dict(zip(some, packed, strict=True)))
            self.cache.flush()
            if not self.cache.get(key, some[-1:]):
                # Without it nothing would ever reach the library, and the same passages would be encoded for ever.
                raise StorageError(f"what was encoded cannot be kept in {self.cache.path}; free some space or mend its rights")
            self.report.encoded += len(some)
            size += sum(map(len, packed))
            advance(len(some))
            if (anonymous := anonymous_bytes()) is not None:
                self.memory_plan.measure("all anonymous memory", anonymous)
            self._rest(time.monotonic() - wall, time.process_time() - processor)
            if self._over() or size > CHUNK_BYTES or time.monotonic() - began > CHUNK_SECONDS:
                break
        self._commit()
        return len(ids) > 0

    def _rest(self, wall: float, processor: float) -> None:
        """Sleep so long that the work took no more than its share of the cores."""
        share = self.limits.cpu * (os.cpu_count() or 1)
        if (pause := processor / share - wall) > 0:
            time.sleep(pause)

    def _commit(self, *, fit: bool = True) -> None:
        """Take what was encoded into the library, as soon as no one else is writing to it."""
        began = time.monotonic()
        while True:
            try:
                with Writer(self.library, ram=self.limits.ram) as writer:
                    self._commit_with(writer, fit)
                break
            except LibraryLocked:
                if time.monotonic() - began > PATIENCE:
                    raise
                time.sleep(0.2)
        self.snapshot = Snapshot.open(self.library, self.store)
        self.cache.keep_only(cache_key(r) for r in self.snapshot.manifest.representations)

    def _commit_with(self, writer: Writer, fit: bool) -> None:
        representation = writer.manifest.by_key(self.representation.key)
        if representation is None:  # taken out meanwhile
            return
        fold(writer, representation, self.cache)
        held = sum(entry.filled(representation.key) for entry in writer.manifest.segments)
        complete = finished(writer, representation)
        grown = held >= 1.5 * self._fitted if held >= FEWEST else False
        if fit and (grown or (complete and held > self._fitted)):
            snapshot = Snapshot(writer.library, writer.manifest, writer.store)
            changes: dict[str, object] = {"line": fit_line_of(snapshot, self.represented, representation)}
            if representation.replaces and not complete:
                changes["adapter"] = fit_adapter_of(snapshot, self.represented, representation)
            fold(writer, representation, self.cache, **changes)
            self._fitted = held
        if complete and representation.replaces:
            replaced(writer, writer.manifest.by_key(representation.key) or representation)
        sweep(writer)

    def _tell(self) -> None:
        report, now = self.report, state(self.snapshot, self.representation)
        report.passages, report.filled, report.complete = now.passages, now.filled, now.complete
        report.seconds = time.monotonic() - self.started
