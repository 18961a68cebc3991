"""One indexing run: documents go from their sources to the writer, and what happens to each is counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from .._errors import InputError
from ..documents.document import Document
from ..documents.failures import Note, Upcoming
from ..documents.isolated.ahead import ReadingAhead
from ..documents.isolated.reading import Reading
from ..progress import Progress
from .document_hash import document_hash
from .held_documents import HeldDocuments, living_documents
from .moved import Moves
from .naming import shared_ids
from .results import IndexReport
from .writer import Writer

if TYPE_CHECKING:
    from .distinct.comparing import Comparing

__all__ = ["Run"]

LONGEST_ID = 1 << 14
"""Characters; paths have 4,096 at most on most systems."""


class Run:
    """One indexing run: the writer, the report, and the moment to stop."""

    def __init__(self, writer: Writer, stop: Callable[[], bool]) -> None:
        self.writer = writer
        self.stop = stop
        self.comparing: Comparing | None = None
        """Where near-duplicates are left out."""
        self.copies = writer.store.any_copies()
        """Whether any were, ever."""
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
        comparing = self.comparing
        damaged = 0
        if replace_all:
            self._end_copies(source)
            if old is not None and comparing is not None:
                comparing.reading(source, old)
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
            if not replace_all:
                self._end_copies(source, document.id)
            if comparing is not None and comparing.original_of(document, source, earlier) is not None:
                self.copies = True
                report.copies += 1
                if earlier is not None:
                    comparing.replaced(earlier.number)
                    report.removed += writer.remove([earlier.number])
                continue
            if earlier is not None:
                if earlier.same:
                    report.unchanged += 1
                    continue
                report.updated += 1
            else:
                report.added += 1
            if document.hidden:
                report.hide(document)
            replaced = earlier.number if earlier is not None else None
            if comparing is not None:
                comparing.adding(writer.next_document, replaced)
            writer.add(document, source, digest, replaced, keeps=renamed)
        if old is not None and replace_all:
            writer.after_added(partial(self._remove_unseen, old))
        return damaged

    def compare(self, progress: Progress) -> None:
        """Leave out near-duplicates from now on. Raises `BudgetError` where the filters do not fit."""
        from .distinct.comparing import Comparing

        self.comparing = Comparing(self.writer, self.report.notes, progress)
        self.writer.memory_plan.check("leaving out near-duplicates")

    def _end_copies(self, source: int, name: str | None = None) -> None:
        if self.copies:
            self.writer.store.end_copies(self.writer.generation, source, name)

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
        if self.comparing is not None:
            self.comparing.done(old.source)

    def remove_source(self, number: int) -> None:
        """Remove all that came from the source ``number``, and what is said of it."""
        self.writer.store.mark_incomplete("id = ?", (number,))
        self._end_copies(number)
        self.report.removed += self.writer.remove(living_documents(self.writer, number))
