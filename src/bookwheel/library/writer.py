"""The one writer of a library: adds, removes and commits.

A commit is: arrays written and synced, then SQLite's rows stamped with the coming generation, then the manifest replaced. What
comes after an interruption finds either the old generation, with leftovers that are taken back here, or the new one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from .. import kernels
from .._errors import InputError
from .._paths import no_library
from ..analysis.library_analyzer import most_documents
from ..documents.document import Document
from ..index.storage import checksum_of, fsync_folder, storage
from ..memory.heap import limit_heap, trim_heap
from ..memory.plan import MemoryPlan
from ..memory.shares import COMPILING
from ..memory.sizes import ram_of
from ..progress import Progress, Task, silent
from .compaction import analysed_anew, merge_segments, reweigh_segment, to_merge
from .intake import Intake
from .leases import no_older_readers, prepare
from .lock import WriterLock
from .manifest import MANIFEST, Manifest, SegmentEntry
from .pending import NewDocument, SourceState
from .segment import SEGMENTS, Segment, array_folders, checksum_of_lists
from .settings import Representation, Settings
from .snapshot import Snapshot
from .static_pruning.marks import living_marks
from .store import Store
from .sweeping import impacts_name, sweep
from .vectors.encoders import Encoders
from .workers.crew import Crew, require_workers
from .writer_memory import WriterMemory

if TYPE_CHECKING:
    from .distinct.comparing import Compacting, Comparing

__all__ = ["Writer", "writing"]

COMMIT_SECONDS = 60.0
"""Work is committed at least this often, so that an interruption costs no more."""
DRIFT = 0.1
"""Stored impacts are made anew once the mean passage length has moved by this share; rankings are exact before and after."""
WAIT_FOR_READERS = 3600.0
"""Seconds that removed documents are kept for readers which still show them, after a compaction."""
REMOVED_AT_ONCE = 10_000


class Writer:
    """Holds the writer's lock while open; use as a context manager. Nothing is seen by readers before `commit`."""

    def __init__(
        self,
        library: Path,
        *,
        ram: str | int | None = None,
        encoders: Encoders | None = None,
        wait: float = 0.0,
        workers: int | None = 1,
    ) -> None:
        """``wait``: seconds to wait for another writer; ``workers``: see `Crew`.

        Raises `LibraryLocked`, `LibraryNotFound`, `LibraryDamaged`.
        """
        if not (library / MANIFEST).is_file():
            raise no_library(library)
        require_workers(workers)
        self.library = library
        self.memory_plan = MemoryPlan(ram_of(ram))
        limit_heap()
        self._lock = WriterLock(library, wait).__enter__()
        try:
            self.manifest = Manifest.read(library)
            sweep(library, self.manifest)  # before anything that needs room on the disk
            self.store = Store(library, write=True)
            self.store.rollback(self.manifest.generation)
            prepare(library)
            self._purge()
        except BaseException:
            self._lock.__exit__()
            raise
        self._encoders = Encoders(library) if encoders is None else encoders
        self.memory = WriterMemory(self.memory_plan, named=ram is not None)
        self._intake = Intake(library, self.store, self.manifest, self._encoders, self.memory.bits, self.memory.gathered)
        self.memory.split(self._intake, self.store)
        self.crew = Crew(self._intake, self.memory, workers)
        self._dirty = False
        self._comparing: Comparing | Compacting | None = None
        self._last_commit = time.monotonic()

    @property
    def generation(self) -> int:
        """The generation that the next commit makes."""
        return self.manifest.generation + 1

    @property
    def lost(self) -> list[tuple[NewDocument, str]]:
        """The documents that were not added, as a worker ended with each twice, and how it ended."""
        return self._intake.lost

    @property
    def languages(self) -> dict[str, int]:
        """Documents taken in by language, the most first."""
        return dict(self._intake.found.most_common())

    @property
    def noise(self) -> dict[str, int]:
        """What of the texts taken in was stored, but not indexed, by kind."""
        return dict(self._intake.noise)

    @property
    def added_passages(self) -> int:
        """Passages taken in by now."""
        return self._intake.added_passages

    # -- adding and removing -------------------------------------------------------------------------------------------

    def source(self, path: str) -> int:
        """The number of source ``path``, made where it is new."""
        return self.store.source(path)

    def move(self, source: int, old: str, new: str) -> None:
        """Note that the file of ``source`` was moved: its documents and their vectors stay. Readers see the new path at once."""
        self._intake.flush()  # rows that wait may be of this source
        self.store.move_source(source, old, new)
        self._dirty = True

    def add(self, document: Document, source: int, digest: bytes, replaces: int | None = None, *, keeps: bool = False) -> None:
        """Add one document, as number `next_document`; ``digest`` as `document_hash` gives it.

        The document numbered ``replaces``, an earlier version, is removed by the commit that adds this one. ``keeps``: its file
        is as it was but for its name, so that passages which are the same keep their vectors.
        """
        number = self._intake.numbers.new_document()
        self._intake.add(NewDocument(document, source, digest, replaces=replaces, keeps=keeps, number=number))
        self._dirty = True
        self.crew.look()
        self.memory.look()
        if self._intake.begun and (self._intake.full or time.monotonic() - self._last_commit > COMMIT_SECONDS):
            self.commit()

    @property
    def next_document(self) -> int:
        """The number of the next new document."""
        return self._intake.numbers.document

    def make_room(self, size: int) -> None:
        """Write out what was gathered where a record of ``size`` bytes, about to be read, does not fit beside it."""
        self.crew.make_room(size)
        self._intake.make_room(size)

    def refusal(self, document: Document) -> InputError | None:
        """Why ``document`` cannot be added within the budget; None where it can."""
        return self._intake.refusal(document)

    def after_added(self, action: Callable[[], None]) -> None:
        """Call ``action`` once every document given to `add` so far has been taken in: now, unless some are waiting."""
        self._intake.after_added(action)

    def mark_complete(self, source: int, state: SourceState) -> None:
        """Note that all documents of ``source`` have been added; committed with the last of them, never before."""
        if all(new.source != source for new, _ in self._intake.lost):  # else it is read again the next time
            self._intake.rows.mark_complete(source, state, self.generation)
        self._dirty = True

    def plan(self, *, encoding: bool = True) -> MemoryPlan:
        """Fill in what building takes, with the encoder if ``encoding``; raises `BudgetError` where that does not fit."""
        if self.memory_plan.ram < COMPILING:
            kernels.prepare()
        if encoding:
            self._intake.encoder = self._intake.encoder or self._encoders.built_in(self.manifest)
        return self.memory.plan()

    def lend(self, memory: int) -> None:
        """Leave ``memory`` bytes of the budget to a process that reads files, from now on."""
        self.crew.lend(memory)
        if self.memory.lend(memory) and self._intake.full:
            self.commit()

    def compare(self, comparing: Comparing | Compacting, *, changed: bool) -> None:
        """Commit the signatures and copies of ``comparing`` with the documents; also without any where some ``changed``."""
        self._comparing, self._dirty = comparing, self._dirty or changed

    def flush(self) -> None:
        """Hand what is waiting in memory to the database and the segment, where it can be looked up; commits nothing."""
        self._intake.flush()

    def remove(self, numbers: Iterable[int]) -> int:
        """Remove documents by number; returns how many."""
        every = iter(numbers)
        count = 0
        while rows := [(self.generation, number) for number in islice(every, REMOVED_AT_ONCE)]:
            self._intake.no_longer([number for _, number in rows])
            self.store.begin()
            self.store.remove(rows)
            # Their sources no longer hold what the library has, so the next `index` reads them again.
            for at in range(0, len(rows), 500):
                some = [number for _, number in rows[at : at + 500]]
                self.store.mark_incomplete(
                    f"id IN (SELECT source FROM documents WHERE id IN ({','.join('?' * len(some))}))", some
                )
            self.store.commit()
            self._dirty = True
            count += len(rows)
        return count

    def commit(self) -> None:
        """Make everything so far the library's next generation."""
        finished, kept = self._intake.finish(), self._intake.kept
        if kept:
            finished = tuple(kept.with_parts(self.manifest, entry, self.memory.bits) for entry in finished)
        if self._dirty:
            segments = (*self.manifest.segments, *finished)
            languages = self._intake.languages()
            main = most_documents(languages)
            if any(entry.undecided and entry.followed != main for entry in segments):
                segments = self._followed(segments, main)
            self.manifest = replace(self.manifest, languages=languages)
            self._publish(segments)
            kept.done(self.manifest, self._encoders.cache)
            self._tidy()
            self.memory.share_out()
        self._last_commit = time.monotonic()

    def _followed(self, segments: Sequence[SegmentEntry], main: str | None) -> tuple[SegmentEntry, ...]:
        """``segments`` with what is of no language analysed as ``main``, the language of most documents by now."""
        known = set(self.manifest.segments)
        listed = tuple(entry if entry in known else self._listed(entry) for entry in segments)
        snapshot = Snapshot(self.library, replace(self.manifest, segments=listed), self.store)
        found: list[SegmentEntry] = []
        with storage(self.library):
            for segment in snapshot.segments:
                if segment.entry.undecided and segment.entry.followed != main:
                    found += analysed_anew(snapshot, segment, main, self.new_names, self.memory.shares.gather, self.memory.bits)
                else:
                    found.append(segment.entry)
        self.memory.measure()
        trim_heap()
        return tuple(found)

    def new_names(self) -> tuple[str, str]:
        """The name of a new segment, and that of its impacts."""
        return self._intake.numbers.name_segment(), impacts_name(self.generation)

    def _publish(
        self,
        segments: Sequence[SegmentEntry],
        settings: Settings | None = None,
        representations: Sequence[Representation] | None = None,
    ) -> None:
        numbers = self._intake.numbers
        known = set(self.manifest.segments)
        manifest = self.manifest.next(
            **({} if self._comparing is None else self._comparing.write(numbers.document)),
            segments=tuple(entry if entry in known else self._listed(entry) for entry in segments),
            next_document=numbers.document,
            next_passage=numbers.passage,
            next_segment=numbers.segment,
            settings=settings or self._intake.manifest.settings,
            representations=self.manifest.representations if representations is None else tuple(representations),
        )
        # In this order: all that the manifest names is on the disk before the manifest is.
        if manifest.segments:
            with storage(self.library):
                fsync_folder(self.library / SEGMENTS)
        self.store.removed_now(manifest.generation)
        self.store.orphan(manifest.generation, [new.number for new, _ in self.lost])
        self.store.commit_durably(manifest.generation)
        manifest = replace(manifest, documents=self.manifest.documents + self.store.change(manifest.generation))
        manifest.write(self.library)
        self.manifest = self._intake.manifest = manifest
        self._dirty = False
        sweep(self.library, self.manifest, self._intake.names, () if self._comparing is None else self._comparing.names)

    def _listed(self, entry: SegmentEntry) -> SegmentEntry:
        """``entry`` with the checksum of its folders' lists of arrays."""
        folders = array_folders(self.library, entry, vectors=self.manifest.settings.encoder is not None)
        return replace(entry, lists=checksum_of_lists(self.library, entry, {f: checksum_of(f) for f in folders}))

    def _tidy(self) -> None:
        """Keep the segments few and their impacts near the collection's present mean length."""
        while run := to_merge(self.manifest.segments):
            self._merge(run)
        average = self.manifest.average_length
        stale = [
            entry
            for entry in self.manifest.segments
            if abs(Segment(self.library, entry, vectors=False).sparse.average_length / max(average, 1e-9) - 1) > DRIFT
        ]
        if stale:
            self._reweigh(stale, average, self.manifest.settings)

    def _reweigh(self, entries: Sequence[SegmentEntry], average: float, settings: Settings) -> None:
        name = impacts_name(self.generation)
        with storage(self.library):
            changed = {entry: reweigh_segment(self.library, entry, name, settings, average) for entry in entries}
        self._publish([changed.get(entry, entry) for entry in self.manifest.segments], settings)

    def _merge(self, run: Sequence[SegmentEntry], task: Task | None = None, *, drop: bool = False) -> None:
        snapshot = Snapshot(self.library, self.manifest, self.store)
        name = self._intake.numbers.name_segment()
        with storage(self.library):
            impacts = impacts_name(self.generation)
            merged = merge_segments(snapshot, run, name, impacts, self.memory.shares.gather, self.memory.bits, task, drop=drop)
        self.memory.measure()
        trim_heap()
        del snapshot
        kept = list(self.manifest.segments)
        at = kept.index(run[0])
        kept[at : at + len(run)] = [merged] if merged else []
        self._publish(kept)

    def compact(self, progress: Progress = silent) -> None:
        """Merge all segments into one, leaving out what was removed or pruned, and forget the removed documents.

        A single segment is written anew where its sketches have more bits than the budget allows.
        """
        self.plan(encoding=False)
        self.commit()
        snapshot = Snapshot(self.library, self.manifest, self.store)
        sketches = (one.dense for one in snapshot.segments if one.dense is not None)
        longer = any(index.bits > (self.memory.bits(index.dimension) or index.bits) for index in sketches)
        held, marks = sum(one.passages for one in self.manifest.segments), living_marks(snapshot)
        self._dirty, self.manifest = marks != self.manifest.pruned, replace(self.manifest, pruned=marks)
        merging = len(self.manifest.segments) > 1 or held > snapshot.passages or longer
        task = progress("compacting", held, "passages")
        del snapshot, sketches
        try:
            if self.manifest.signatures:
                from .distinct.comparing import Compacting

                Compacting(self)
            if merging:
                self._merge(self.manifest.segments, task, drop=True)
            self.commit()
            self._purge(self.manifest.generation)
        finally:
            task.close()

    def _purge(self, by: int | None = None) -> None:
        """Delete for good the documents removed by generation ``by``; by what an earlier compaction noted where None.

        Put off while readers of older generations are there, for `WAIT_FOR_READERS` seconds at most.
        """
        generation = self.store.state("unpurged") if by is None else by
        if generation is None:
            return
        with no_older_readers(self.library, generation) as alone:
            if alone or time.time() - self.store.put_off_purge(generation) > WAIT_FOR_READERS:
                self.store.purge(generation, self.manifest.generation)
        self.store.vacuum()

    def set_representations(
        self, representations: Sequence[Representation], segments: Sequence[SegmentEntry] | None = None
    ) -> None:
        """Commit another list of representations, and the parts that ``segments`` name for them."""
        self._publish(self.manifest.segments if segments is None else segments, representations=representations)

    def configure(self, settings: Settings) -> None:
        """Change settings; new k1 or b make the impacts anew, from the postings."""
        old = self.manifest.settings
        if settings == old:
            return
        if (settings.k1, settings.b) != (old.k1, old.b) and self.manifest.segments:
            self._reweigh(self.manifest.segments, self.manifest.average_length, settings)
        else:
            self._publish(self.manifest.segments, settings)

    def close(self) -> None:
        """Let go of the library; what was not committed is taken back by the next writer."""
        self._intake.close()
        self.memory.end()
        self.store.close()
        self._lock.__exit__()
        trim_heap()  # what comes next in this process begins with what is held, not with what was

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


@contextmanager
def writing(library: Path, ram: str | int | None = None, wait: float = 0.0) -> Iterator[Writer]:
    """A `Writer` that commits where the block ends well."""
    with Writer(library, ram=ram, wait=wait) as writer:
        yield writer
        writer.commit()
