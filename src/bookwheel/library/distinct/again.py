"""Reading again, in one indexing run, what was left out as a copy of a document that then went."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..._errors import InputError
from ...documents.paths import Source
from ..run import Run
from .left_out import LeftOut, left_out

__all__ = ["COPIES", "copies_to_tell", "read_again"]

COPIES = "near-duplicates of other documents"
"""Why a file gave no document."""
ROUNDS = 3
"""What comes back may itself be the original of others, or a copy of another that is there."""
LISTED = 10_000
"""Copies that a report lists."""
NAMED = 3


def read_again(run: Run, sources: Callable[[], Iterator[Source]], bring: Callable[[Source], None]) -> None:
    """Read the files again, as far as ``sources`` has them, with copies whose original is gone, and commit what comes of it.

    Of copies from elsewhere a note tells. ``bring`` brings one source up to date.
    """
    if not run.copies:
        return
    writer, report = run.writer, run.report
    for _ in range(ROUNDS):
        wanted = {one.source for one in _orphans(run)}
        if not wanted:
            break
        told = list(report.notes), list(report.failures), dict(report.skipped), list(report.skipped_files), dict(report.binary)
        try:
            again = [source for source in sources() if source.path in wanted]
        except InputError:  # what was there a moment ago is gone: the next run tells
            again = []
        report.notes, report.failures, report.skipped, report.skipped_files, report.binary = told
        if not again:
            break
        for source in again:
            # What of it was counted before is not counted twice.
            number = writer.source(source.path)
            report.unskip(source.path, COPIES)
            report.copies -= writer.store.count_copies(number)
            counted = report.unchanged, report.files, report.bytes_read
            bring(source)
            report.unchanged, report.files, report.bytes_read = counted
        writer.commit()
    if orphans := _orphans(run):
        named = ", ".join(f"{one.id!r:.80}" for one in orphans[:NAMED])
        report.notes.append(
            f"left out as near-duplicates of documents that are gone: {len(orphans):,} ({named}{' …' if len(orphans) > NAMED else ''}); "
            "index or add them again to have them back"
        )


def _orphans(run: Run) -> list[LeftOut]:
    return left_out(run.writer.store, run.writer.manifest.generation, orphans=True)


def copies_to_tell(run: Run) -> list[LeftOut]:
    """The copies that are left out by now, the first ones."""
    return left_out(run.writer.store, run.writer.manifest.generation, LISTED) if run.report.copies else []
