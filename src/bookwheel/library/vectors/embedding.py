"""Embedding passages in the background: the most useful first, committed chunk by chunk.

What is encoded goes into the cache at once, where searches find it, and from there to the library, a
few thousand passages a commit. The writer's lock is held only while committing, so that `Library.index`
and `Library.embed` can run beside each other. Killed at any instant, at most one batch is lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..._errors import LibraryLocked, StorageError, UsageError
from ..._interruption import interruptible
from ..._system import anonymous_bytes, cores
from ...encode.protocols import nbytes
from ...encode.remote import Estimate, RemoteEncoder
from ...hits import Hits
from ...memory.plan import MemoryPlan
from ...memory.shares import BASE
from ...memory.sizes import MIB, ram_of
from ...progress import Progress, silent
from ...rank.query import Query
from ..manifest import Manifest
from ..passage_texts import opening_texts, texts_in_turn
from ..results import EncoderStatus
from ..retrieval import bm25, dense
from ..settings import Representation
from ..snapshot import Snapshot
from ..writer import Writer
from .cache import cache_key
from .calibration import fit_adapter_of, fit_line_of
from .commit import commit, drop_replaced, drop_unused_adapters, is_complete
from .encoders import BUILT_IN, Encoders, named
from .kinds import kind_of
from .order import likely_queries, next_passages

__all__ = ["Limits", "costs", "embed", "embed_all", "status"]

BATCH = 64
"""Passages given to the encoder at a time, which an interruption can lose."""
CHUNK = 2048
"""Passages after which they are committed and the order of the others is made anew."""
CHUNK_SECONDS = 60.0
"""The same, by time."""
CHUNK_BYTES = 32 * MIB
FEWEST = 64
"""Embedded passages before anything is fitted on them."""
SAMPLE = 1000
"""Passages whose length tells what the others would cost."""
PATIENCE = 600.0
"""Seconds to wait for another writer; what was encoded is safe in the cache meanwhile."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What embedding may take."""

    cpu: float = 1.0
    """Share of all cores, on average."""
    seconds: float | None = None
    ram: str | int | None = None
    passages: int | None = None


def embed(
    library: Path,
    encoders: Encoders,
    name: str,
    limits: Limits,
    *,
    progress: Progress = silent,
    stop: Callable[[], bool] = lambda: False,
) -> EncoderStatus:
    """Embed passages with the encoder ``name`` until all are, a limit is met, or ``stop()`` is true.

    Raises `RecipeError` for a name that is none, `BudgetError` where the model does not fit, and
    `ModelError` for a model that is missing or gives invalid vectors; what was encoded before is kept.
    """
    return _Worker(library, encoders, name, limits, progress, stop).run()


def embed_all(
    library: Path,
    encoders: Encoders,
    names: Sequence[str] | None,
    limits: Limits,
    *,
    progress: Progress = silent,
) -> list[EncoderStatus]:
    """`embed` for each of ``names`` (all where None), within ``limits`` together; Ctrl-C ends it after the current batch.

    Raises `UsageError` for names that are none, and what `embed` does.
    """
    manifest = Manifest.read(library)
    chosen = names
    if chosen is None:
        # Vectors imported without their encoder cannot be continued here.
        chosen = list(dict.fromkeys(r.name for r in manifest.representations if encoders.available(r)))
    known = {one.name for one in manifest.representations}
    if unknown := [name for name in chosen if name not in known]:
        added = ", ".join(sorted(known)) or "none"
        raise UsageError(f"there is no encoder {', '.join(map(repr, unknown))} here; those added are: {added}")
    reports: list[EncoderStatus] = []
    began = time.monotonic()
    with interruptible() as stop:
        for name in chosen:
            seconds, passages = limits.seconds, limits.passages
            left = replace(
                limits,
                seconds=None if seconds is None else seconds - (time.monotonic() - began),
                passages=None if passages is None else passages - sum(report.encoded for report in reports),
            )
            reports.append(embed(library, encoders, name, left, progress=progress, stop=stop))
            if stop():
                raise KeyboardInterrupt
    return reports


def costs(
    library: Path, encoders: Encoders, names: Sequence[str] | None, passages: int | None = None
) -> dict[str, tuple[RemoteEncoder, Estimate]]:
    """What embedding with ``names`` (all where None) would ask of remote models, by name; no request is made."""
    snapshot = Snapshot.open(library)
    try:
        found: dict[str, tuple[RemoteEncoder, Estimate]] = {}
        for representation in snapshot.manifest.representations:
            if (names is not None and representation.name not in names) or not encoders.available(representation):
                continue
            encoder = encoders.encoder(representation)
            absent = [s.ids[at] for s, at in zip(snapshot.segments, snapshot.missing(representation.key), strict=True)]
            missing = np.concatenate([np.empty(0, np.int64), *absent])
            if isinstance(encoder, RemoteEncoder) and len(missing):
                sampled = missing[:: -(-len(missing) // SAMPLE)].tolist()
                mean = sum(len(text) for text in opening_texts(snapshot.store, sampled)) / max(len(sampled), 1)
                estimate = encoder.estimate_many(len(missing) if passages is None else min(len(missing), passages), mean)
                found[representation.name] = encoder, estimate
        return found
    finally:
        snapshot.close()


def status(snapshot: Snapshot, representation: Representation) -> EncoderStatus:
    """How many passages are embedded for ``representation``."""
    report = EncoderStatus(representation.name, representation.kind, representation.info.name)
    report.passages = snapshot.passages
    report.embedded = report.passages - sum(map(len, snapshot.missing(representation.key)))
    report.complete = report.embedded == report.passages
    return report


class _Worker:
    def __init__(
        self,
        library: Path,
        encoders: Encoders,
        name: str,
        limits: Limits,
        progress: Progress,
        stop: Callable[[], bool],
    ) -> None:
        self.library = library
        self.encoders = encoders
        self.cache = encoders.cache
        self.limits = limits
        self.progress = progress
        self.stop = stop
        self.snapshot = Snapshot.open(library)
        self.representation = named(self.snapshot.manifest, name)
        self.kind = kind_of(self.representation.kind)
        self.started = time.monotonic()
        self.report = EncoderStatus(name, self.representation.kind, self.representation.info.name)
        self.memory_plan = MemoryPlan(ram_of(limits.ram))
        self.report.memory_plan = self.memory_plan
        self._queries: Iterator[str] = iter(())
        self._fitted = 0

    def run(self) -> EncoderStatus:
        """See `embed`."""
        passages = self.snapshot.passages
        embedded = passages - sum(map(len, self.snapshot.missing(self.representation.key)))
        self._fitted = embedded if self.representation.line else 0
        if embedded < passages:
            encoder = self.encoders.encoder(self.representation)
            self._plan(encoder)
            self._queries = likely_queries(self.snapshot, self.snapshot.manifest.settings.seed)
            task = self.progress(f"embedding {self.report.name}", passages, "passages")
            try:
                task.advance(embedded)
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
        self.memory_plan.check("embedding")

    def _over(self) -> bool:
        seconds, passages = self.limits.seconds, self.limits.passages
        return (
            self.stop()
            or (seconds is not None and time.monotonic() - self.started >= seconds)
            or (passages is not None and self.report.encoded >= passages)
        )

    def _ask(self, query: str) -> Hits:
        """Candidates of a query: half by BM25, half by the vectors made while indexing."""
        snapshot, encoders = self.snapshot, self.encoders
        hits = bm25.retriever(encoders, snapshot, bm25.NAME, Query(query), snapshot.alive).retrieve(10)
        if encoders.built_in(snapshot.manifest) is not None:
            others = dense.retriever(encoders, snapshot, BUILT_IN, Query(query), snapshot.alive).retrieve(10)
            ids = list(dict.fromkeys(number for pair in zip(hits.ids, others.ids, strict=False) for number in pair))
            return Hits(np.array(ids, np.int64), np.zeros(len(ids), np.float32))
        return hits

    def _chunk(self, encoder: Any, advance: Callable[[int], None]) -> bool:
        """Encode the next passages and commit them; false where none are left."""
        key = cache_key(self.representation)
        cached = set(self.cache.cached(key))
        ids = next_passages(self.snapshot, self.representation.key, self.cache, cached, CHUNK, self._ask, self._queries)
        began, size = time.monotonic(), 0
        for start in range(0, len(ids), BATCH):
            some = ids[start : start + BATCH].tolist()
            if self.limits.passages is not None:
                some = some[: self.limits.passages - self.report.encoded]
            wall, processor = time.monotonic(), time.process_time()
            packed: list[bytes] = []
            for _, texts in texts_in_turn(self.snapshot.store, some):
                packed += self.kind.pack(self.kind.encode(encoder, texts))
            self.cache.put(key, dict(zip(some, packed, strict=True)))
            self.cache.flush()
            if not self.cache.get(key, some[-1:]):
                # Without the cache nothing reaches the library, and the same passages would be encoded for ever.
                raise StorageError(
                    f"encoded passages cannot be written to {self.cache.path}; free some space, or allow writing there"
                )
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
        """Sleep until the work has taken no more than its share of the cores."""
        share = self.limits.cpu * (cores())
        if (pause := processor / share - wall) > 0:
            time.sleep(pause)

    def _commit(self, *, fit: bool = True) -> None:
        """Commit what was encoded, as soon as nobody else writes to the library."""
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
        self.snapshot = Snapshot.open(self.library)
        self.cache.keep_only(cache_key(r) for r in self.snapshot.manifest.representations)

    def _commit_with(self, writer: Writer, fit: bool) -> None:
        representation = writer.manifest.by_key(self.representation.key)
        if representation is None:  # removed meanwhile
            return
        commit(writer, representation, self.cache)
        embedded = sum(entry.embedded(representation.key) for entry in writer.manifest.segments)
        complete = is_complete(writer, representation)
        grown = embedded >= max(FEWEST, 1.5 * self._fitted)
        if fit and (grown or (complete and embedded > self._fitted)):
            snapshot = Snapshot(writer.library, writer.manifest, writer.store)
            changes: dict[str, object] = {"line": fit_line_of(snapshot, self.encoders, representation)}
            if representation.replaces and not complete:
                changes["adapter"] = fit_adapter_of(snapshot, self.encoders, representation)
            commit(writer, representation, self.cache, **changes)
            self._fitted = embedded
        if complete and representation.replaces:
            drop_replaced(writer, writer.manifest.by_key(representation.key) or representation)
        drop_unused_adapters(writer)

    def _tell(self) -> None:
        report, now = self.report, status(self.snapshot, self.representation)
        report.passages, report.embedded, report.complete = now.passages, now.embedded, now.complete
        report.seconds = time.monotonic() - self.started
