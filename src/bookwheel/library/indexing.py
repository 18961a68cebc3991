"""Bringing a library up to date with files: only what changed is read, what disappeared is removed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path

import numpy as np

from .._errors import InputError
from .._interruption import interruptible
from ..documents.document import Document
from ..documents.members import close_archives
from ..documents.paths import Skipped, Source, walk
from ..documents.read import READERS, Fields
from ..documents.seen_ids import SeenIds
from ..documents.source import DEFAULT_FIELDS
from ..memory.shares import READING
from ..progress import Progress, Task, silent
from .distinct.again import COPIES, copies_to_tell, read_again
from .estimate import estimate_sources
from .gone import Gone
from .inputs import Documents, batches, count_of, own_lines
from .naming import below, find
from .pending import SourceState
from .results import IndexReport
from .run import Run
from .writer import Writer

__all__ = ["add_documents", "index_paths"]

STDIN = "-"
TOLD_BEFORE = "damaged record in an unchanged file"
NO_TEXT = "no text"
COMPARED = " distinct"
"""What the settings that a file was read by end with where its documents were compared with others."""
READ_BY = " readers "
"""What stands there before the version of the readers."""
READ_AGAIN = (
    "files are read again, since another version of bookwheel read them; what is the same in them is kept with its vectors"
)
UNREADABLE = "cannot be read"
LISTED = 100_000
"""Files that are listed before the first is read, so that progress has an end."""
LOOKED_AT = 64 << 20
"""Bytes of new files from which on it is estimated whether they fit."""
CERTAIN = 0.8
"""Share of an estimate that is counted on."""


def add_documents(
    writer: Writer,
    given: Documents,
    source: str = STDIN,
    *,
    fields: Fields = DEFAULT_FIELDS,
    distinct: bool = False,
    progress: Progress = silent,
) -> IndexReport:
    """Add or replace documents that come from the program itself, by id within ``source``; of equal ids the last wins."""
    started = time.monotonic()
    with interruptible() as stop:
        run = Run(writer, stop)
        if distinct:
            run.compare(progress)
        task = progress("adding", count_of(given), "documents")
        try:
            run.store(
                writer.source(source), _added(writer, given, fields, task, run.report.notes), known=True, replace_all=False
            )
        finally:
            task.close()
        writer.commit()
        read_again(run, lambda: iter(()), lambda source: None)
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
    distinct: bool | None = False,
    progress: Progress = silent,
) -> IndexReport:
    """Bring the library up to date with ``paths``: see `Library.index`."""
    started = time.monotonic()
    with interruptible() as stop:
        run = Run(writer, stop)
        if distinct is None:
            distinct = writer.manifest.signed > 1
        if distinct:
            run.compare(progress)
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
        told = frozenset(only or ())
        task = progress("indexing", total, "B")
        try:
            for some in _batches(chain(items, [] if rest is None else [rest], found)):
                met.add(np.fromiter((hash(source.path) for source in some), np.int64))
                run.reading.expect(_new(run, some), fields)
                for source in some:
                    run.pause()
                    _bring_up_to_date(run, source, fields, task, _is_told(source, told))
            task.close()
            gone = Gone(writer.store, run.since, [path for path in paths if str(path) != STDIN], met, run.unread)
            if prune:
                for number in gone.sources(only):
                    run.pause()
                    run.remove_source(number)
                run.report.kept += gone.kept
                run.report.notes += [*gone.kept.values(), *run.moves.left_behind(gone.places)]
            if only is None:
                gone.note_mounts()
            writer.commit()
            everywhere = partial(_sources, run, paths, hidden, follow_links, None)
            read_again(run, everywhere, lambda source: _bring_up_to_date(run, source, fields, silent("")))
        finally:
            task.close()
            run.reading.close()
            close_archives()
        run.tell_shared_ids()
    return _finished(run, started)


def _batches(sources: Iterator[Source]) -> Iterator[list[Source]]:
    while some := list(islice(sources, 1024)):
        yield some


def _new(run: Run, sources: Iterable[Source]) -> Iterator[Source]:
    """Those of ``sources`` that are certain to be read: the library holds no file of their size."""
    known = "SELECT EXISTS (SELECT 1 FROM sources WHERE size = ? AND digest <> '')"
    for source in sources:
        if run.reading.takes(source) and run.writer.store.execute(known, (source.size,)) == [(0,)]:
            yield source


def _refuse_what_cannot_fit(run: Run, items: Sequence[Source], fields: Fields) -> None:
    """Raise `BudgetError` before any work where files are too much for the budget by far: what they hold is an estimate."""
    if sum(source.size for source in items) < LOOKED_AT:
        return
    store, settings = run.writer.store, run.writer.manifest.settings
    known = dict(store.execute("SELECT path, size FROM sources WHERE complete IS NOT NULL"))
    new = [source for source in items if known.get(source.path) != source.size]
    if sum(source.size for source in new) >= LOOKED_AT:
        found = estimate_sources(new, fields, settings.unit, settings.words, run.alone)
        run.writer.memory.expect(found.passages, CERTAIN)


def _finished(run: Run, started: float) -> IndexReport:
    if run.reading.held:
        run.writer.memory_plan.measure(READING, run.reading.held)
    for new, how in run.writer.lost:
        run.report.failures.append(f"document {new.document.id[:200]!r} cannot be analysed (its worker: {how})")
        run.report.added -= 1
    run.report.workers = run.writer.crew.most
    run.report.passages = run.writer.added_passages
    run.report.moved = run.moves.files
    run.report.languages = run.writer.languages
    run.report.not_indexed = run.writer.noise
    run.report.copied = copies_to_tell(run)
    run.report.seconds = time.monotonic() - started
    for reason, documents in run.report.hidden.items():
        names = f"{', '.join(documents[:2])}{' …' if len(documents) > 2 else ''}"
        run.report.notes.append(
            f"{reason} in {len(documents):,} of the documents is kept apart as hidden: it is found, marked, and no evidence ({names})"
        )
    return run.report


def _sources(
    run: Run, paths: Sequence[str | Path], hidden: bool, follow_links: bool, only: Sequence[str] | None
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


def _is_told(source: Source, told: frozenset[str]) -> bool:
    """Whether the file itself, or an archive that it is in, is among those that are said to have changed."""
    return source.path in told or (source.inside is not None and _is_told(source.inside, told))


def _bring_up_to_date(run: Run, source: Source, fields: Fields, task: Task, told: bool = False) -> None:
    """``told``: it is said to have changed, so that its size and its time alone say nothing."""
    store, report = run.writer.store, run.report
    settings = f"{fields!r}{READ_BY}{READERS}{COMPARED if run.comparing is not None else ''}"
    is_file = source.path != STDIN
    if is_file:
        run.moves.recognise(source, settings)
    number = run.writer.source(source.path)
    complete, size, mtime_ns, digest, old_fields, damaged = store.execute(
        "SELECT complete, size, mtime_ns, digest, fields, damaged FROM sources WHERE id = ?", (number,)
    )[0]
    as_it_was = old_fields == settings or (
        run.comparing is None and old_fields == settings + COMPARED and not (run.copies and store.count_copies(number))
    )
    if complete is not None and not as_it_was and not _same_readers(old_fields) and READ_AGAIN not in report.notes:
        report.notes.append(READ_AGAIN)
    if is_file and complete is not None and size == source.size and as_it_was:
        same = mtime_ns == source.mtime_ns
        try:
            unchanged = (same and not told) or source.digest() == digest
        except InputError as error:  # it went since it was found
            report.failures.append(str(error))
            return
        if unchanged:
            if not same:
                store.note_file(number, source.size, source.mtime_ns)
            alive = "SELECT count(*) FROM documents WHERE source = ? AND removed IS NULL"
            there = store.execute(alive, (number,))[0][0]
            report.unchanged += there
            copies = store.count_copies(number) if run.copies else 0
            report.copies += copies
            if not there and not damaged:
                report.skip(source.path, COPIES if copies else NO_TEXT)
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
    before, copies = report.added + report.updated + report.unchanged, report.copies
    damaged = 0
    try:
        # Before it is read: whatever changes from here on then differs from the digest, and is read the next time.
        noted, digest = digest, run.reading.digest(source) if is_file else ""
        renamed = known and is_file and digest == noted and settings == old_fields
        found = run.reading.read(source, fields)
        if not is_file:  # nobody can look up a line of standard input
            found = (own_lines(one) if isinstance(one, Document) else one for one in found)
        read = _shown(found, source, task)
        damaged = run.store(number, read, known=known, replace_all=True, renamed=renamed)
    except InputError as error:
        report.failures.append(str(error))
        if before == report.added + report.updated + report.unchanged:
            report.skip(source.path, UNREADABLE)
        return
    if before == report.added + report.updated + report.unchanged:
        report.skip(source.path, COPIES if report.copies > copies else UNREADABLE if damaged else NO_TEXT)
    if is_file:
        state = SourceState(source.size, source.mtime_ns, digest, settings, damaged)
        run.writer.after_added(partial(run.writer.mark_complete, number, state))


def _same_readers(fields: str) -> bool:
    return fields.removesuffix(COMPARED).endswith(f"{READ_BY}{READERS}")


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
