"""Bringing a library up to date with files: only what changed is read, what disappeared is removed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from pathlib import Path

import numpy as np

from .._errors import InputError
from ..documents.document import Document
from ..documents.failures import Note, Upcoming
from ..documents.isolated.ahead import ReadingAhead
from ..documents.isolated.reading import Reading
from ..documents.members import close_archives
from ..documents.paths import Skipped, Source, walk
from ..documents.read import Fields
from ..documents.seen_ids import SeenIds
from ..documents.source import DEFAULT_FIELDS
from ..memory.shares import READING
from ..progress import Progress, Task, silent
from .document_hash import document_hash
from .estimate import estimate_sources
from .held_documents import HeldDocuments, living_documents
from .inputs import Documents, batches, count_of
from .moved import Moves
from .naming import below, find, shared_ids
from .pending import SourceState
from .pruning import Gone
from .results import IndexReport
from .writer import Writer

__all__ = ["add_documents", "index_paths"]

STDIN = "-"
TOLD_BEFORE = "damaged record in an unchanged file"
NO_TEXT = "no text"
UNREADABLE = "cannot be read"
LISTED = 100_000
"""Files that are listed before the first is read, so that progress has an end."""
LOOKED_AT = 64 << 20
"""Bytes of new files from which on it is estimated whether they fit."""
LONGEST_ID = 1 << 14
"""Characters; paths have 4,096 at most on most systems."""
CERTAIN = 0.8
"""Share of an estimate that is counted on."""


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a request to stop at the next document, where all is consistent; a second stops at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    old = signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, old)

    signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, old)


class _Run:
    """One indexing run: the writer, the report, and the moment to stop."""

    def __init__(self, writer: Writer, stop: Callable[[], bool]) -> None:
        self.writer = writer
        self.stop = stop
        self.alone = Reading(*writer.memory.reader_memory(), lend=writer.lend, waiting=self.pause)
        self.reading = ReadingAhead(self.alone, writer.crew.wanted, lend=writer.lend, waiting=self.pause)
        self.report = IndexReport(memory_plan=writer.memory_plan)
        self.since = writer.manifest.generation
        """The generation before the run."""
        self.moves = Moves(writer)
        self.unread: list[str] = []
        """Files and folders that could not be read: what came from there is not taken for gone."""

    def pause(self) -> None:
        """Stop here where that was asked for, keeping what is done."""
        if self.stop():
            self.writer.commit()
            raise KeyboardInterrupt

    def store(
        self,
        source: int,
        documents: Iterable[Document | InputError],
        *,
        known: bool,
        replace_all: bool,
        renamed: bool = False,
    ) -> int:
        """Bring the documents of ``source`` up to date; returns how many records were damaged.

        ``known`` says that the source has documents already; those not met again are removed where ``replace_all`` is true.
        ``renamed``: nothing but the name of the source differs from what these were made of.
        """
        writer, report = self.writer, self.report
        old = HeldDocuments(writer, source) if known else None
        damaged = 0
        for document in documents:
            self.pause()
            if isinstance(document, Upcoming):
                writer.make_room(document.size)
                continue
            if isinstance(document, Note):
                report.notes.append(str(document))
                continue
            if isinstance(document, InputError):
                report.failures.append(str(document))
                damaged += 1
                continue
            if (refusal := self._refusal(document)) is not None:
                report.failures.append(str(refusal))
                damaged += 1
                continue
            digest = document_hash(document)
            earlier = old.find(document.id, digest, own=not replace_all) if old is not None else None
            if earlier is not None:
                if earlier.same:
                    report.unchanged += 1
                    continue
                report.updated += 1
            else:
                report.added += 1
            if document.hidden:
                report.hide(document)
            writer.add(document, source, digest, earlier.number if earlier is not None else None, keeps=renamed)
        if old is not None and replace_all:
            writer.after_added(partial(self._remove_unseen, old))
        return damaged

    def _refusal(self, document: Document) -> InputError | None:
        if len(document.id) > LONGEST_ID:
            return InputError(
                f"document {document.id[:80]!r}… has an ID of {len(document.id):,} characters, more than {LONGEST_ID:,}; give it a "
                "shorter one"
            )
        return self.writer.refusal(document)

    def tell_shared_ids(self) -> None:
        """Tell of ids that what was added has in common with documents of other files."""
        if self.report.added or self.report.updated:
            self.report.notes += shared_ids(self.writer.store, self.since)

    def _remove_unseen(self, old: HeldDocuments) -> None:
        self.report.removed += self.writer.remove(old.unseen())


def add_documents(
    writer: Writer, given: Documents, source: str = STDIN, *, fields: Fields = DEFAULT_FIELDS, progress: Progress = silent
) -> IndexReport:
    """Add or replace documents that come from the program itself, by id within ``source``; of equal ids the last wins."""
    started = time.monotonic()
    with interruptible() as stop:
        run = _Run(writer, stop)
        task = progress("adding", count_of(given), "documents")
        try:
            run.store(
                writer.source(source), _added(writer, given, fields, task, run.report.notes), known=True, replace_all=False
            )
        finally:
            task.close()
        writer.commit()
        run.tell_shared_ids()
    return _finished(run, started)


def _added(writer: Writer, given: Documents, fields: Fields, task: Task, told: list[str]) -> Iterator[Document]:
    for batch, repeats in batches(given, fields, told):
        if repeats:
            writer.flush()  # what has the same id must be in the database to be found there, and replaced
        for document in batch:
            yield document
            task.advance()


def index_paths(
    writer: Writer,
    paths: Sequence[str | Path],
    *,
    fields: Fields,
    prune: bool,
    hidden: bool,
    follow_links: bool = False,
    only: Sequence[str] | None = None,
    progress: Progress = silent,
) -> IndexReport:
    """Bring the library up to date with ``paths``: see `Library.index`."""
    started = time.monotonic()
    with interruptible() as stop:
        run = _Run(writer, stop)
        found = _sources(run, paths, hidden, follow_links, only)
        items = list(islice(found, LISTED))
        rest = next(found, None)
        close_archives()
        if rest is None:
            total: int | None = sum(max(source.size, 0) for source in items)
            _refuse_what_cannot_fit(run, items, fields)
        else:  # a list of all of them would be a large part of the budget
            total = None
        met = SeenIds()
        task = progress("indexing", total, "B")
        try:
            for some in _batches(chain(items, [] if rest is None else [rest], found)):
                met.add(np.fromiter((hash(source.path) for source in some), np.int64))
                run.reading.expect(_new(run, some), fields)
                for source in some:
                    run.pause()
                    _bring_up_to_date(run, source, fields, task)
        finally:
            task.close()
            run.reading.close()
            close_archives()
        if prune:
            gone = Gone(writer.store, run.since, [path for path in paths if str(path) != STDIN], met, run.unread)
            for number in chain(gone.sources(only), run.moves.left_behind()):
                _remove_source(run, number)
            run.report.notes += gone.notes
        writer.commit()
        run.tell_shared_ids()
    return _finished(run, started)


def _batches(sources: Iterator[Source]) -> Iterator[list[Source]]:
    while some := list(islice(sources, 1024)):
        yield some


def _new(run: _Run, sources: Iterable[Source]) -> Iterator[Source]:
    """Those of ``sources`` that are certain to be read: the library holds no file of their size."""
    known = "SELECT EXISTS (SELECT 1 FROM sources WHERE size = ? AND digest <> '')"
    for source in sources:
        if run.reading.takes(source) and run.writer.store.execute(known, (source.size,)) == [(0,)]:
            yield source


def _refuse_what_cannot_fit(run: _Run, items: Sequence[Source], fields: Fields) -> None:
    """Raise `BudgetError` before any work where files are too much for the budget by far: what they hold is an estimate."""
    if sum(source.size for source in items) < LOOKED_AT:
        return
    store, settings = run.writer.store, run.writer.manifest.settings
    known = dict(store.execute("SELECT path, size FROM sources WHERE complete IS NOT NULL"))
    new = [source for source in items if known.get(source.path) != source.size]
    if sum(source.size for source in new) >= LOOKED_AT:
        found = estimate_sources(new, fields, settings.unit, settings.words, run.alone)
        run.writer.memory.expect(found.passages, CERTAIN)


def _finished(run: _Run, started: float) -> IndexReport:
    if run.reading.held:
        run.writer.memory_plan.measure(READING, run.reading.held)
    for lost in run.writer.lost:
        run.report.failures.append(lost)
        run.report.added -= 1
    run.report.workers = run.writer.crew.most
    run.report.passages = run.writer.added_passages
    run.report.moved = run.moves.files
    run.report.languages = run.writer.languages
    run.report.not_indexed = run.writer.noise
    run.report.seconds = time.monotonic() - started
    for reason, documents in run.report.hidden.items():
        names = f"{', '.join(documents[:2])}{' …' if len(documents) > 2 else ''}"
        run.report.notes.append(
            f"{reason} in {len(documents):,} of the documents is kept apart as hidden: it is found, marked, and no evidence ({names})"
        )
    return run.report


def _sources(
    run: _Run, paths: Sequence[str | Path], hidden: bool, follow_links: bool, only: Sequence[str] | None
) -> Iterator[Source]:
    try:
        most = run.writer.memory.shares.record
        items = walk(paths, hidden=hidden, follow_links=follow_links, max_bytes=most, only=only)
    except InputError as error:
        raise InputError(f"{error}{_still_held(run.writer, paths)}") from None
    for item in items:
        if isinstance(item, Skipped):
            run.report.skip(item.path, item.reason)
            if item.told:
                run.report.notes.append(item.told)
            if item.failed:
                run.report.failures.append(f"{item.path}: {item.reason}")
                run.unread.append(item.path)
        else:
            yield item


def _still_held(writer: Writer, paths: Sequence[str | Path]) -> str:
    """What to do about documents from places that are gone."""
    held: list[str] = []
    for path in map(str, paths):
        if not os.path.lexists(os.path.expanduser(path)):  # noqa: PTH111 - as `walk`
            numbers = find(writer.store, writer.manifest.generation, path) or below(
                writer.store, writer.manifest.generation, path
            )
            if numbers:
                held.append(
                    f"; the library still holds {len(numbers):,} documents from {path!r}, which `bookwheel remove` with that path removes"
                )
    return "".join(held)


def _bring_up_to_date(run: _Run, source: Source, fields: Fields, task: Task) -> None:
    store, report = run.writer.store, run.report
    settings = repr(fields)
    is_file = source.path != STDIN
    if is_file:
        run.moves.recognise(source, settings)
    number = run.writer.source(source.path)
    complete, size, mtime_ns, digest, old_fields, damaged = store.execute(
        "SELECT complete, size, mtime_ns, digest, fields, damaged FROM sources WHERE id = ?", (number,)
    )[0]
    if is_file and complete is not None and size == source.size and old_fields == settings:
        same = mtime_ns == source.mtime_ns
        try:
            unchanged = same or source.digest() == digest
        except InputError as error:  # it went since it was found
            report.failures.append(str(error))
            return
        if unchanged:
            if not same:
                store.note_file(number, source.size, source.mtime_ns)
            alive = "SELECT count(*) FROM documents WHERE source = ? AND removed IS NULL"
            there = store.execute(alive, (number,))[0][0]
            report.unchanged += there
            if not there and not damaged:
                report.skip(source.path, NO_TEXT)
            if damaged:
                report.skipped[TOLD_BEFORE] = report.skipped.get(TOLD_BEFORE, 0) + damaged
            task.advance(source.size, source.path)
            return
    known = bool(store.execute("SELECT EXISTS (SELECT 1 FROM documents WHERE source = ? AND removed IS NULL)", (number,))[0][0])
    store.mark_incomplete("id = ?", (number,))
    if is_file:
        store.note_file(number, source.size, source.mtime_ns)  # also where it turns out to be damaged
    report.files += 1
    report.bytes_read += max(source.size, 0)
    if source.size <= source.max_bytes:  # larger ones are read record by record, or hold little text
        run.writer.make_room(source.size)
    before = report.added + report.updated + report.unchanged
    damaged = 0
    try:
        # Before it is read: whatever changes from here on then differs from the digest, and is read the next time.
        noted, digest = digest, run.reading.digest(source) if is_file else ""
        renamed = known and is_file and digest == noted and settings == old_fields
        read = _shown(run.reading.read(source, fields), source, task)
        damaged = run.store(number, read, known=known, replace_all=True, renamed=renamed)
    except InputError as error:
        report.failures.append(str(error))
        if before == report.added + report.updated + report.unchanged:
            report.skip(source.path, UNREADABLE)
        return
    if before == report.added + report.updated + report.unchanged:
        report.skip(source.path, UNREADABLE if damaged else NO_TEXT)
    if is_file:
        state = SourceState(source.size, source.mtime_ns, digest, settings, damaged)
        run.writer.after_added(partial(run.writer.mark_complete, number, state))


def _shown(documents: Iterable[Document | InputError], source: Source, task: Task) -> Iterator[Document | InputError]:
    """``documents``, with their share of the file told to ``task``: about the length of each text, and at the end the rest."""
    left = max(source.size, 0)
    try:
        for document in documents:
            yield document
            step = min(left, len(document.text)) if isinstance(document, Document) else 0
            left -= step
            task.advance(step, source.path)
    except InputError:
        task.advance(left, source.path)
        raise
    task.advance(left, source.path)


def _remove_source(run: _Run, number: int) -> None:
    run.writer.store.mark_incomplete("id = ?", (number,))
    run.report.removed += run.writer.remove(living_documents(run.writer, number))
