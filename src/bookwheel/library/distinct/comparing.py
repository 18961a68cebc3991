"""Comparing documents with those that are in the library, so that near-duplicates are left out while indexing.

A document is a copy where its signature agrees in at least `ENOUGH` of 128 places with that of a document that is there, or on
its way. Filters and signatures only name candidates: that the original is there, and stays, the database decides at once. So a
signature that was never committed, or whose document went, leaves nothing out; and where an original goes later, the commit
that removes it notes that its copies' files must be read again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import LibraryDamaged
from ...documents.document import Document
from ...documents.duplicates import HASHES, signature
from ...progress import Progress, silent
from ..prepared import as_stored_text
from .runs import SignatureRuns

if TYPE_CHECKING:
    from ..held_documents import HeldDocuments, Version
    from ..store import Store
    from ..writer import Writer

__all__ = ["ALIKE", "Compacting", "Comparing"]

ALIKE = 0.8
"""Share of their three-word shingles that two documents have in common, of which one is left out."""
ENOUGH = int(np.ceil(ALIKE * HASHES))
GONE = 50_000
"""Replaced documents that are remembered until the database knows of them."""
WAITING = 1000
"""Rows of copies that are written at a time."""


class Comparing:
    """What of an indexing run leaves near-duplicates out; ``writer`` has nothing under way yet."""

    def __init__(self, writer: Writer, told: list[str], progress: Progress = silent) -> None:
        self.writer = writer
        self._since = writer.manifest.next_document
        """Documents with numbers from this on may be on their way to the database."""
        try:
            self.runs = self._opened()
        except LibraryDamaged as error:  # they follow from the texts
            told.append(f"the signatures that copies are found by were made anew ({str(error).partition(';')[0]})")
            writer.manifest = writer.manifest.without_signatures()
            self.runs = self._opened()
        self._held: dict[int, HeldDocuments] = {}
        """By source that is being read again, or whose documents that it has no more are about to be removed."""
        self._gone: set[int] = set()
        self._rows: list[tuple[int, str, int, int, int]] = []
        self._signature: NDArray[np.uint16] | None = None
        writer.compare(self, changed=self._catch_up(progress))

    def _opened(self) -> SignatureRuns:
        writer = self.writer
        return SignatureRuns(writer.library, writer.manifest.signatures, self._alive, writer.memory.hold_signatures)

    def _catch_up(self, progress: Progress) -> bool:
        """Take in the signatures of documents that were indexed without comparing them; whether there are any."""
        store, first = self.writer.store, self.writer.manifest.signed
        new = "SELECT id FROM documents WHERE id >= ? AND removed IS NULL ORDER BY id LIMIT 1000"
        total = store.execute("SELECT count(*) FROM documents WHERE id >= ? AND removed IS NULL", (first,))[0][0]
        if not total:
            return False
        task = progress("comparing", total, "documents")
        try:
            while numbers := [number for (number,) in store.execute(new, (first,))]:
                for number in numbers:  # one at a time: any may be large
                    rows = store.execute("SELECT text FROM texts WHERE document = ?", (number,))
                    if rows and (found := signature(rows[0][0])) is not None:
                        self.runs.add(number, found)
                    task.advance()
                first = numbers[-1] + 1
        finally:
            task.close()
        return True

    def _lost(self) -> list[int]:
        return [new.number for new, _ in self.writer.lost]

    # -- which documents are there -------------------------------------------------------------------------------------

    def _alive(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of ``numbers``, in ascending order, are in the library or on their way to it."""
        found, known = living(self.writer.store, numbers)
        coming = (numbers >= self._since) & ~known & ~np.isin(numbers, self._lost())
        return np.asarray(found | coming)

    def _stays(self, number: int) -> int | None:
        """The source of the document ``number`` where it is there to stay; -1 where it is on its way, None where it is not."""
        if number in self._gone:
            return None
        rows = self.writer.store.execute("SELECT source, removed FROM documents WHERE id = ?", (number,))
        if not rows:
            return -1 if number >= self._since and number not in self._lost() else None
        source, removed = rows[0]
        if removed is not None:
            return None
        held = self._held.get(source)
        return None if held is not None and not held.met(number) else int(source)

    # -- what a run does -----------------------------------------------------------------------------------------------

    def reading(self, source: int, held: HeldDocuments) -> None:
        """``source`` is read again: what of its documents ``held`` is not met may be about to go, and is no original."""
        self._held[source] = held

    def done(self, source: int) -> None:
        """What ``source`` has no more was removed."""
        self._held.pop(source, None)

    def original_of(self, document: Document, source: int, earlier: Version | None) -> int | None:
        """The number of the document that ``document`` of ``source`` is a copy of, which it is noted as; None where it is none.

        ``earlier``: the version of it in the library.
        """
        self._signature = one = signature(as_stored_text(document))
        if one is None:
            return None
        for number, agreeing in self.runs.signatures.find(one, ENOUGH):
            if earlier is not None and number == earlier.number:
                continue
            where = self._stays(number)
            if where is None:
                continue
            # One of two documents that both are in the library goes: the later one, or of one file the one that is met later.
            if earlier is not None and earlier.same and not (number < earlier.number or where in (source, -1)):
                continue
            self._rows.append((source, document.id, number, agreeing, self.writer.generation))
            if len(self._rows) >= WAITING:
                self._write()
            self.writer.compare(self, changed=True)
            return number
        return None

    def adding(self, number: int, replaced: int | None) -> None:
        """The document last asked about is about to be added as ``number``, in the place of ``replaced``.

        Before and not after, as adding it may be what makes a commit, which then says that it has a signature.
        """
        if replaced is not None:
            self.replaced(replaced)
        if self._signature is not None:
            self.runs.add(number, self._signature)

    def replaced(self, number: int) -> None:
        """The document ``number`` is about to be removed."""
        if len(self._gone) >= GONE:
            self.writer.flush()
            self._gone.clear()
        self._gone.add(number)

    def _write(self) -> None:
        self.writer.store.add_copies(self._rows)
        self._rows.clear()

    def write(self, next_document: int) -> dict[str, Any]:
        """Write what waits; what the next manifest says of signatures, where ``next_document`` will be the next new one."""
        self._write()
        return {"signatures": self.runs.write(), "signed": next_document}

    @property
    def names(self) -> frozenset[str]:
        """The folders of runs in use."""
        return self.runs.names


class Compacting:
    """Makes one run of all signatures, without those of documents that are gone, and commits it."""

    def __init__(self, writer: Writer) -> None:
        def alive(numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
            return living(writer.store, numbers)[0]

        self._runs = SignatureRuns(writer.library, writer.manifest.signatures, alive, writer.memory.hold_signatures)
        self._runs.merge()
        writer.compare(self, changed=True)
        writer.commit()

    def write(self, next_document: int) -> dict[str, Any]:
        """What the next manifest says of signatures."""
        return {"signatures": self._runs.write()}

    @property
    def names(self) -> frozenset[str]:
        """The folders of runs in use."""
        return self._runs.names


def living(store: Store, numbers: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which of the documents ``numbers``, in ascending order, the database holds and are not removed, and which it holds."""
    found, known = np.zeros(len(numbers), np.bool_), np.zeros(len(numbers), np.bool_)
    for at in range(0, len(numbers), GONE):
        some = numbers[at : at + GONE]
        rows = store.execute(
            "SELECT id, removed IS NULL FROM documents WHERE id >= ? AND id <= ?", (int(some[0]), int(some[-1]))
        )
        table = np.array(rows, np.int64).reshape(-1, 2)
        found[at : at + GONE] = np.isin(some, table[table[:, 1] > 0, 0])
        known[at : at + GONE] = np.isin(some, table[:, 0])
    return found, known
